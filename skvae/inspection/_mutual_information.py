"""How much each latent factor knows of each known factor or column."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from skvae.inspection import _style
from skvae.inspection._validation import check_not_collapsed, column_names
from skvae.metrics import factor_entropies, mutual_information_matrix
from skvae.selection._resolve import resolve
from skvae.tables import Identifier

# The room that a number of two decimals takes, in points.
_CELL_WIDTH = 20
_CELL_HEIGHT = 11


class MutualInformationDisplay:
    """Heat map of the mutual information between latent factors and known ones.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to
    create a `MutualInformationDisplay`. All parameters are stored as attributes.

    In the map of a disentangled model every row and every column has one bright cell,
    as far as the table's own columns allow: columns that go together share a factor.

    Parameters
    ----------
    mutual_information : DataFrame of shape (n_codes, n_factors)
        One row a latent factor. The names of its index and columns, if any, label the
        axes.

    normalize : bool, default=False
        Whether the numbers are shares of each factor's entropy; otherwise they are
        nats.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.

    text_ : ndarray of matplotlib Text of shape (n_codes, n_factors) or None
        The numbers in the cells, if they are shown.

    colorbar_ : matplotlib Colorbar
        Its scale.

    ax_ : matplotlib Axes
        The axes with the heat map.

    figure_ : matplotlib Figure
        The figure that holds it.

    See Also
    --------
    skvae.metrics.mutual_information_matrix : The numbers, and how they are estimated.
    skvae.metrics.mig_score : One number from them.
    factor_effects : Which columns a factor moves, and in which direction.

    Notes
    -----
    On few rows the estimate is too high: about ``(n_bins - 1) ** 2 / (2 * n_rows)``
    nats for a continuous column of which a latent factor knows nothing, which is 0.18
    for 1000 rows and 20 bins. Pass fewer bins or more rows.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import MutualInformationDisplay
    >>> portfolio = make_credit_portfolio(1000, random_state=0)
    >>> X = portfolio.data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)

    What the active latent factors know of the columns that they were learned from:

    >>> display = MutualInformationDisplay.from_estimator(model, X)
    >>> display.mutual_information.columns[0]
    'LIMIT_BAL'

    What they know of the factors behind a simulated table:

    >>> display = MutualInformationDisplay.from_estimator(model, X, portfolio.factors)
    >>> display.mutual_information.columns[0]
    'wealth'
    """

    def __init__(self, mutual_information, *, normalize=False):
        self.mutual_information = mutual_information
        self.normalize = normalize

    @classmethod
    @validate_params(
        {
            "n_factors": [Interval(Integral, 1, None, closed="left"), None],
            "normalize": ["boolean"],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        factors=None,
        *,
        n_factors=None,
        n_bins=20,
        normalize=False,
        ax=None,
        include_values=None,
        cmap="viridis",
        im_kw=None,
    ):
        """Plot what a model's latent factors know of the columns or of given factors.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae, or a Pipeline or search with one inside. Columns
            are then as the model sees them.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows as the estimator takes them.

        factors : DataFrame or array-like of shape (n_samples, n_factors), default=None
            Known factors of the same rows. None takes the columns of `X`, but for
            identifiers, of which any code seems to know all. Rows in which one is
            missing tell nothing of it, and are left out for that one.

        n_factors : int, default=None
            Latent factors shown, those with most KL, the one with most first. None
            shows the active ones. Mind that the estimate is free of scale: a dead
            factor looks as if it knew something, more so of many levels.

        n_bins : int, default=20
            Bins of a latent factor, and the most bins of a continuous known factor.

        normalize : bool, default=False
            Whether to divide by the entropy of each known factor, which makes the
            columns comparable. If False, numbers are in nats.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        include_values : bool, default=None
            Whether to write the number into each cell. None does so if cells have the
            room.

        cmap : str or matplotlib Colormap, default="viridis"
            The colour map.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : MutualInformationDisplay
            With the heat map drawn.

        Raises
        ------
        ValueError
            If the rows of `factors` and `X` do not match, if `X` has other columns
            than in `fit`, or if no latent factor is active.
        """
        found = resolve(estimator, X)
        model = found.model
        if n_factors is None:
            check_not_collapsed(model)
        kl = model._factor_model.kl_per_dimension_
        shown = np.argsort(-kl, kind="stable")[: n_factors or model.n_active_]
        codes = pd.DataFrame(
            model._encode(found.inputs)[0][:, shown],
            columns=model.get_feature_names_out()[shown],
        )
        if factors is None:
            factors = pd.DataFrame(found.inputs)
            factors = factors.set_axis(column_names(model, found.inputs), axis=1)
            factors = factors.loc[:, _is_information(model)]
            factors = factors.rename_axis(columns="Column")
        return cls.from_predictions(
            factors,
            codes,
            n_bins=n_bins,
            normalize=normalize,
            ax=ax,
            include_values=include_values,
            cmap=cmap,
            im_kw=im_kw,
        )

    @classmethod
    @validate_params(
        {"normalize": ["boolean"]},
        prefer_skip_nested_validation=True,
    )
    def from_predictions(
        cls,
        factors,
        codes,
        *,
        n_bins=20,
        normalize=False,
        ax=None,
        include_values=None,
        cmap="viridis",
        im_kw=None,
    ):
        """Plot what codes know of factors.

        Parameters
        ----------
        factors : DataFrame or array-like of shape (n_samples, n_factors)
            The known factors. Rows in which one is missing tell nothing of it, and are
            left out for that one.

        codes : DataFrame or array-like of shape (n_samples, n_codes)
            The representation of the same rows, posterior means as a rule.

        n_bins : int, default=20
            Bins of a code, and the most bins of a continuous factor.

        normalize : bool, default=False
            Whether to divide by the entropy of each factor, which makes the columns
            comparable. If False, numbers are in nats.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        include_values : bool, default=None
            Whether to write the number into each cell. None does so if cells have the
            room.

        cmap : str or matplotlib Colormap, default="viridis"
            The colour map.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : MutualInformationDisplay
            With the heat map drawn.

        Raises
        ------
        ValueError
            If the rows of `factors` and `codes` do not match.
        """
        factors = _as_frame(factors, "factor", "Known factor")
        codes = _as_frame(codes, "code", "Latent factor")
        information = pd.DataFrame(
            _information(factors, codes, n_bins, normalize),
            index=codes.columns,
            columns=factors.columns,
        )
        display = cls(information, normalize=normalize)
        return display.plot(ax, include_values=include_values, cmap=cmap, im_kw=im_kw)

    def plot(self, ax=None, *, include_values=None, cmap="viridis", im_kw=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        include_values : bool, default=None
            Whether to write the number into each cell. None does so if cells have the
            room.

        cmap : str or matplotlib Colormap, default="viridis"
            The colour map. It starts at 0 and ends at 1 if numbers are normalised,
            otherwise at the largest of them.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : MutualInformationDisplay
            Itself.
        """
        n_codes, n_factors = self.mutual_information.shape
        if ax is None:
            ax = _style.new_axes(
                np.clip(2.2 + 0.4 * n_factors, 4.5, 16),
                np.clip(1.5 + 0.34 * n_codes, 2.8, 12),
            )
        self.ax_, self.figure_ = ax, ax.figure
        values = self.mutual_information.to_numpy()
        look = {
            "cmap": cmap,
            "aspect": "auto",
            "vmin": 0,
            "vmax": 1 if self.normalize else None,
        }
        self.im_ = ax.imshow(values, **{**look, **(im_kw or {})})
        self._label_axes(ax)
        self.colorbar_ = self._add_colorbar(ax)
        if include_values is None:
            include_values = _has_room(ax, n_codes, n_factors)
        self.text_ = self._write_values(ax, values) if include_values else None
        return self

    def _label_axes(self, ax):
        information = self.mutual_information
        small = {"fontsize": _style.LABEL_SIZE}
        names = [_style.short(name) for name in information.columns]
        ax.set_xticks(
            range(len(names)),
            names,
            rotation=45,
            ha="right",
            rotation_mode="anchor",
            **small,
        )
        names = [_style.short(name) for name in information.index]
        ax.set_yticks(range(len(names)), names, **small)
        ax.set_xlabel(information.columns.name or "Known factor", **small)
        ax.set_ylabel(information.index.name or "Latent factor", **small)
        ax.tick_params(length=0, labelcolor=_style.INK)
        ax.spines[:].set_visible(False)

    def _add_colorbar(self, ax):
        colorbar = self.figure_.colorbar(self.im_, ax=ax, fraction=0.05, pad=0.015)
        unit = "share of the entropy" if self.normalize else "nats"
        colorbar.set_label(f"Mutual information\n({unit})", fontsize=_style.LABEL_SIZE)
        colorbar.outline.set_visible(False)
        colorbar.ax.tick_params(color=_style.QUIET, labelsize=_style.LABEL_SIZE)
        return colorbar

    def _write_values(self, ax, values):
        text = np.empty(values.shape, dtype=object)
        for (row, column), value in np.ndenumerate(values):
            text[row, column] = ax.text(
                column,
                row,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=_style.LABEL_SIZE - 1,
                color=_readable_on(self.im_.cmap(self.im_.norm(value))),
            )
        return text


