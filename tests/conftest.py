"""Settings that have to stand before scipy is imported, and what tests share."""

import os

import pytest
import torch

# scikit-learn's array API checks are skipped without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")


@pytest.fixture
def one_thread():
    """One torch thread: the same number here, in threads, and in other processes."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)
