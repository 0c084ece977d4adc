"""bootstrap.py's decisions, for every system, without installing anything."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
bootstrap = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bootstrap)


def _repo(folder: Path) -> Path:
    (folder / "pyproject.toml").write_text("[project]\n", encoding="utf-8", newline="\n")
    (folder / "constraints.txt").write_text("numpy==2.4.6\ntorch==2.13.0\n", encoding="utf-8", newline="\n")
    return folder


def _setup(root: Path, **changes):
    return bootstrap.Setup(bootstrap.files_hash(root), str(root), "3.11.7", (), "")._replace(**changes)


def test_words_pass_through_untouched():
    """Breaks if bootstrap eats or reorders words meant for ashen or pytest."""
    assert bootstrap.parse(["train", "quick", "--name", "a b"]) == (["train", "quick", "--name", "a b"], "")
    assert bootstrap.parse(["test", "-k", "geometry", "--all"]) == (["test", "-k", "geometry", "--all"], "")


def test_cuda_is_taken_out_wherever_it_stands():
    """Breaks if --cuda reaches ashen, or its version is not read."""
    assert bootstrap.parse(["--cuda", "train"]) == (["train"], bootstrap.DEFAULT_CUDA)
    assert bootstrap.parse(["train", "--cuda=cu126"]) == (["train"], "cu126")
    with pytest.raises(bootstrap.Problem, match="for example"):
        bootstrap.parse(["--cuda=12.6", "train"])


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_files_make_the_setup_stale(tmp_path, name):
    """Breaks if a changed pin or dependency is not installed on the next call."""
    root = _repo(tmp_path)
    stamp = _setup(root)
    assert bootstrap.plan(stamp, bootstrap.wanted(root, stamp, "3.11.7", (), "")) == "ready"
    with (root / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert bootstrap.plan(stamp, bootstrap.wanted(root, stamp, "3.11.7", (), "")) == "install"


def test_line_ends_do_not_make_it_stale(tmp_path):
    """Breaks if a checkout with Windows line ends reinstalls for nothing."""
    root = _repo(tmp_path)
    before = bootstrap.files_hash(root)
    path = root / "constraints.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert bootstrap.files_hash(root) == before


def test_extras_and_cuda_stay_once_installed(tmp_path):
    """Breaks if `train` after `test` or after `--cuda` installs again, or takes the CUDA torch away."""
    root = _repo(tmp_path)
    stamp = _setup(root, extras=("dev",), cuda="cu130")
    wish = bootstrap.wanted(root, stamp, "3.11.7", (), "")
    assert wish.extras == ("dev",)
    assert wish.cuda == "cu130"
    assert bootstrap.plan(stamp, wish) == "ready"
    assert bootstrap.plan(_setup(root), bootstrap.wanted(root, _setup(root), "3.11.7", ("dev",), "")) == "install"


def test_a_broken_or_moved_environment_is_rebuilt(tmp_path):
    """Breaks if a half-made, moved or orphaned .venv is trusted, or a hand-made one is thrown away."""
    root = _repo(tmp_path)
    stamp = _setup(root)
    wish = bootstrap.wanted(root, stamp, "3.11.7", (), "")
    assert bootstrap.plan("unfinished", wish) == "rebuild"
    assert bootstrap.plan("absent", wish._replace(python="")) == "rebuild"
    assert bootstrap.plan("absent", wish) == "install"
    assert bootstrap.plan(stamp._replace(root="elsewhere"), wish) == "rebuild"
    assert bootstrap.plan(stamp, wish._replace(python="3.12.1")) == "rebuild"


def test_stamp_round_trip(tmp_path):
    """Breaks if an installation that was broken off, or a damaged stamp, counts as done."""
    setup = bootstrap.Setup("abc", "root", "3.11.7", ("dev",), "cu130")
    assert bootstrap.read_stamp(tmp_path) == "absent"
    bootstrap.write_stamp(tmp_path, setup, finished=False)
    assert bootstrap.read_stamp(tmp_path) == "unfinished"
    bootstrap.write_stamp(tmp_path, setup, finished=True)
    assert bootstrap.read_stamp(tmp_path) == setup
    for damaged in ("", "[]", json.dumps({"finished": True}), json.dumps({"finished": True, "extras": [], "odd": 1})):
        (tmp_path / "ashen-setup.json").write_text(damaged, encoding="utf-8")
        assert bootstrap.read_stamp(tmp_path) == "unfinished"


def test_programs_of_an_environment():
    """Breaks if programs are looked for in the wrong folder on Windows or elsewhere."""
    assert bootstrap.venv_program(Path("v"), "ashen", windows=True) == Path("v/Scripts/ashen.exe")
    assert bootstrap.venv_program(Path("v"), "ashen", windows=False) == Path("v/bin/ashen")


def test_environment_without_its_python_has_no_version(tmp_path):
    """Breaks if an environment whose Python was uninstalled counts as usable."""
    assert bootstrap.venv_python_version(tmp_path) == ""
    (tmp_path / "pyvenv.cfg").write_text(f"home = {tmp_path}\nversion = 3.11.7\n", encoding="utf-8")
    assert bootstrap.venv_python_version(tmp_path) == ""
    program = bootstrap.venv_program(tmp_path, "python")
    program.parent.mkdir()
    program.touch()
    assert bootstrap.venv_python_version(tmp_path) == "3.11.7"
    (tmp_path / "pyvenv.cfg").write_text("home = /gone/away\nversion = 3.11.7\n", encoding="utf-8")
    assert bootstrap.venv_python_version(tmp_path) == ""


@pytest.mark.parametrize("windows", [True, False])
def test_python_3_11_is_preferred(windows):
    """Breaks if another Python is taken although 3.11 is there, or none although the running one would do."""
    preferred = ["py", "-3.11"] if windows else ["python3.11"]
    both = {"me": (3, 13), preferred[0]: (3, 11)}
    assert bootstrap.choose_python(lambda command: both.get(command[0]), windows, "me") == (preferred, (3, 11))
    assert bootstrap.choose_python(lambda command: {"me": (3, 11)}.get(command[0]), windows, "me") == (["me"], (3, 11))
    assert bootstrap.choose_python(lambda command: {"me": (3, 13)}.get(command[0]), windows, "me") == (["me"], (3, 13))
    with pytest.raises(bootstrap.Problem, match=r"Python 3\.11"):
        bootstrap.choose_python(lambda command: {"me": (3, 10)}.get(command[0]), windows, "me")


def test_probe_knows_the_running_python():
    """Breaks if the question put to a Python cannot be answered or its answer is misread."""
    assert bootstrap.probe([sys.executable]) == sys.version_info[:2]
    assert bootstrap.probe(["no-such-python-anywhere"]) is None


def test_the_cuda_wheel_is_found_on_the_index():
    """Breaks if --cuda takes a wheel of another version, Python or system."""
    page = """
    <a href="/whl/cu130/torch-2.13.0%2Bcu130-cp312-cp312-win_amd64.whl#sha256=1">a</a>
    <a href="/whl/cu130/torch-2.13.0%2Bcu130-cp311-cp311-win_amd64.whl#sha256=2">b</a>
    <a href="/whl/cu130/torch-2.13.0%2Bcu130-cp311-cp311-manylinux_2_28_x86_64.whl#sha256=3">c</a>
    <a href="/whl/cu130/torch-2.13.0%2Bcu130-cp311-cp311t-win_amd64.whl#sha256=4">d</a>
    """
    windows = bootstrap.wheel_link(page, "2.13.0", "cu130", (3, 11), "win_amd64")
    assert windows == "/whl/cu130/torch-2.13.0%2Bcu130-cp311-cp311-win_amd64.whl"
    linux = bootstrap.wheel_link(page, "2.13.0", "cu130", (3, 11), "x86_64")
    assert linux == "/whl/cu130/torch-2.13.0%2Bcu130-cp311-cp311-manylinux_2_28_x86_64.whl"
    assert bootstrap.wheel_link(page, "2.13.1", "cu130", (3, 11), "win_amd64") is None
    assert bootstrap.torch_version(ROOT) == "2.13.0"


def test_progress_says_what_pip_is_doing():
    """Breaks if the line shown for minutes says nothing about the download or the unpacking."""
    log = "Collecting torch==2.13.0 (from ashen)\n  Downloading torch-2.13.0-cp311-cp311-win_amd64.whl (120.9 MB)\n"
    assert bootstrap.phase(log) == "downloading torch-2.13.0-cp311-cp311-win_amd64.whl (120.9 MB)"
    assert bootstrap.phase(log + "Installing collected packages: a, b, c\n") == "unpacking 3 packages"
    assert bootstrap.phase("") == "starting"


def test_plain_causes_are_told_in_one_line(tmp_path):
    """Breaks if a missing network or a full disk is told as a page of pip's output."""
    offline = "WARNING: Retrying ... NameResolutionError\nERROR: Could not find a version that satisfies"
    for log in (offline, "OSError: [Errno 28] No space left on device", "PermissionError: [WinError 32]"):
        assert "\n" not in bootstrap.explain("installing", log, tmp_path)
    assert "odd thing" in bootstrap.explain("installing", "odd thing\n", tmp_path)


