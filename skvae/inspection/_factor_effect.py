"""Which columns each latent factor moves, and which way, in one picture."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae.inspection import _style
from skvae.inspection._factor_effect_table import (
    check_effects,
    checked_kl,
    columns_of,
    in_blocks,
    named_effects,
)
from skvae.inspection._mutual_information import _readable_on
from skvae.selection._resolve import resolve
from skvae.tables import Boolean, Levels

# More columns than these would make the picture wider than a page is.
_MOST_COLUMNS = 40
# The room that a number of two decimals with its sign takes, in points.
_CELL_WIDTH = 23
_CELL_HEIGHT = 11
_MINUS = "\N{MINUS SIGN}"
# Smaller effects are written in grey, lest rows of them hide the others.
_SMALL = 0.05

_PLOT_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left"), None],
    "include_values": ["boolean", None],
    "im_kw": [dict, None],
}


class FactorEffectDisplay:
    """Heat map of what each latent factor does to each column.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to
    create a `FactorEffectDisplay`. All parameters are stored as attributes.

    The one picture that says what each factor is. A row is a factor, a cell how far
    a column goes when the factor goes from low to high: in one colour if it goes up,
    in another if down. The columns that a factor moves further than any other factor
    does stand together, so that the map of a disentangled model is nearly block
    diagonal: a factor is known by its block. What is bright outside of the blocks is
    a column that several factors share.

    A column of categories goes from some levels to others, which is neither up nor
    down. Its cells are grey, as dark as the share of its probability that changes
    levels, and have a scale of their own.

    Parameters
    ----------
    effects : DataFrame of shape (n_factors, n_features)
        One row a latent factor, in the order of the picture, one column a column of
        the table.

    kl : dict of str to float, default=None
        KL of each factor to the prior in nats, shown beside its name.

    categories : sequence of str, default=()
        Columns whose effects have no sign.

    booleans : sequence of str, default=()
        Columns whose effects are changes of a probability. Where one of them is
        drawn, the scale says so.

    quantiles : tuple of two floats, default=(0.05, 0.95)
        The quantiles of a column whose distance is the unit of its effects.

    Attributes
    ----------
    shown_ : DataFrame of shape (n_factors, n_shown)
        The effects that are drawn, with columns ordered as they are.

    im_ : matplotlib AxesImage
        The heat map of the columns that go up or down.

    category_im_ : matplotlib AxesImage or None
        That of the categories, if one is drawn.

    text_ : ndarray of matplotlib Text of shape (n_factors, n_shown) or None
        The numbers in the cells, if they are shown.

    colorbars_ : list of matplotlib Colorbar
        The scales of what is drawn, that of `im_` first.

    ax_ : matplotlib Axes
        The axes with the heat map.

    figure_ : matplotlib Figure
        The figure that holds it.

    See Also
    --------
    factor_effects : The numbers.
    describe_factor : One factor as a table, with the levels to which categories go.
    LatentTraversalDisplay : What happens between low and high.

    Notes
    -----
    Colours reach from -1 to 1, or as far as the largest effect does beyond that, so
    that a weak factor looks weak, and pictures of two models compare. The signs of a
    whole row may be turned around, as may those of a latent factor.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import FactorEffectDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> display = FactorEffectDisplay.from_estimator(model, X)

    The factor that carries most is on top, and the columns that it moves come first:

    >>> [name[:-1] for name in display.shown_.columns[:6]]
    ['BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT']
    """

    def __init__(
        self,
        effects,
        *,
        kl=None,
        categories=(),
        booleans=(),
        quantiles=(0.05, 0.95),
    ):
        self.effects = effects
        self.kl = kl
        self.categories = categories
        self.booleans = booleans
        self.quantiles = quantiles

    @classmethod
    @validate_params(
        {
            "n_factors": [Interval(Integral, 1, None, closed="left"), None],
            **_PLOT_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        n_factors=None,
        quantiles=(0.05, 0.95),
        max_rows=500,
        random_state=0,
        n_columns=None,
        include_values=None,
        ax=None,
        cmap="RdBu_r",
        im_kw=None,
    ):
        """Plot what a model's latent factors do to the columns.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae, or a Pipeline that ends in one: its columns are
            those that the model sees.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw, the training rows as a rule. They
            determine how far a factor goes and the unit of each column.

        n_factors : int, default=None
            Latent factors shown, those with most KL, the one with most first. None
            shows the active ones.

        quantiles : tuple of two floats, default=(0.05, 0.95)
            Lower and upper quantile, of the codes and of the columns.

        max_rows : int, default=500
            Of more rows than these, so many are drawn to decode.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn.

        n_columns : int, default=None
            Columns shown, those that some factor moves furthest. None shows all of
            them, but at most 40.

        include_values : bool, default=None
            Whether to write the number into each cell. None does so if cells have the
            room.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            A diverging colour map, for columns that go up or down. That of categories
            is grey.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : FactorEffectDisplay
            With the heat map drawn.

        Raises
        ------
        ValueError
            If `X` has other columns than in `fit`, or if no latent factor is active.
        """
        check_is_fitted(estimator)
        resolved = resolve(estimator, X)
        effects = named_effects(
            estimator,
            resolved,
            quantiles=quantiles,
            max_rows=max_rows,
            random_state=random_state,
        )
        model = resolved.model._factor_model
        kl = pd.Series(model.kl_per_dimension_, effects.index)
        factors = kl.sort_values(ascending=False, kind="stable").index
        return cls.from_predictions(
            effects.loc[factors[: n_factors or model.n_active_]],
            kl=kl,
            categories=columns_of(resolved.model, effects, Levels),
            booleans=columns_of(resolved.model, effects, Boolean),
            quantiles=quantiles,
            n_columns=n_columns,
            include_values=include_values,
            ax=ax,
            cmap=cmap,
            im_kw=im_kw,
        )

    @classmethod
    @validate_params(
        {
            "kl": [dict, pd.Series, None],
            "categories": ["array-like"],
            "booleans": ["array-like"],
            "quantiles": ["array-like"],
            **_PLOT_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_predictions(
        cls,
        effects,
        *,
        kl=None,
        categories=(),
        booleans=(),
        quantiles=(0.05, 0.95),
        n_columns=None,
        include_values=None,
        ax=None,
        cmap="RdBu_r",
        im_kw=None,
    ):
        """Plot effects, as :func:`factor_effects` returns them.

        Parameters
        ----------
        effects : DataFrame of shape (n_factors, n_features)
            One row a latent factor, in the order of the picture, one column a column
            of the table.

        kl : dict of str to float or Series, default=None
            KL of each factor to the prior in nats, shown beside its name.

        categories : sequence of str, default=()
            Columns whose effects have no sign, and are between 0 and 1.

        booleans : sequence of str, default=()
            Columns whose effects are changes of a probability.

        quantiles : tuple of two floats, default=(0.05, 0.95)
            The quantiles of a column whose distance is the unit of its effects.

        n_columns : int, default=None
            Columns shown, those that some factor moves furthest. None shows all of
            them, but at most 40.

        include_values : bool, default=None
            Whether to write the number into each cell. None does so if cells have the
            room.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            A diverging colour map, for columns that go up or down. That of categories
            is grey.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : FactorEffectDisplay
            With the heat map drawn.

        Raises
        ------
        ValueError
            If `effects` are not finite numbers, if `categories` or `booleans` are no
            columns of it, if a category has an effect outside of 0 to 1, or if `kl`
            lacks a factor.
        """
        effects = pd.DataFrame(effects)
        check_effects(effects, categories, booleans)
        if kl is not None:
            kl = checked_kl(kl, effects.index)
        display = cls(
            effects,
            kl=kl,
            categories=categories,
            booleans=booleans,
            quantiles=quantiles,
        )
        return display.plot(
            ax,
            n_columns=n_columns,
            include_values=include_values,
            cmap=cmap,
            im_kw=im_kw,
        )

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(
        self,
        ax=None,
        *,
        n_columns=None,
        include_values=None,
        cmap="RdBu_r",
        im_kw=None,
    ):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        n_columns : int, default=None
            Columns shown, those that some factor moves furthest. None shows all of
            them, but at most 40.

        include_values : bool, default=None
            Whether to write the number into each cell. None does so if cells have the
            room.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            A diverging colour map, for columns that go up or down. That of categories
            is grey.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : FactorEffectDisplay
            Itself.
        """
        self.shown_ = in_blocks(self.effects, n_columns or _MOST_COLUMNS)
        n_factors, n_shown = self.shown_.shape
        if ax is None:
            ax = _style.new_axes(
                np.clip(3.0 + 0.45 * n_shown, 5.5, 18),
                np.clip(1.6 + 0.36 * n_factors, 3.0, 12),
            )
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_cells(cmap, im_kw)
        self._label_axes()
        self._add_colorbars()
        if include_values is None:
            width, height = _style.size_in_points(ax)
            include_values = (
                width >= _CELL_WIDTH * n_shown and height >= _CELL_HEIGHT * n_factors
            )
        self.text_ = self._write_values() if include_values else None
        return self

    def _is_category(self):
        """Return which of the columns that are drawn have no sign."""
        return _are_in(self.shown_.columns, self.categories)

    def _draw_cells(self, cmap, im_kw):
        values, is_category = self.shown_.to_numpy(), self._is_category()
        largest = max(1, np.abs(values).max(initial=0))
        look = {"aspect": "auto", "vmin": -largest, "vmax": largest, **(im_kw or {})}
        hidden = np.broadcast_to(is_category, values.shape)
        self.im_ = self.ax_.imshow(
            np.ma.masked_array(values, hidden), **{"cmap": cmap, **look}
        )
        self.category_im_ = None
        if is_category.any():
            look |= {"cmap": "Greys", "vmin": 0, "vmax": 1}
            self.category_im_ = self.ax_.imshow(
                np.ma.masked_array(values, ~hidden), **look
            )

    def _label_axes(self):
        ax, small = self.ax_, {"fontsize": _style.LABEL_SIZE}
        names = [_style.short(name) for name in self.shown_.columns]
        ax.set_xticks(
            range(len(names)),
            names,
            rotation=45,
            ha="right",
            rotation_mode="anchor",
            **small,
        )
        names = [self._factor_label(name) for name in self.shown_.index]
        ax.set_yticks(range(len(names)), names, **small)
        n_shown, n_all = self.shown_.shape[1], self.effects.shape[1]
        left_out = f" (the {n_shown} of {n_all} that move furthest)"
        ax.set_xlabel(f"Column{left_out if n_shown < n_all else ''}", **small)
        ax.set_ylabel(f"Latent factor{' (KL in nats)' if self.kl else ''}", **small)
        ax.tick_params(length=0, labelcolor=_style.INK)
        ax.spines[:].set_visible(False)
        # White lines keep pale cells of two kinds, or none at all, apart.
        ax.set_xticks(np.arange(n_shown + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5)
        ax.tick_params(which="minor", length=0)

    def _factor_label(self, name):
        label = _style.short(name)
        return f"{label} ({self.kl[name]:.2f})" if self.kl else label

    def _add_colorbars(self):
        self.colorbars_ = []
        is_category = self._is_category()
        if not is_category.all():
            self._add_colorbar(self.im_, f"Change of the column\n({self._unit()})")
        if is_category.any():
            label = "Change of the category\n(probability that changes levels)"
            self._add_colorbar(self.category_im_, label)

    def _add_colorbar(self, image, label):
        colorbar = self.figure_.colorbar(image, ax=self.ax_, fraction=0.05, pad=0.015)
        colorbar.set_label(label, fontsize=_style.LABEL_SIZE)
        colorbar.outline.set_visible(False)
        colorbar.ax.tick_params(color=_style.QUIET, labelsize=_style.LABEL_SIZE)
        self.colorbars_.append(colorbar)

    def _unit(self):
        """Return in what units changes are that have a sign."""
        lower, upper = (f"{100 * quantile:g}" for quantile in self.quantiles)
        share = f"share of its {lower} to {upper} % range"
        has_boolean = _are_in(self.shown_.columns, self.booleans).any()
        return f"{share},\nor probability" if has_boolean else share

    def _write_values(self):
        text = np.empty(self.shown_.shape, dtype=object)
        is_category = self._is_category()
        for (row, column), value in np.ndenumerate(self.shown_.to_numpy()):
            image = self.category_im_ if is_category[column] else self.im_
            ink = _readable_on(image.cmap(image.norm(value)))
            text[row, column] = self.ax_.text(
                column,
                row,
                _signed(value),
                ha="center",
                va="center",
                fontsize=_style.LABEL_SIZE - 1,
                color=ink if abs(value) >= _SMALL else _style.QUIET,
            )
        return text


def _are_in(columns, names):
    """Return which columns are among some names, tuples or not."""
    names = set(names)
    return np.array([name in names for name in columns], dtype=bool)


def _signed(value):
    """Return a number of two decimals, in which 0 has no sign."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", _MINUS)
