"""How columns are distributed: in the table, in reconstructions and in samples."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae.inspection import _style
from skvae.inspection._column_shares import column_schema, shares_of
from skvae.inspection._distribution_panel import (
    add_legend,
    draw_panel,
    entries_per_row,
    table_looks,
)
from skvae.inspection._validation import modelled_column_names
from skvae.metrics import shape_score
from skvae.metrics.paired_tables import CATEGORICAL_FEATURES, align_tables
from skvae.selection._resolve import resolve
from skvae.tables import Boolean, Levels

# In points: a row of the legend, and the least width of a panel.
_LEGEND_ROW, _PANEL_WIDTH = 16, 130

_SELECTION = {
    "columns": ["array-like", None],
    "n_columns": [Interval(Integral, 1, None, closed="left")],
}


class DistributionDisplay:
    """Distribution of each column in a table and in what a model makes of it.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to
    create a `DistributionDisplay`. All parameters are stored as attributes.

    The original is filled, the other tables are lines. Numbers and dates have a
    histogram whose bins all tables share. Bins end where they would grow thin, at
    three interquartile ranges from the quartiles of the original [1]_; what lies beyond
    is said under the panel. Categories have a bar for each level. Values that many
    cells share, such as 0, and missing cells have bars of their own, beside the
    histogram and on their own scale.

    Parameters
    ----------
    shares : dict of name to ColumnShares
        The distribution of each column.

    scores : DataFrame of shape (n_columns, n_tables - 1)
        How close each table comes to the original, from 0 to 1: one minus the
        Kolmogorov-Smirnov statistic (KS) or the total variation distance (TV).

    Attributes
    ----------
    panels_ : dict of name to ColumnPanel
        What is drawn of each column: a named tuple of ``bar_axes``, ``axes``, ``bars``,
        ``marks``, ``histogram``, ``scores`` and ``outside``.

    legend_ : matplotlib Legend
        Tells the tables.

    ax_ : matplotlib Axes
        The axes whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    skvae.metrics.shape_score : The scores.
    LatentTraversalDisplay : What the latent factors do to the columns.

    Notes
    -----
    Reconstructions are mean rows, as in the thesis: their distribution is narrower
    than that of the original even under a perfect model, and the more so, the less the
    model keeps of a column. Samples are compared without that handicap.

    References
    ----------
    .. [1] J. W. Tukey (1977). Exploratory Data Analysis. Addison-Wesley. Its "outer
       fences".

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import DistributionDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> columns = ["LIMIT_BAL", "PAY_AMT1"]
    >>> display = DistributionDisplay.from_estimator(model, X, columns=columns)
    >>> display.scores.shape
    (2, 2)

    Zeros are an atom of payments:

    >>> display.shares["PAY_AMT1"].bars.index.tolist()
    [0.0]
    """

    def __init__(self, *, shares, scores):
        self.shares = shares
        self.scores = scores

    @classmethod
    @validate_params(
        {
            **_SELECTION,
            "kinds": ["array-like"],
            "n_samples": [Interval(Integral, 1, None, closed="left"), None],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        columns=None,
        n_columns=12,
        kinds=("reconstruction", "sample"),
        n_samples=None,
        random_state=0,
        ax=None,
    ):
        """Plot a table beside a model's reconstructions and samples of it.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae, which may have collapsed, or a Pipeline that ends
            in one and whose other steps invert.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        columns : list of str, default=None
            The columns to show, of those that the model explains: conditions are
            given. None shows the first `n_columns`, in the order of the table, but for
            constants and identifiers.

        n_columns : int, default=12
            Columns shown if `columns` names none.

        kinds : tuple of {"reconstruction", "sample"}, default=both
            What to compare with the table.

        n_samples : int, default=None
            How many rows to sample. None samples as many as `X` has.

        random_state : int, RandomState instance or None, default=0
            Determines the samples.

        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        Returns
        -------
        display : DistributionDisplay
            With the panels drawn.

        Raises
        ------
        ValueError
            If a kind or a column is unknown, if `X` has other columns than in `fit`, or
            if a step of a Pipeline does not invert.
        """
        check_is_fitted(estimator)
        resolved = resolve(estimator, X)
        names = modelled_column_names(resolved.model, X)
        tables = {"original": X}
        for kind in _checked_kinds(kinds):
            tables[kind] = _made(resolved, kind, n_samples, random_state)
        return cls.from_predictions(
            {
                kind: _named(resolved.model._modelled(table), names)
                for kind, table in tables.items()
            },
            columns=columns,
            n_columns=n_columns,
            categorical_features=_categories(resolved),
            ax=ax,
        )

    @classmethod
    @validate_params(
        {
            **_SELECTION,
            "tables": [dict],
            "categorical_features": CATEGORICAL_FEATURES,
        },
        prefer_skip_nested_validation=True,
    )
    def from_predictions(
        cls,
        tables,
        *,
        columns=None,
        n_columns=12,
        categorical_features="from_dtype",
        ax=None,
    ):
        """Plot a table beside others with the same columns.

        Parameters
        ----------
        tables : dict of str to array-like of shape (n_rows, n_columns)
            The original first, then what to compare with it, by the names that the
            legend shows. Between DataFrames columns are matched by name, otherwise by
            position.

        columns : list of str, default=None
            The columns to show. None shows the first `n_columns`, in the order of the
            original, but for constants and identifiers.

        n_columns : int, default=12
            Columns shown if `columns` names none.

        categorical_features : "from_dtype" or array-like, default="from_dtype"
            Columns to take as categories besides those that hold categories, strings
            or booleans by their dtype: names, positions, or a mask of all columns.

        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        Returns
        -------
        display : DistributionDisplay
            With the panels drawn.

        Raises
        ------
        ValueError
            If there is no table, if a column is unknown, or if the columns do not
            match in name, number or kind.
        """
        if not tables:
            raise ValueError("Got no tables; expected the original and others.")
        frames, is_category = align_tables(tables, categorical_features)
        schema = column_schema(frames[0], is_category)
        places = _places(schema, columns, n_columns)
        shares = {
            schema.names[place]: shares_of(
                schema.columns[place],
                {n: f.iloc[:, place] for n, f in zip(tables, frames, strict=True)},
                is_category[place],
            )
            for place in places
        }
        frames = [frame.iloc[:, places] for frame in frames]
        scores = _scores(list(tables), frames, is_category[places])
        return cls(shares=shares, scores=scores).plot(ax)

    def plot(self, ax=None):
        """Draw one panel for each column.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        Returns
        -------
        display : DistributionDisplay
            Itself.
        """
        n_panels = len(self.shares)
        per_row = min(n_panels, 4 if n_panels > 9 else 3)
        if ax is None:
            n_rows = -(-n_panels // per_row)
            ax = _style.new_axes(max(4.2, 3.1 * per_row), 0.5 + 2.0 * n_rows)
        self.ax_, self.figure_ = ax, ax.figure
        width, height = _style.size_in_points(ax)
        per_row = int(np.clip(width // _PANEL_WIDTH, 1, per_row))
        tables = list(next(iter(self.shares.values())).bars)
        entries = entries_per_row(tables, width)
        legend_height = -(-len(tables) // entries) * _LEGEND_ROW
        header = legend_height * -(-n_panels // per_row) / height
        places, strip = _style.panel_grid(ax, n_panels, per_row, header=header)
        looks, room = table_looks(tables), width / per_row
        self.panels_ = {
            name: draw_panel(place, name, shares, self.scores.loc[name], looks, room)
            for place, (name, shares) in zip(places, self.shares.items(), strict=True)
        }
        for panel in list(self.panels_.values())[::per_row]:
            left = panel.axes if panel.bar_axes is None else panel.bar_axes
            left.set_ylabel("Share of rows", fontsize=_style.LABEL_SIZE)
        self.legend_ = add_legend(strip, looks, entries)
        return self


def _checked_kinds(kinds):
    """Return what is to be compared with the table."""
    unknown = [kind for kind in kinds if kind not in ("reconstruction", "sample")]
    if unknown or not len(kinds):
        raise ValueError(
            f"Got kinds={tuple(kinds)}; expected 'reconstruction', 'sample' or both."
        )
    return kinds


def _made(resolved, kind, n_samples, random_state):
    """Return what the model makes of the table, in the table's units."""
    if resolved.to_data is None:
        raise ValueError(
            "The steps before the model have no exact inverse, so what it makes has no "
            "place beside X. Pass pipeline[-1] and pipeline[:-1].transform(X) to "
            "compare the tables as the model sees them."
        )
    if kind == "reconstruction":
        rows = resolved.model.reconstruct(resolved.inputs)
    else:
        n_samples = len(resolved.inputs) if n_samples is None else n_samples
        rows = resolved.model.sample(n_samples, random_state=random_state)
    return resolved.to_data(rows)