@pytest.mark.parametrize("extras", [("dev",), ("dev", "game")])
def test_soulsgym_goes_on_top_without_its_requirements(tmp_path, monkeypatch, extras):
    """Breaks if the tests lack SoulsGym, if its own requirements come with it, or if everybody gets it."""
    commands = []
    monkeypatch.setattr(bootstrap, "run_with_progress", lambda _title, command, _log: commands.append(command))
    bootstrap.install(tmp_path, _setup(_repo(tmp_path), extras=extras), tmp_path / "log")
    assert "game" in bootstrap.EXTRAS["test"]
    assert len(commands) == len(extras)
    assert f".[{','.join(extras)}]" in commands[0] and "soulsgym" not in commands[0]
    assert commands[1:] == [[*commands[0][:7], "--no-deps", "-c", "constraints.txt", "soulsgym"]][: len(extras) - 1]


def test_the_game_is_set_up_by_its_own_word(monkeypatch):
    """Breaks if `--game` installs nothing, or is handed to ashen."""
    asked = []
    monkeypatch.setattr(bootstrap, "prepare", lambda extras, cuda: asked.append((extras, cuda)) or Path("v"))
    monkeypatch.setattr(bootstrap, "run", lambda command, cwd=None: (asked.append(command[1:]) or 0, False))
    assert bootstrap.main(["--game"]) == bootstrap.main(["sweep", "x"]) == 0
    assert asked == [(("game",), ""), (("sweep",), ""), ["sweep", "x"]]


def test_test_steps_end_with_pytest_and_its_words():
    """Breaks if words after `test` do not reach pytest, or pytest's summary is no longer the last."""
    steps = bootstrap.test_steps(Path("v"), ["--all", "-k", "x"])
    assert [name for name, _ in steps] == ["lint", "format", "types", "imports", "tests"]
    assert steps[-1][1][-4:] == ["pytest", "--all", "-k", "x"]


def test_exit_codes_pass_through():
    """Breaks if bootstrap hides how the command ended."""
    assert bootstrap.run([sys.executable, "-c", "raise SystemExit(7)"]) == (7, False)


def test_help_needs_nothing_installed(tmp_path):
    """Breaks if `bootstrap.py --help` starts an installation, or bootstrap.py needs anything beside itself."""
    copy = tmp_path / "bootstrap.py"
    copy.write_bytes((ROOT / "bootstrap.py").read_bytes())
    answer = subprocess.run([sys.executable, "-I", str(copy), "--help"], capture_output=True, text=True, check=True)
    assert "bootstrap.py train" in answer.stdout
    assert list(tmp_path.iterdir()) == [copy]