def _is_information(estimator):
    """Return which columns of the table are no mere names of its rows."""
    columns = estimator.table_encoder_.schema_.columns
    return [not isinstance(column, Identifier) for column in columns]


def _information(factors, codes, n_bins, normalize):
    """Return what codes know of factors, or the share of each factor's entropy."""
    known = factors.notna().any(axis=0).to_numpy()
    information = np.zeros((codes.shape[1], factors.shape[1]))
    if not known.any():
        return information
    factors = factors.loc[:, known]
    information[:, known] = mutual_information_matrix(factors, codes, n_bins=n_bins)
    if normalize:
        entropies = factor_entropies(factors, n_bins=n_bins)
        # A constant factor has no entropy, and nobody knows anything of it.
        information[:, known] /= np.where(entropies > 0, entropies, 1)
    return information


def _as_frame(table, prefix, axis_name):
    """Return a DataFrame whose columns have names, under the name of the axis."""
    if isinstance(table, pd.Series):
        table = table.to_frame(table.name if table.name is not None else prefix)
    if not isinstance(table, pd.DataFrame):
        table = pd.DataFrame(np.asarray(table)).infer_objects()
        table = table.add_prefix(prefix)
    return table.rename_axis(columns=table.columns.name or axis_name)


def _has_room(ax, n_rows, n_columns):
    """Whether each cell is large enough for a number."""
    width, height = _style.size_in_points(ax)
    return width >= _CELL_WIDTH * n_columns and height >= _CELL_HEIGHT * n_rows


def _readable_on(color):
    """Return dark ink on a light colour and white on a dark one."""
    luminance = np.dot(color[:3], [0.2126, 0.7152, 0.0722])
    return _style.INK if luminance > 0.5 else "white"
