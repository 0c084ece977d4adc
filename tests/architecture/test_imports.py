"""Who may import whom, and what must start without torch."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "numba", "gymnasium", "scipy", "matplotlib", "tensorboard", "rich", "tyro", "PIL"}


def _imported_by(code: str) -> set[str]:
    """Top-level modules that a fresh Python has loaded after running ``code``."""
    report = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    run = [sys.executable, "-c", f"{code}\n{report}"]
    answer = subprocess.run(run, capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout.splitlines()[-1]))


def test_contracts_hold(capsys):
    """Breaks if a room imports what the contracts in pyproject.toml forbid, or a new room stands on no floor."""
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_import_ashen_costs_nothing():
    """Breaks if `import ashen` pulls in a library."""
    assert not _imported_by("import ashen") & (HEAVY | {"numpy"})


def test_help_starts_without_libraries():
    """Breaks if `ashen --help` has to wait for torch or any other heavy import."""
    assert not _imported_by("from ashen.cli import main\nmain(['--help'])") & HEAVY


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--nmae", "x"],
        ["train", "ful"],
        ["train", "--name", "taken"],
        ["train", "--parent", "gone"],
        ["train", "--ppo.clip", "-1"],
        ["fork", "taken", "--nmae", "x"],
    ],
)
def test_mistakes_after_train_are_told_before_torch_is_loaded(words, tmp_path):
    """Breaks if whoever mistypes an option, a recipe or a name waits for torch before it is said."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "config.json").write_text("{}", encoding="utf-8")
    call = f"from ashen.cli import main\nassert main({[*words, '--runs-dir', str(tmp_path)]}) == 2"
    assert not _imported_by(call) & {"torch", "matplotlib", "tensorboard"}


def test_nothing_of_ours_is_hidden_by_what_soulsgym_installs():
    """Breaks if we import a package `tests` or `docs`: SoulsGym's wheel puts its own into site-packages."""
    ours = [
        *ROOT.glob("*.py"),
        *(path for room in ("src", "tests", "tools", "examples") for path in (ROOT / room).rglob("*.py")),
    ]
    hidden = re.compile(r"^\s*(?:from|import) (?:tests|docs)\b", re.M)
    assert [path for path in ours if hidden.search(path.read_text(encoding="utf-8"))] == []


def test_environments_start_without_torch():
    """Breaks if somebody who only wants the environments has to load torch, plots or the command line."""
    assert not _imported_by("import ashen.env") & {"torch", "scipy", "matplotlib", "rich", "tyro"}


def test_run_folders_are_read_without_torch():
    """Breaks if films, plots and later faces need torch to read a run."""
    assert "torch" not in _imported_by(
        "import ashen.runs.folder, ashen.runs.fights, ashen.reports.film, ashen.reports.plot"
    )
