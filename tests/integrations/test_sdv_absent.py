"""What is said where SDV is not installed."""

import importlib
import sys

import pytest


def test_error_tells_how_to_install_sdv(monkeypatch):
    for name in ("sdmetrics.single_table", "sdv.metadata", "sdv.single_table.base"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "skvae.integrations.sdv", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'skvae\[sdv\]'"):
        importlib.import_module("skvae.integrations.sdv")
