"""Which head reads which group of columns."""

from torch import Tensor, nn

from skvae._core.columns import ColumnGroup
from skvae.networks._choice_heads import (
    CategoricalHead,
    DiscreteHead,
    MixedHead,
    OrdinalHead,
)
from skvae.networks._heads import (
    BernoulliHead,
    BooleanHead,
    GaussianHead,
    Head,
    PixelGaussianHead,
)
from skvae.networks._mixture_head import NormalMixtureHead

# Heads of numbers, of which the user may choose the likelihood.
NUMERIC_HEADS = {
    ("continuous", "auto"): NormalMixtureHead,
    ("continuous", "gaussian"): GaussianHead,
    ("continuous", "bernoulli"): BernoulliHead,
    ("pixel", "auto"): BernoulliHead,
    ("pixel", "gaussian"): PixelGaussianHead,
    ("pixel", "bernoulli"): BernoulliHead,
}


def make_heads(
    groups: list[ColumnGroup], likelihood: str, column_scales: Tensor
) -> nn.ModuleList:
    """Return one head for each group of columns.

    Parameters
    ----------
    groups : list of ColumnGroup
        The groups that the table encoder made.

    likelihood : {"auto", "gaussian", "bernoulli"}
        The distribution of continuous columns and of pixels.

    column_scales : Tensor of shape (width,)
        The standard deviation of each matrix column in training.

    Returns
    -------
    heads : ModuleList of Head
        In the order of `groups`.
    """
    return nn.ModuleList(
        _make_head(group, likelihood, column_scales) for group in groups
    )


def _make_head(group, likelihood, column_scales) -> Head:
    if group.kind == "categorical":
        return CategoricalHead(group.widths)
    if group.kind == "ordinal":
        return OrdinalHead(group.widths)
    if group.kind == "discrete":
        return DiscreteHead(group.atom_scores)
    if group.kind == "mixed":
        return MixedHead(group.atom_scores, column_scales[group.starts])
    scales = column_scales[group.matrix_columns]
    if group.kind in ("boolean", "missing"):
        return BooleanHead(scales)
    return NUMERIC_HEADS[group.kind, likelihood](scales)
