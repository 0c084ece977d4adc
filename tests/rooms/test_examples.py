import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example, capsys):
    """Breaks if an example no longer runs against the package, or says nothing."""
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out.strip()
