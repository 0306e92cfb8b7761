"""Where rows lie in the latent space, seen from its most telling side."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import (
    _safe_indexing,
    check_consistent_length,
    resample,
)
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import _num_samples

from skvae.inspection import _style
from skvae.inspection._latent_plane import (
    as_codes,
    latent_codes,
    models_by_name,
    projected,
)
from skvae.inspection._point_labels import point_labels
from skvae.inspection._validation import check_condition, check_not_collapsed

_PANELS_PER_ROW = 3
# The short side of a panel in shares of the long one, and the margin around the points.
_LEAST_ASPECT, _MARGIN = 0.5, 0.04
# The long side of a panel in a new figure, alone and among others, and the room for
# its labels, in inches.
_LONE_SIDE, _PANEL_SIDE, _AROUND = 4.2, 2.5, 0.6

_PARAMETER_CONSTRAINTS = {
    "projection": [StrOptions({"pca", "umap"})],
    "max_rows": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
    "scatter_kw": [dict, None],
}


class LatentSpaceDisplay:
    """Scatter of rows where models put them in their latent spaces.

    It is recommended to use :meth:`from_estimator`, :meth:`from_estimators` or
    :meth:`from_predictions` to create a `LatentSpaceDisplay`. All parameters are stored
    as attributes.

    A model with two active latents is shown as it is. Of more active latents, the plane
    of the first two principal components is shown; the axes say how much of the codes'
    variance they hold, and groups that overlap there may be apart in what they leave
    out. Latents and principal components are in standard deviations of the prior. Both
    axes have one scale, so that distances are what they look like, and so have all
    panels.

    Parameters
    ----------
    positions : dict of str to DataFrame of shape (n_points, 2)
        For each model where points lie, one panel each. The names of the columns label
        the axes, and the keys are the titles where there are several.

    labels : Series of shape (n_points,), default=None
        What colours the points. Numbers of more than 10 values get a colour bar;
        anything else gets a legend, for the 10 most frequent levels at most. Its name,
        if any, is the title of either.

    Attributes
    ----------
    points_ : list of matplotlib PathCollection
        The points of each panel.

    texts_ : list of list of matplotlib Text
        For each panel the names of levels that lie apart, each in their middle.

    legend_ : matplotlib Legend or None
        The names of all levels.

    colorbar_ : matplotlib Colorbar or None
        The scale of labels that are numbers.

    axes_ : ndarray of matplotlib Axes of shape (n_models,)
        The panels.

    ax_ : matplotlib Axes
        The axes with the points or, of several models, whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    ManifoldDisplay : What images the same plane stands for.
    MutualInformationDisplay : How much each factor knows of each column.

    Examples
    --------
    >>> from skvae import VAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import LatentSpaceDisplay
    >>> portfolio = make_credit_portfolio(1000, random_state=0)
    >>> X, y = portfolio.data, portfolio.factors["wealth"]
    >>> model = VAE(latent_dim=2, max_epochs=5, random_state=0).fit(X)
    >>> display = LatentSpaceDisplay.from_estimator(model, X, y)
    >>> display.positions["VAE"].shape
    (1000, 2)

    Numbers have a colour bar, levels a legend:

    >>> display.colorbar_.ax.get_ylabel()
    'wealth'
    >>> display = LatentSpaceDisplay.from_estimator(model, X, (y > 0).rename("rich"))
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['False', 'True']
    """

    def __init__(self, *, positions, labels=None):
        self.positions = positions
        self.labels = labels

    @classmethod
    @validate_params(_PARAMETER_CONSTRAINTS, prefer_skip_nested_validation=True)
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        condition=None,
        projection="pca",
        max_rows=5000,
        random_state=0,
        ax=None,
        scatter_kw=None,
    ):
        """Encode rows and plot where they lie.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae, or a Pipeline or search with one inside.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        y : array-like of shape (n_samples,), default=None
            Labels of the rows, levels or numbers, which colour the points.

        condition : DataFrame or array-like of n_samples rows, default=None
            The condition of the rows, where it is not in columns of `X`, for those
            models that were fitted with one. It is averaged over where it is unknown.

        projection : {"pca", "umap"}, default="pca"
            How more than two active latents come into a plane. UMAP shows groups that
            principal components lay over one another, but the distance between groups
            then says little. It needs the extra ``skvae[umap]``.

        max_rows : int, default=5000
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn, which points lie on top, and where UMAP
            starts.

        ax : matplotlib Axes, default=None
            Where to plot, in a figure with ``layout="constrained"`` as a rule. If None,
            a new figure is made.

        scatter_kw : dict, default=None
            Keywords passed to ``ax.scatter``.

        Returns
        -------
        display : LatentSpaceDisplay
            With the points drawn.

        Raises
        ------
        ValueError
            If `y` or `condition` and `X` differ in length, if `X` has other columns
            than in `fit`, if the model takes no condition and gets one, if it has a
            single latent, or if none is active.

        ImportError
            If UMAP is asked for and not installed.
        """
        return cls.from_estimators(
            [estimator],
            X,
            y,
            condition=condition,
            projection=projection,
            max_rows=max_rows,
            random_state=random_state,
            ax=ax,
            scatter_kw=scatter_kw,
        )

    @classmethod
    @validate_params(
        {"estimators": [list, tuple, dict], **_PARAMETER_CONSTRAINTS},
        prefer_skip_nested_validation=True,
    )
    def from_estimators(
        cls,
        estimators,
        X,
        y=None,
        *,
        condition=None,
        projection="pca",
        max_rows=5000,
        random_state=0,
        ax=None,
        scatter_kw=None,
    ):
        """Encode rows with several models, and plot where each of them puts them.

        Parameters
        ----------
        estimators : list of estimators, or dict of str to estimator
            As :meth:`from_estimator` takes them, by their names. In a list they are
            called as their classes are, with a number from the second of a class on.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        y : array-like of shape (n_samples,), default=None
            Labels of the rows, levels or numbers, which colour the points.

        condition : DataFrame or array-like of n_samples rows, default=None
            The condition of the rows, where it is not in columns of `X`, for those
            models that were fitted with one. It is averaged over where it is unknown.

        projection : {"pca", "umap"}, default="pca"
            How more than two active latents come into a plane. UMAP shows groups that
            principal components lay over one another, but the distance between groups
            then says little. It needs the extra ``skvae[umap]``.

        max_rows : int, default=5000
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn, which points lie on top, and where UMAP
            starts.

        ax : matplotlib Axes, default=None
            Where to plot, in a figure with ``layout="constrained"`` as a rule. If None,
            a new figure is made.

        scatter_kw : dict, default=None
            Keywords passed to ``ax.scatter``.

        Returns
        -------
        display : LatentSpaceDisplay
            With a panel for each model. The title of one that collapsed says so.

        Raises
        ------
        ValueError
            If there is no model, if `y` or `condition` and `X` differ in length, if `X`
            has other columns than in `fit`, if a condition is given that no model
            takes, if a model has a single latent, or if no latent of any is active.

        ImportError
            If UMAP is asked for and not installed.
        """
        check_consistent_length(X, y, condition)
        rows = _some(_num_samples(X), max_rows, random_state)
        X = _safe_indexing(X, rows)
        if condition is not None:
            condition = _safe_indexing(condition, rows)
        models = models_by_name(estimators, X)
        _check_some_active([found.model for found in models.values()])
        check_condition(condition, [found.model for found in models.values()])
        codes = {
            _titled(name, found.model): latent_codes(found, condition)
            for name, found in models.items()
        }
        return cls.from_predictions(
            codes,
            None if y is None else _as_series(y).iloc[rows],
            projection=projection,
            max_rows=max_rows,
            random_state=random_state,
            ax=ax,
            scatter_kw=scatter_kw,
        )

    @classmethod
    @validate_params(_PARAMETER_CONSTRAINTS, prefer_skip_nested_validation=True)
    def from_predictions(
        cls,
        codes,
        y=None,
        *,
        projection="pca",
        max_rows=5000,
        random_state=0,
        ax=None,
        scatter_kw=None,
    ):
        """Plot where codes lie.

        Parameters
        ----------
        codes : DataFrame or array-like of shape (n_samples, n_latents), or dict of them
            Posterior means, as ``transform`` returns them, or those of several models
            by name, of the same rows. All latents take part, active or not.

        y : array-like of shape (n_samples,), default=None
            Labels of the rows, levels or numbers, which colour the points.

        projection : {"pca", "umap"}, default="pca"
            How more than two latents come into a plane. UMAP shows groups that
            principal components lay over one another, but the distance between groups
            then says little. It needs the extra ``skvae[umap]``.

        max_rows : int, default=5000
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn, which points lie on top, and where UMAP
            starts.

        ax : matplotlib Axes, default=None
            Where to plot, in a figure with ``layout="constrained"`` as a rule. If None,
            a new figure is made.

        scatter_kw : dict, default=None
            Keywords passed to ``ax.scatter``.

        Returns
        -------
        display : LatentSpaceDisplay
            With the points drawn.

        Raises
        ------
        ValueError
            If there are no codes, those of a single latent, or others than `y` has
            labels for.

        ImportError
            If UMAP is asked for and not installed.
        """
        tables = codes if isinstance(codes, dict) else {"codes": codes}
        if not tables:
            raise ValueError("Got no codes; expected those of at least one model.")
        tables = {name: as_codes(table) for name, table in tables.items()}
        check_consistent_length(*tables.values(), y)
        rows = _some(len(next(iter(tables.values()))), max_rows, random_state)
        display = cls(
            positions={
                name: projected(table.iloc[rows], projection, random_state)
                for name, table in tables.items()
            },
            labels=None if y is None else _as_series(y).iloc[rows],
        )
        return display.plot(ax, scatter_kw=scatter_kw)

    @validate_params({"scatter_kw": [dict, None]}, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, scatter_kw=None):
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot, in a figure with ``layout="constrained"`` as a rule. If None,
            a new figure is made.

        scatter_kw : dict, default=None
            Keywords passed to ``ax.scatter``.

        Returns
        -------
        display : LatentSpaceDisplay
            Itself.
        """
        n_panels = len(self.positions)
        n_rows = -(-n_panels // _PANELS_PER_ROW)
        per_row = -(-n_panels // n_rows)
        coloring = point_labels(self.labels)
        xlim, ylim = _limits(self.positions.values())
        if ax is None:
            ax = _new_axes(xlim, ylim, n_rows, per_row, coloring.key_inches)
        self.ax_, self.figure_ = ax, ax.figure
        self.axes_ = np.array([ax], dtype=object)
        if n_panels > 1:
            self.axes_, _ = _style.panel_grid(ax, n_panels, per_row)
        panels = list(zip(self.axes_, self.positions.values(), strict=True))
        for panel, positions in panels:
            _dress(panel, positions.columns)
        if n_panels > 1:
            for panel, name in zip(self.axes_, self.positions, strict=True):
                panel.set(xlim=xlim, ylim=ylim)
                panel.set_aspect("equal", adjustable="box")
                _style.title(panel, name)
        self.points_ = [
            _scatter(panel, positions, coloring, scatter_kw)
            for panel, positions in panels
        ]
        self.texts_ = [
            coloring.write_names(panel, positions.to_numpy())
            for panel, positions in panels
        ]
        self.legend_, self.colorbar_ = coloring.add_key(
            self.axes_, per_row, self.points_
        )
        return self


def _check_some_active(models):
    """Raise if there is nothing to show: no model, or only models that collapsed."""
    if not models:
        raise ValueError("Got no estimators; expected at least one fitted model.")
    if not any(model._factor_model.n_active_ for model in models):
        check_not_collapsed(models[0])


def _titled(name, model):
    """Return the name of a model, and that it collapsed if it did."""
    return name if model._factor_model.n_active_ else f"{name}, collapsed"


def _as_series(y):
    """Return labels as a Series."""
    if isinstance(y, pd.Series):
        return y
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"Got y of shape {y.shape}; expected one label for each row.")
    return pd.Series(y)


def _some(n_rows, max_rows, random_state):
    """Return positions of rows in random order: all, or as many as asked for.

    Whatever order rows come in, say one level after the other, would lay the last
    points over the first.
    """
    n_drawn = min(n_rows, max_rows)
    return resample(
        np.arange(n_rows), replace=False, n_samples=n_drawn, random_state=random_state
    )


def _limits(positions):
    """Return limits of both axes that all points of all panels are within."""
    points = np.concatenate([part.to_numpy() for part in positions])
    low, high = points.min(axis=0), points.max(axis=0)
    ranges = high - low
    longest = ranges.max() or 1.0
    ranges = np.maximum(ranges, _LEAST_ASPECT * longest) + 2 * _MARGIN * longest
    middle = (low + high) / 2
    return np.transpose([middle - ranges / 2, middle + ranges / 2])


def _new_axes(xlim, ylim, n_rows, per_row, key_inches):
    """Return axes in a new figure whose panels fill their place."""
    ranges = np.array([np.ptp(xlim), np.ptp(ylim)])
    side = _LONE_SIDE if n_rows * per_row == 1 else _PANEL_SIDE
    width, height = side * ranges / ranges.max() + _AROUND
    return _style.new_axes(per_row * width + key_inches, n_rows * height)


def _scatter(ax, positions, coloring, scatter_kw):
    """Draw the points of a panel, small and faint where there are many."""
    crowd = np.clip(len(positions) / 1000, 0.2, 5)
    size, _ = _style.size_in_points(ax)
    look = {
        "s": np.clip(size / 300, 0.6, 1) * 16 / np.sqrt(crowd),
        "alpha": 0.9 - 0.08 * crowd,
        "linewidths": 0,
        **coloring.look,
        **(scatter_kw or {}),
    }
    x, y = positions.to_numpy()[coloring.order].T
    return ax.scatter(x, y, **look)


def _dress(ax, names):
    _style.plain(ax)
    ax.margins(_MARGIN)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel(names[0], fontsize=_style.LABEL_SIZE)
    ax.set_ylabel(names[1], fontsize=_style.LABEL_SIZE)
