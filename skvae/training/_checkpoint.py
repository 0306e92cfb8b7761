"""Training that is written down after each epoch, so that a killed one goes on."""

import hashlib
import io
from pathlib import Path

import torch
from skorch.callbacks import Callback

from skvae._core.atomic_write import write_whole
from skvae._core.chunking import row_chunks
from skvae._core.errors import CheckpointError

# Rows that are read at once to tell a run from others.
_ROWS = 65_536


class Checkpoint(Callback):
    """Write the state of a net to a file after each epoch, and take it up from there.

    The last of a net's callbacks: what the others do at the end of an epoch is part of
    its state. A file is replaced in one step, so that there is always a whole one.

    Parameters
    ----------
    path : Path
        The file. Its folder is made where there is none.

    resumes : bool
        Whether training goes on from the file, if there is one.
    """

    def __init__(self, path: Path, resumes: bool):
        self.path = path
        self.resumes = resumes

    def on_train_begin(self, net, **kwargs):
        if self.resumes and self.path.exists():
            net.load_training_state(self._read())
        else:
            # So that a folder which cannot be written to is found out before an epoch.
            self._write(net)

    def on_epoch_end(self, net, **kwargs):
        self._write(net)

    def _read(self):
        try:
            return unpacked(self.path.read_bytes())
        except Exception as error:  # of many kinds, depending on what is broken
            raise CheckpointError(
                f"The checkpoint {self.path} cannot be read ({error}); expected a file "
                "that fit wrote. Delete it, or fit with resume=False."
            ) from error

    def _write(self, net):
        content = packed(net.training_state())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole({self.path: content})
        except OSError as error:
            epoch = len(net.history)
            kept = f"; that of epoch {epoch - 1} is kept" if epoch > 0 else ""
            raise CheckpointError(
                f"The checkpoint of epoch {epoch} cannot be written to "
                f"{self.path.parent} ({error.strerror or error}){kept}. Make room or "
                "choose another folder, and fit with resume=True."
            ) from error


def packed(state) -> bytes:
    """Return the state of a net as bytes, which share nothing with the net."""
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


def unpacked(content: bytes):
    """Return the state that was packed, on the CPU.

    It holds tensors, numbers and texts: nothing in the bytes can run code.
    """
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def run_name(settings, matrix, weights) -> str:
    """Return a name for a training run that only the very same run has.

    Parameters
    ----------
    settings : dict
        All that determines the run beside data and weights, in values whose ``repr``
        is the same in every process.

    matrix : ndarray of shape (n_rows, width)
        What it trains on.

    weights : dict of str to Tensor
        What it starts from, and with it what the networks are.

    Returns
    -------
    name : str
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(repr(sorted(settings.items())).encode(), digest_size=16)
    digest.update(str((matrix.shape, matrix.dtype)).encode())
    for rows in row_chunks(len(matrix), _ROWS):  # a memory map is not read at once
        digest.update(matrix[rows].tobytes())
    for name, weight in weights.items():
        digest.update(f"{name}{tuple(weight.shape)}".encode())
        digest.update(weight.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
