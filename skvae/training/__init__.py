"""How training runs: batches, warm-up, stopping, progress."""

from skvae.training import _stored_net  # noqa: F401 (registers how nets are stored)
from skvae.training._checkpoint import packed
from skvae.training._matrix_stream import MatrixStream
from skvae.training._net import Net
from skvae.training._train import TrainingPlan, train, train_epoch

__all__ = ["MatrixStream", "Net", "TrainingPlan", "packed", "train", "train_epoch"]
