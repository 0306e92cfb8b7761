"""Doctests of what needs an optional package are run where that is installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("sdv") else ["skvae/integrations/sdv.py"]
