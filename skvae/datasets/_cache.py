"""Where loaded data sets live on disk, and how they get there unharmed."""

import hashlib
import os
import shutil
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd

from skvae._core.atomic_write import whole_or_nothing
from skvae._core.errors import DataUnavailableError

#: Environment variable that moves the cache of all loaders.
DATA_HOME_VARIABLE = "SKVAE_DATA_HOME"

# Seconds without a byte before a server counts as silent.
_TIMEOUT = 60


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
    """Write `content` to a file that is there as a whole or not; make its folder."""
    _make_folder(path.parent)
    with whole_or_nothing(path) as temporary:
        temporary.write_bytes(content)


def _make_folder(folder: Path) -> None:
    """Make the folder of a data set, or say that its data home is of no use."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("it may not be written to")
    except OSError as error:
        raise DataUnavailableError(
            f"The folder {folder} cannot take a file ({error}). Name another data home "
            f"with data_home= or the environment variable {DATA_HOME_VARIABLE}."
        ) from error


def read_or_download(
    path: Path,
    url: str,
    read: Callable[[Path, Path | str], Any],
    *,
    download_if_missing: bool,
) -> Any:
    """Return what `read` makes of the file at `path`, fetched from `url` if missing.

    `read` is called with the path of a file and with its source, which its errors
    name. It raises a ValueError for anything but the published content; a download
    comes to lie at `path` only after `read` has accepted it.
    """
    if path.exists():
        return read(path, path)
    remedy = (
        f"put {path.name} into the folder {path.parent.name!r} of a data home and name "
        f"that data home with data_home= or the environment variable "
        f"{DATA_HOME_VARIABLE}."
    )
    if not download_if_missing:
        raise DataUnavailableError(
            f"There is no file {path}. Pass download_if_missing=True to fetch it from "
            f"{url}, or {remedy}"
        )
    # Some servers turn away whoever comes under urllib's own name.
    request = Request(url, headers={"User-Agent": "skvae"})
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:
            _make_folder(path.parent)
            with whole_or_nothing(path) as temporary:
                with temporary.open("wb") as file:
                    shutil.copyfileobj(response, file)
                return read(temporary, url)
    except DataUnavailableError:
        raise
    except (OSError, HTTPException) as error:
        raise DataUnavailableError(
            f"There is no file {path}, and {url} could not be downloaded "
            f"({type(error).__name__}: {error}). Connect to the network, or {remedy}"
        ) from error


def check_content(
    content: bytes, algorithm: str, expected: str, source: Path | str
) -> bytes:
    """Return `content` if it has the `expected` checksum, else name its `source`."""
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise ValueError(
            f"{source} does not hold what was published: the {algorithm} of its "
            f"content is {found}, expected {expected}. Remove or replace it."
        )
    return content


def integer_table_checksum(table: pd.DataFrame) -> str:
    """Return the sha256 of the integers in `table`, whatever file held them.

    Compression, line ends, ``20000`` against ``20000.0`` and the order of the rows
    do not count; the values and the order of the columns do.
    """
    values = table.to_numpy(dtype="<i8")
    # lexsort takes its last key first; reversing makes the first column lead.
    order = np.lexsort(values.T[::-1])
    return hashlib.sha256(np.ascontiguousarray(values[order]).tobytes()).hexdigest()
