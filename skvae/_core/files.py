"""Files that are either written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path, content: bytes) -> None:
    """Write a file so that whoever reads it sees the old content or the new one.

    The content goes to a file beside it first, which then takes its name. A process
    that is killed on the way leaves the old file as it was.

    Parameters
    ----------
    path : path-like
        The file, in a folder that exists.

    content : bytes
        What it is to hold.

    Raises
    ------
    OSError
        If the folder cannot be written to, or the disk is full. The old file stays.
    """
    path = Path(path)
    # Another process may be at the same file.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
