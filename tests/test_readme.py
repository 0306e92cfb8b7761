"""What the README shows runs as it stands there."""

import re
from pathlib import Path

import pytest

from skvae import DataUnavailableError

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_code_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it saves a model
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert blocks
    namespace = {}
    for block in blocks:
        try:
            exec(block, namespace)
        except DataUnavailableError as error:
            pytest.skip(f"The README shows real data: {error}")
    shown = capsys.readouterr().out
    assert "active factors" in shown
    assert "PAY_AMT6" in shown
    assert "'beta'" in shown


def test_linked_files_exist():
    links = re.findall(r"\]\((?!http)([^)\s]+)\)", README.read_text())
    assert links
    missing = [link for link in links if not (README.parent / link).exists()]
    assert not missing
