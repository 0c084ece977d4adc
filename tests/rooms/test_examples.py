import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))
OPTIONS = {"torchrl_dqn": ["--steps", "1000"]}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:abc")  # TorchRL's own, on being imported
def test_an_example_runs(example, capsys, monkeypatch):
    """Breaks if an example no longer runs against the package, or says nothing."""
    monkeypatch.setattr(sys, "argv", [str(example), *OPTIONS.get(example.stem, [])])
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out.strip()
