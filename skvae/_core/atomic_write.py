"""Files that are there as a whole, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


def write_whole(contents: dict[Path, bytes]):
    """Write files so that nobody ever finds one of them half-written.

    Each is written beside its place and moved there once all of them are on disk, so
    that a crash, a full disk or a lost connection leaves what was there before.

    Parameters
    ----------
    contents : dict of Path to bytes
        The files, and what they hold.

    Raises
    ------
    OSError
        If a folder is missing, cannot be written to, or is full. The class is the one
        that says which.
    """
    with ExitStack() as undo:
        moves = {}
        for path, content in contents.items():
            beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            undo.callback(_remove, beside)
            with _named(path):
                _write(beside, content)
            moves[beside] = path
        for beside, path in moves.items():
            with _named(path):
                os.replace(beside, path)


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Give a path to write to, whose file takes its place when the block succeeds.

    Another process sees the whole file or none, and an interrupted write leaves
    nothing behind under the final name.

    Parameters
    ----------
    path : Path
        The place, in a folder that exists.

    Yields
    ------
    beside : Path
        In the same folder, because a move is one step only within a file system.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        _remove(beside)


def _write(path, content):
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path):
    with suppress(OSError):  # mostly, since it has been moved
        path.unlink()


@contextmanager
def _named(path):
    """Let an error of the system say which file was meant, and what it takes."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"Cannot write the file: {error.strerror}; expected a folder that exists, "
            "may be written to and has room",
            str(path),
        ) from error
