"""Results of a model as Parquet files, for tables that do not fit in memory.

It needs pyarrow (``pip install 'skvae[parquet]'``).
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skvae._core.atomic_write import whole_or_nothing
from skvae._core.chunking import row_chunks
from skvae.tables import TableStream

try:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "skvae.integrations.parquet needs pyarrow; expected it to be installed, by pip "
        f"install 'skvae[parquet]' ({error}).",
        name=error.name,
    ) from error

__all__ = ["apply_to_parquet", "sample_to_parquet"]

# Rows that are drawn and written at once.
_ROWS = 65_536


def apply_to_parquet(method, X, path):
    """Write what a method of a fitted estimator returns for the rows of a stream.

    Parameters
    ----------
    method : callable
        Given some rows, returns a line for each: ``model.transform``,
        ``model.score_samples``, ``model.reconstruct``, ``detector.predict``, or that of
        a Pipeline.

    X : TableStream, path, array or iterable
        The rows, or where `TableStream` finds them.

    path : str or path
        The file to write. One that is there is replaced, once all rows are written.

    Returns
    -------
    n_rows : int
        How many rows were written, in the order of the stream.

    Raises
    ------
    StreamError
        If the rows cannot be read, or are not those of one table.

    ValueError
        If the method does not return a line for each row.

    OSError
        If the file cannot be written. Nothing is left of it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.integrations.parquet import apply_to_parquet
    >>> folder = Path(tempfile.mkdtemp())
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> X.to_parquet(folder / "rows.parquet")
    >>> model = BetaTCVAE(latent_dim=2, max_epochs=3, random_state=0).fit(X)
    >>> apply_to_parquet(
    ...     model.transform, folder / "rows.parquet", folder / "codes.parquet"
    ... )
    1000
    >>> pd.read_parquet(folder / "codes.parquet").columns.tolist()
    ['betatcvae0', 'betatcvae1']
    """
    stream = X if isinstance(X, TableStream) else TableStream(X)
    n_rows = 0
    with whole_or_nothing(Path(path)) as beside, _File(beside) as file:
        for rows in stream:
            lines = _as_frame(method(rows), method)
            if len(lines) != len(rows):
                raise ValueError(
                    f"{_name(method)} returned {len(lines)} lines for {len(rows)} "
                    "rows; expected one for each."
                )
            file.write(lines)
            n_rows += len(lines)
    return n_rows


def sample_to_parquet(model, n_samples, path, *, random_state=None, **settings):
    """Write rows that a model generates.

    Parameters
    ----------
    model : estimator
        Fitted, with a method ``sample``.

    n_samples : int
        How many rows. They are drawn 65,536 at a time, so that of more than that the
        rows are others than ``model.sample(n_samples)`` would return.

    path : str or path
        The file to write. One that is there is replaced, once all rows are written.

    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    **settings : dict
        Others of ``sample``, such as `given`.

    Raises
    ------
    OSError
        If the file cannot be written. Nothing is left of it.
    """
    random_state = check_random_state(random_state)
    with whole_or_nothing(Path(path)) as beside, _File(beside) as file:
        for rows in row_chunks(n_samples, _ROWS):
            n_rows = rows.stop - rows.start
            drawn = model.sample(n_rows, random_state=random_state, **settings)
            file.write(_as_frame(drawn, model.sample))


class _File:
    """A Parquet file whose columns are those of the rows that come first."""

    def __init__(self, path):
        self.path = path
        self.writer = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.writer is not None:
            self.writer.close()

    def write(self, rows):
        """Write some rows."""
        if self.writer is None:
            schema = pa.Schema.from_pandas(rows, preserve_index=False)
            self.writer = ParquetWriter(self.path, _without_nulls(schema))
        table = pa.Table.from_pandas(rows, self.writer.schema, preserve_index=False)
        self.writer.write_table(table)


def _without_nulls(schema):
    """Return a schema in which columns that are missing at first may hold text."""
    for place, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(place, field.with_type(pa.string()))
    return schema


def _as_frame(lines, method):
    """Return what a method returned as a DataFrame."""
    if isinstance(lines, pd.DataFrame):
        return lines.set_axis(lines.columns.map(str), axis=1)
    if isinstance(lines, pd.Series):
        return lines.to_frame(str(lines.name or _name(method)))
    lines = np.asarray(lines)
    if lines.ndim == 1:
        return pd.DataFrame({_name(method): lines})
    return pd.DataFrame(lines, columns=_names(method, lines.shape[1]))


def _names(method, n_columns):
    """Return names of the columns that a method returns."""
    owner = getattr(method, "__self__", None)
    if _name(method) == "transform" and hasattr(owner, "get_feature_names_out"):
        return list(owner.get_feature_names_out())
    return [f"{_name(method)}{number}" for number in range(n_columns)]


def _name(method):
    return getattr(method, "__name__", "value")
