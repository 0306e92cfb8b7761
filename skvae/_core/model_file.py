"""The file that a model travels in: one of safetensors, with a text in its header.

The arrays are the tensors of the file. The text, in JSON, has the format and its
version, with what the file was written, the tree of the model (`skvae._core.storing`),
and a checksum of all this and of the tensors. The checksum tells of damage and not of
intent: whoever writes a file can write the checksum, too.
"""

import hashlib
import json
import platform
from collections.abc import Callable
from importlib.metadata import version

from safetensors import safe_open
from safetensors.numpy import save

from skvae._core.errors import ModelFileError
from skvae._core.storing import short

FORMAT, VERSION = "skvae model", 1
# From the text of a version to that of the next. Whoever changes what is in a file, be
# it the name of a field, raises VERSION, adds the way there, and stores a file of the
# version before among the tests.
MIGRATIONS: dict[int, Callable[[dict], dict]] = {}
# What safetensors reads of a header at most, and about what a tensor takes there.
_MOST_HEADER, _LINE = 100_000_000, 200
_PACKAGES = ("skvae", "torch", "skorch", "scikit-learn", "numpy", "pandas", "scipy")


def written_with() -> dict:
    """Return the versions of all that a model depends on."""
    return {"python": platform.python_version()} | {p: version(p) for p in _PACKAGES}


def to_bytes(tree, arrays) -> bytes:
    """Return the file of a tree and the arrays that it names.

    Parameters
    ----------
    tree : object
        In values that JSON can hold.

    arrays : dict of str to ndarray
        Of numbers, row by row in memory.

    Returns
    -------
    content : bytes
        The same for the same model and versions.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "written_with": written_with(),
        "model": tree,
    }
    text = signed(document, arrays)
    if len(json.dumps(text)) + _LINE * len(arrays) > _MOST_HEADER:
        raise ModelFileError(
            "The description of the model takes more than 100 MB; expected less. A "
            "column of very many categories may be an identifier: drop it."
        )
    return save(arrays, {"skvae": text})


def signed(document, arrays) -> str:
    """Return the text of a document, with the checksum of it and of arrays."""
    document = {"sha256": "", **document}
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return text.replace('""', f'"{_checksum(text, arrays)}"', 1)


def _checksum(text, arrays):
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


def read(path) -> tuple[dict, dict]:
    """Return the text and the arrays of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    document : dict
        As this version writes it, whatever version the file has: the tree is its
        ``"model"``.

    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    ModelFileError
        If the file is damaged, is no model's, or of a version yet unknown.

    OSError
        If there is no such file, or it may not be read.
    """
    with path.open("rb"):  # whose error says why, where it is none of ours
        pass
    try:
        # It checks all sizes in the header against that of the file.
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("skvae")
            document = _document(text)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found = document["sha256"]
        if found != _checksum(text.replace(found, "", 1), arrays):
            raise ModelFileError("Its checksum is not that of its content.")
        return migrated(document, MIGRATIONS), arrays
    except ModelFileError as error:
        raise ModelFileError(f"{path} cannot be read. {error}") from error
    except Exception as error:  # whatever a parser says of what somebody made up
        raise ModelFileError(
            f"{path} is no model file of skvae, or a damaged one ({error})."
        ) from error


def _document(text):
    """Return what the text in the header says."""
    if text is None:
        raise ModelFileError("It is a file of safetensors, but not one of skvae.")
    document = json.loads(text, parse_constant=_refuse)
    if document["format"] != FORMAT:
        raise ModelFileError(f"Its header is not that of a {FORMAT}.")
    found = document["version"]
    if type(found) is not int or not 1 <= found <= VERSION:
        raise ModelFileError(
            f"It has version {short(found)} of the format; expected 1 to {VERSION}. "
            "Upgrade skvae to read it; it was written with "
            f"{short(document['written_with'], 200)}."
        )
    if set(document) != {"sha256", "format", "version", "written_with", "model"}:
        raise ModelFileError(f"Its header is not that of a {FORMAT} {VERSION}.")
    return document


def _refuse(constant):
    raise ValueError(f"{constant} is no number of JSON")


def migrated(document, migrations) -> dict:
    """Return a text as the latest version has it.

    Parameters
    ----------
    document : dict
        Of any version.

    migrations : dict of int to callable
        From the text of a version to that of the next.

    Returns
    -------
    document : dict
        Of a version that has no further way.
    """
    while document["version"] in migrations:
        number = document["version"]
        document = {**migrations[number](document), "version": number + 1}
    return document
