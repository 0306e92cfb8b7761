"""What becomes of a table's columns while one latent factor moves."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import resample
from sklearn.utils._param_validation import Interval, validate_params

from skvae.inspection import _style
from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._validation import (
    active_factors,
    check_not_collapsed,
    check_quantiles,
    modelled_column_names,
)

_MOST_PANELS = 6
_PANELS_PER_ROW = 3

_PLOT_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left")],
    "line_kw": [dict, None],
}


class LatentTraversalDisplay:
    """Traversals of the latent factors: what each of them does to the columns.

    It is recommended to use :meth:`from_estimator` to create a
    `LatentTraversalDisplay`. All parameters are stored as attributes.

    Each panel moves one factor while the others stay as they are, and shows the
    columns that follow it furthest, each in units of its own spread, as they change
    from where they are at the factor's median. All panels have one y-axis, so that a
    weak factor looks weak, and a column has the same colour in each of them.

    Dates and durations are numbers in this. Of a column of booleans the line is the
    probability that one is true, and of a column of categories that of the level which
    the factor moves most, as in ``"EDUCATION = 2"``. A probability is drawn as it is:
    all there is of it goes from 0 to 1, as does a number's share of its spread.

    Parameters
    ----------
    traversals : dict of str to DataFrame of shape (n_steps, n_features)
        For each factor the change of every column, indexed by the factor's value. A
        column of categories is named with its level.

    quantiles : tuple of two floats, default=(0.05, 0.95)
        The quantiles of a column whose distance is the unit of its change.

    kl : dict of str to float, default=None
        KL of each factor to the prior in nats, shown beside its name.

    probabilities : sequence of str, default=()
        Names in `traversals` whose change is that of a probability. Where one of them
        is drawn, the y-axis says so.

    Attributes
    ----------
    lines_ : list of list of matplotlib Line2D
        The lines of each panel, the column that moves most first.

    labels_ : list of list of matplotlib Annotation
        Their labels.

    axes_ : ndarray of matplotlib Axes of shape (n_factors,)
        The panels.

    ax_ : matplotlib Axes
        The axes whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    factor_effects : The same between two values of the factor, for all columns.
    MutualInformationDisplay : How much each factor knows of each column.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import LatentTraversalDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> display = LatentTraversalDisplay.from_estimator(model, X, n_columns=3)

    Each panel has its own columns, those that follow the factor furthest:

    >>> [label.get_text()[:-1] for label in display.labels_[0]]
    ['BILL_AMT', 'BILL_AMT', 'BILL_AMT']

    The numbers behind the lines are a DataFrame for each factor:

    >>> {change.shape for change in display.traversals.values()}
    {(41, 23)}
    """

    def __init__(
        self, *, traversals, quantiles=(0.05, 0.95), kl=None, probabilities=()
    ):
        self.traversals = traversals
        self.quantiles = quantiles
        self.kl = kl
        self.probabilities = probabilities

    @classmethod
    @validate_params(
        {
            "factors": ["array-like", None],
            "rows": ["array-like", None],
            "n_steps": [Interval(Integral, 2, None, closed="left")],
            "quantiles": ["array-like"],
            "max_rows": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
            **_PLOT_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        factors=None,
        rows=None,
        n_steps=41,
        quantiles=(0.05, 0.95),
        max_rows=200,
        random_state=0,
        n_columns=5,
        ax=None,
        line_kw=None,
    ):
        """Traverse the latent factors of a fitted model and plot what columns do.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw, the training rows as a rule. They
            determine how far a factor goes and the unit of each column.

        factors : list of str, default=None
            Latent factors to show, named as in ``get_feature_names_out``. None shows
            the active ones, the one with most KL first, at most 6.

        rows : DataFrame or array-like of shape (n_rows, n_features), default=None
            Where to start from: the change of a column is its mean over these rows,
            whose other factors stay as they are. Pass a single row to see what the
            factors do to it. None draws from `X`.

        n_steps : int, default=41
            Values of a factor, evenly spaced.

        quantiles : tuple of two floats, default=(0.05, 0.95)
            A factor goes from the lower to the upper quantile of its codes, and the
            unit of a column is the distance between the same quantiles of the column.

        max_rows : int, default=200
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn.

        n_columns : int, default=5
            Columns shown in a panel: those that move furthest.

        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        Returns
        -------
        display : LatentTraversalDisplay
            With the panels drawn.

        Raises
        ------
        ValueError
            If a factor is unknown, if `X` has other columns than in `fit`, or if no
            factor is active.
        """
        check_not_collapsed(estimator)
        quantiles = check_quantiles(quantiles)
        names = list(estimator.get_feature_names_out())
        factors = _factor_names(estimator, names, factors)
        codes = estimator._encode(X)[0]
        starts = codes if rows is None else estimator._encode(rows)[0]
        starts = resample(
            starts,
            replace=False,
            n_samples=min(len(starts), max_rows),
            random_state=random_state,
        )
        reader = ColumnReader(estimator)
        units = reader.units(X, quantiles)
        labels = reader.labels(modelled_column_names(estimator, X))
        traversals = {}
        for name in factors:
            factor = names.index(name)
            values, decoded = _traverse(
                reader, codes, starts, factor, quantiles, n_steps
            )
            change = np.nan_to_num(decoded / units)
            shown = reader.furthest(change)
            traversals[name] = pd.DataFrame(change[:, shown], values, labels[shown])
        kl = dict(zip(names, estimator.kl_per_dimension_.tolist(), strict=True))
        display = cls(
            traversals=traversals,
            quantiles=quantiles,
            kl=kl,
            probabilities=labels[reader.is_probability].tolist(),
        )
        return display.plot(ax, n_columns=n_columns, line_kw=line_kw)

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, n_columns=5, line_kw=None):
        """Draw one panel a factor.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        n_columns : int, default=5
            Columns shown in a panel: those that move furthest.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        Returns
        -------
        display : LatentTraversalDisplay
            Itself.
        """
        panels = [_furthest(change, n_columns) for change in self.traversals.values()]
        per_row = min(len(panels), _PANELS_PER_ROW)
        if ax is None:
            n_rows = -(-len(panels) // per_row)
            ax = _style.new_axes(1.0 + 3.5 * per_row, 0.3 + 2.7 * n_rows)
        self.ax_, self.figure_ = ax, ax.figure
        self.axes_, _ = _style.panel_grid(ax, len(panels), per_row, sharey=True)
        looks = _style.line_styles([list(panel) for panel in panels])
        self.lines_ = [
            [
                ax.plot(panel.index, panel[name], **_style.restyle(look, line_kw))[0]
                for name in panel
                for look in [{"label": str(name), **looks[name]}]
            ]
            for ax, panel in zip(self.axes_, panels, strict=True)
        ]
        self._dress_panels(per_row)
        # Labels come last: the panels share limits, which every line may widen.
        self.labels_ = [
            _style.label_ends(ax, lines)
            for ax, lines in zip(self.axes_, self.lines_, strict=True)
        ]
        return self

    def _dress_panels(self, per_row):
        unit = self._unit()
        for panel, (name, ax) in enumerate(
            zip(self.traversals, self.axes_, strict=True)
        ):
            _style.plain(ax)
            _style.title(ax, name, f"KL {self.kl[name]:.2f} nats" if self.kl else "")
            ax.grid(axis="y", color=_style.SHADE)
            ax.axhline(0, color=_style.QUIET, linewidth=0.8, zorder=1)
            if panel % per_row == 0:
                ax.set_ylabel(
                    f"Change of the column\n({unit})", fontsize=_style.LABEL_SIZE
                )
            else:
                ax.tick_params(labelleft=False)
            if panel + per_row >= len(self.axes_):
                ax.set_xlabel("Latent value (prior sd)", fontsize=_style.LABEL_SIZE)

    def _unit(self):
        """Return in what units changes are drawn."""
        lower, upper = (f"{100 * quantile:g}" for quantile in self.quantiles)
        share = f"share of its {lower} to {upper} % range"
        drawn = {line.get_label() for lines in self.lines_ for line in lines}
        has_probability = not drawn.isdisjoint(map(str, self.probabilities))
        return f"{share},\nor probability" if has_probability else share


def _factor_names(estimator, names, factors):
    """Return the names of the factors to show."""
    if factors is None:
        return [names[j] for j in active_factors(estimator)[:_MOST_PANELS]]
    unknown = [name for name in factors if name not in names]
    if unknown or len(factors) == 0:
        raise ValueError(
            f"Expected factors out of {names}, got {unknown or 'an empty list'}."
        )
    return list(dict.fromkeys(factors))


def _traverse(reader, codes, starts, factor, quantiles, n_steps):
    """Return values of a factor, and how decoded rows change with it, on average.

    The other factors stay as they start. The change is from the factor's median, which
    need not be a step.
    """
    code = codes[:, factor]
    values = np.linspace(*np.quantile(code, quantiles), n_steps)
    moved = np.repeat(starts[None], n_steps + 1, axis=0)  # (values, starts, factors)
    moved[:, :, factor] = np.append(values, np.median(code))[:, None]
    decoded = reader.decode(moved.reshape(-1, starts.shape[1]))
    decoded = decoded.reshape(n_steps + 1, len(starts), -1).mean(axis=1)
    return values, decoded[:-1] - decoded[-1]


def _furthest(change, n_columns):
    """Return the columns that move furthest, that first."""
    distance = np.ptp(change.to_numpy(), axis=0)
    return change.iloc[:, np.argsort(-distance, kind="stable")[:n_columns]]
