"""Doctests of what needs an optional package are run where that is installed."""

import os
import sys
from importlib.util import find_spec

import pytest

# Most tests draw nothing, and should not wait for matplotlib.
os.environ["MPLBACKEND"] = "Agg"

collect_ignore = [] if find_spec("sdv") else ["skvae/integrations/sdv.py"]


@pytest.fixture(autouse=True)
def _close_figures():
    """Displays leave their figures open, in doctests, too."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
