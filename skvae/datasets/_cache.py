"""Where loaded tables live on disk, and how they get there unharmed."""

import hashlib
import os
import uuid
from pathlib import Path

import numpy as np
import pandas as pd

#: Environment variable that moves the cache of all loaders.
DATA_HOME_VARIABLE = "SKVAE_DATA_HOME"


def resolve_data_home(data_home: str | os.PathLike | None = None) -> Path:
    """Return the folder that holds one subfolder for each data set.

    The first that is given wins: `data_home`, the environment variable
    ``SKVAE_DATA_HOME``, ``$XDG_CACHE_HOME/skvae``, ``~/.cache/skvae``. Nothing is
    created here: a loader that finds its file never writes.
    """
    if data_home is None:
        data_home = os.environ.get(DATA_HOME_VARIABLE) or None
    if data_home is not None:
        return Path(data_home).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification tells programs to ignore a relative path.
    if not cache.is_absolute():
        cache = Path.home() / ".cache"
    return cache / "skvae"


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file, then move it to `path` in one step.

    Another process sees the whole file or none, and an interrupted write leaves
    nothing behind under the final name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, because os.replace is atomic only within a file system;
    # an ordinary open, not mkstemp, so that a shared cache stays readable by others.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def integer_table_checksum(table: pd.DataFrame) -> str:
    """Return the sha256 of the integers in `table`, whatever file held them.

    Compression, line ends, ``20000`` against ``20000.0`` and the order of the rows
    do not count; the values and the order of the columns do.
    """
    values = table.to_numpy(dtype="<i8")
    # lexsort takes its last key first; reversing makes the first column lead.
    order = np.lexsort(values.T[::-1])
    return hashlib.sha256(np.ascontiguousarray(values[order]).tobytes()).hexdigest()
