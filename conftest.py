"""Doctests of what needs an optional package are run where that is installed."""

import os
import sys
from importlib.util import find_spec

import pytest

# Most tests draw nothing, and should not wait for matplotlib.
os.environ["MPLBACKEND"] = "Agg"

_NEEDED_BY = {
    "sdv": "skvae/integrations/sdv.py",
    "pyarrow": "skvae/integrations/parquet.py",
}
collect_ignore = [path for name, path in _NEEDED_BY.items() if not find_spec(name)]


@pytest.fixture(autouse=True)
def _close_figures():
    """Displays leave their figures open, in doctests, too."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
