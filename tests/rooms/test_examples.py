import re
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
    said = capsys.readouterr().out
    assert said.strip()
    assert example.stem != "fight_through_gymnasium" or re.search(r"outcome: (win|loss|timeout)$", said.strip())


def test_torchrl_example_says_what_to_install(capsys, monkeypatch):
    """Breaks if the example is a traceback where TorchRL is not installed, or does not say which extra it is in."""
    monkeypatch.setitem(sys.modules, "tensordict", None)  # as if it were not there
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLES[0].with_name("torchrl_dqn.py")), run_name="__main__")
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.count("\n") == 1
    assert said.startswith("tensordict is missing") and '".[peers]"' in said