def _named(table, names):
    """Return a table as a DataFrame, an array under these names."""
    if isinstance(table, pd.DataFrame):
        return table
    return pd.DataFrame(np.asarray(table)).infer_objects().set_axis(names, axis=1)


def _categories(resolved):
    """Return which columns a model takes as categories, where it sees them as such."""
    if resolved.inputs is not resolved.data:
        return "from_dtype"
    schema = resolved.model.table_encoder_.schema_
    return [isinstance(schema.columns[p], Boolean | Levels) for p in schema.kept]


def _places(schema, columns, n_columns):
    """Return where the columns to show are."""
    names = schema.names
    if columns is None:
        told = [p for p, column in enumerate(schema.columns) if column.group]
        if not told:
            raise ValueError(f"Got constants and identifiers only: {names}.")
        return told[:n_columns]
    unknown = [column for column in columns if column not in names]
    if unknown or not len(columns):
        raise ValueError(
            f"Got {unknown or 'none'} in columns; expected some of {names}."
        )
    return [names.index(column) for column in dict.fromkeys(columns)]


def _scores(names, frames, is_category):
    """Score each table against the first, column by column."""
    scores = {
        name: shape_score(frames[0], frame, categorical_features=is_category).per_column
        for name, frame in zip(names[1:], frames[1:], strict=True)
    }
    return pd.DataFrame(scores, index=frames[0].columns)
