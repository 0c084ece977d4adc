"""Set ashen up and run it; needs nothing but Python.

    python bootstrap.py train            train an agent (any word but test goes to the ashen command)
    python bootstrap.py test             lint, types, imports and the quick tests; further words go to pytest
    python bootstrap.py test --all       the slow tests too
    python bootstrap.py --cuda train     the same with PyTorch for Nvidia cards; --cuda=cu126 for cards before 2018
    python bootstrap.py --game           SoulsGym too, for the real game, on Python 3.11; then ashen doctor

The first call makes .venv beside this file and installs the tested set of packages into it, which takes minutes;
later calls start at once. The folder .venv belongs to this script and can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
PYTHON = (3, 11)  # the oldest that will do, and the one to prefer
TORCH_INDEX = "https://download.pytorch.org/whl"
DEFAULT_CUDA = "cu130"
# What a first word needs beside ashen itself.
EXTRAS = {"test": ("dev", "game"), "sweep": ("sweep",), "export": ("minari",), "fleet": ("fleet",)}
NETWORK_SIGNS = re.compile("ConnectionError|ConnectionReset|ResolutionError|Timeout|ProxyError|SSLError|getaddrinfo")


class Problem(Exception):
    """Something the user has to mend, told in one line."""


class Setup(NamedTuple):
    """What is, or should be, installed: the stamp in .venv."""

    files: str
    root: str
    python: str
    extras: tuple[str, ...]
    cuda: str


def parse(arguments: list[str]) -> tuple[list[str], str, bool]:
    """Split off our own options: the other words as they stand, CUDA's name such as "cu130" or "", and ``--game``."""
    ours = [word for word in arguments if re.fullmatch(r"--game|--cuda(=.*)?", word)]
    cuda = next((word.partition("=")[2] or DEFAULT_CUDA for word in ours if word != "--game"), "")
    if cuda and not re.fullmatch(r"cu\d{3}", cuda):
        raise Problem(f"--cuda={cuda}: give the CUDA version as PyTorch names it, for example --cuda={DEFAULT_CUDA}")
    return [word for word in arguments if word not in ours], cuda, "--game" in ours


def files_hash(root: Path) -> str:
    """Hash of the two files that say what has to be installed."""
    files = (root / name for name in ("pyproject.toml", "constraints.txt"))
    text = b"\0".join(path.read_bytes().replace(b"\r\n", b"\n") for path in files)
    return hashlib.sha256(text).hexdigest()[:16]


def venv_program(venv: Path, name: str, windows: bool = os.name == "nt") -> Path:
    """Path of a program inside a virtual environment."""
    return venv / "Scripts" / f"{name}.exe" if windows else venv / "bin" / name


def venv_python_version(venv: Path) -> str:
    """The Python version a virtual environment was made with, "" if it or its Python is gone."""
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return ""
    settings = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    whole = Path(settings.get("home", "?")).is_dir() and venv_program(venv, "python").exists()
    return settings.get("version", settings.get("version_info", "")) if whole else ""


def read_stamp(venv: Path) -> Setup | str:
    """What was installed; "absent" if nothing says so, "unfinished" if an installation was broken off."""
    try:
        stamp = json.loads((venv / "ashen-setup.json").read_text(encoding="utf-8"))
        finished, extras = stamp.pop("finished"), tuple(stamp.pop("extras"))
        return Setup(extras=extras, **stamp) if finished else "unfinished"
    except FileNotFoundError:
        return "absent"
    except (OSError, ValueError, TypeError, KeyError):
        return "unfinished"


def write_stamp(venv: Path, setup: Setup, finished: bool) -> None:
    """Note what is being, or has been, installed."""
    (venv / "draft.json").write_text(json.dumps({**setup._asdict(), "finished": finished}), encoding="utf-8")
    os.replace(venv / "draft.json", venv / "ashen-setup.json")


def wanted(root: Path, stamp: Setup | str, python: str, extras: Iterable[str], cuda: str) -> Setup:
    """What should be installed: what is asked for now and, of what stands, the extras and the kind of torch."""
    kept = stamp if isinstance(stamp, Setup) else Setup("", "", "", (), "")
    everything = tuple(sorted({*kept.extras, *extras}))
    return Setup(files_hash(root), str(root), python, everything, cuda or kept.cuda)


def plan(stamp: Setup | str, wish: Setup, exact: bool = False) -> str:
    """One of "ready", "install" (on top of what stands) and "rebuild" (from nothing)."""
    if not wish.python or stamp == "unfinished" or (exact and not wish.python.startswith("3.11.")):
        return "rebuild"
    if stamp == "absent":
        return "install"
    if stamp.root != wish.root or stamp.python != wish.python:
        return "rebuild"
    return "ready" if stamp == wish else "install"


def probe(command: list[str]) -> tuple[int, int] | None:
    """Version of the 64-bit Python behind a command, None if there is none."""
    code = "import sys, venv; print(*sys.version_info[:2], sys.maxsize > 2**32)"
    try:
        answer = subprocess.run([*command, "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stdout.split()
    return (int(words[0]), int(words[1])) if answer.returncode == 0 and words[2:] == ["True"] else None


def choose_python(
    find: Callable, windows: bool, running: str, exact: bool = False
) -> tuple[list[str], tuple[int, int]]:
    """The Python to build on and its version: 3.11 if there is one (see probe), else, unless exact, a newer one."""
    name = "{}.{}".format(*PYTHON)
    preferred = ["py", f"-{name}"] if windows else [f"python{name}"]
    for command in ([running], preferred):
        if find(command) == PYTHON:
            return command, PYTHON
    version = find([running])
    if version and version >= PYTHON and not exact:
        return [running], version
    advice = f"winget install Python.Python.{name}" if windows else f"python{name} and python{name}-venv of your system"
    raise Problem(f"this needs 64-bit Python {name}: get it from https://www.python.org/downloads, or {advice}")


def torch_version(root: Path) -> str:
    """The version of torch in constraints.txt."""
    return re.search(r"^torch==(\S+)", (root / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]


def wheel_link(page: str, version: str, cuda: str, python: tuple[int, int], system: str) -> str | None:
    """The link to the wheel that fits, on a page of PyTorch's index; ``system`` ends its name (win_amd64, x86_64)."""
    tag = "cp{}{}".format(*python)
    pattern = rf'href="([^"#]*/torch-{re.escape(version)}(?:\+|%2B){cuda}-{tag}-{tag}-[^"#]*{system}\.whl)'
    return next(iter(re.findall(pattern, page)), None)


def announce_cuda(version: str, cuda: str, python: tuple[int, int]) -> None:
    """Say which wheel ``--cuda`` takes and how large it is, before anything is downloaded."""
    if sys.platform == "darwin":
        raise Problem("--cuda: there is no CUDA on macOS; leave it out")
    page_url = f"{TORCH_INDEX}/{cuda}/torch/"
    system = "win_amd64" if os.name == "nt" else platform.machine()
    try:
        with urllib.request.urlopen(page_url, timeout=30) as page:
            link = wheel_link(page.read().decode(), version, cuda, python, system)
        if link is None:
            raise Problem(f"{page_url} has no torch {version} for Python {python[0]}.{python[1]} on {system}")
        head = urllib.request.Request(urllib.parse.urljoin(page_url, link), method="HEAD")
        with urllib.request.urlopen(head, timeout=30) as answer:
            size = int(answer.headers.get("Content-Length", 0))
    except urllib.error.HTTPError as error:
        raise Problem(f"{error.url} answers {error.code}; is there a CUDA version {cuda} of torch {version}?") from None
    except OSError as error:
        raise Problem(f"cannot reach {page_url} ({error}); check the network or proxy and try again") from None
    name = urllib.parse.unquote(link.rsplit("/", 1)[-1])
    say(f"PyTorch for CUDA: {name}, {size / 1e9:.1f} GB" + ("" if os.name == "nt" else ", and Nvidia's libraries"))


def say(text: str) -> None:
    """Tell the user something on standard error, which leaves standard output to the command that runs."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def phase(log: str) -> str:
    """What pip is doing, from its log: a few words."""
    for line in reversed(log.splitlines()):
        words = line.split()
        if line.startswith("Installing collected packages"):
            return f"unpacking {len(words) - 3} packages"
        if len(words) > 1 and words[0] in ("Collecting", "Downloading", "Using", "Building", "Processing"):
            name = words[2] if words[0] == "Using" else words[1]
            size = " ".join(words[-2:]) if words[0] == "Downloading" and words[-1].endswith("B)") else ""
            return f"{words[0].lower()} {name.rsplit('/', 1)[-1][:60]} {size}".strip()
    return "starting"


def run_with_progress(title: str, command: list[str], log_path: Path) -> None:
    """Run a command of minutes with its output in a log, and show that it goes on.

    Raises:
        Problem: the command failed.
    """
    start, told = time.monotonic(), -15.0
    with log_path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=ROOT)
    try:
        while process.poll() is None:
            seconds = time.monotonic() - start
            line = f"bootstrap: {title}: {seconds:.0f} s, {phase(read_log(log_path))}"
            if sys.stderr.isatty():
                width = shutil.get_terminal_size().columns - 1
                print("\r" + line[:width].ljust(width), end="", file=sys.stderr, flush=True)
            elif seconds - told >= 15:
                told = seconds
                print(line, file=sys.stderr, flush=True)
            time.sleep(0.2)
    finally:
        print("\r" if sys.stderr.isatty() else "", end="", file=sys.stderr)
        process.terminate()
        process.wait()
    if process.returncode:
        raise Problem(explain(title, read_log(log_path), log_path))
    say(f"{title}: done in {time.monotonic() - start:.0f} s".ljust(78 if sys.stderr.isatty() else 0))


def read_log(path: Path) -> str:
    """The log so far; what is no UTF-8 in it does not matter."""
    return path.read_text(encoding="utf-8", errors="replace")


def explain(title: str, log: str, log_path: Path) -> str:
    """Why an installation failed: one line where the cause is plain, else the end of the log too."""
    tail = log.splitlines()[-15:]
    if NETWORK_SIGNS.search(" ".join(tail)):
        return f"{title} failed: cannot reach the package index; check the network or proxy, then repeat ({log_path})"
    if "No space left on device" in log or "WinError 112" in log:
        return f"{title} failed: the disk is full; make room under {log_path.parent}"
    if "PermissionError" in log:
        return f"{title} failed: a program uses .venv; close it, or leave the environment with deactivate, and repeat"
    if "ensurepip" in log:
        return f"{title} failed: this Python has no venv; install it (Debian, Ubuntu: sudo apt install python3-venv)"
    return "\n  ".join([f"{title} failed, the log {log_path} ends so:", *tail])


def prepare(extras: tuple[str, ...], cuda: str, exact: bool) -> Path:
    """Make or mend .venv if need be, with no other Python than 3.11 if ``exact``, and return its path."""
    venv = ROOT / ".venv"
    stamp = read_stamp(venv)
    wish = wanted(ROOT, stamp, venv_python_version(venv), extras, cuda)
    step = plan(stamp, wish, exact)
    if step == "ready":
        return venv
    say(f"setting up {venv}, which takes some minutes")
    log = ROOT / "build" / "bootstrap.log"
    log.parent.mkdir(exist_ok=True)
    if step == "rebuild":
        command, version = choose_python(probe, os.name == "nt", sys.executable, exact)
        title = "making .venv with Python {}.{}".format(*version)
        run_with_progress(title, [*command, "-m", "venv", "--clear", str(venv)], log)
        wish = wish._replace(python=venv_python_version(venv))
    install(venv, wish, log)
    return venv


def install(venv: Path, wish: Setup, log: Path) -> None:
    """Install the tested set into .venv; a stamp that stays unfinished makes the next call begin anew."""
    pip = [str(venv_program(venv, "python")), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    target = f".[{','.join(wish.extras)}]" if wish.extras else "."
    # Compiling every file of torch and its like takes a minute; Python compiles those it uses when it first does.
    words = ["--no-compile", "-c", "constraints.txt", "-e", target]
    if wish.cuda:
        version = torch_version(ROOT)
        announce_cuda(version, wish.cuda, tuple(int(part) for part in wish.python.split(".")[:2]))
        words += [f"torch=={version}+{wish.cuda}", "--extra-index-url", f"{TORCH_INDEX}/{wish.cuda}"]
    write_stamp(venv, wish, finished=False)
    run_with_progress("installing packages", [*pip, *words], log)
    if "game" in wish.extras:  # what it needs stands in the extra; its own requirements are too old
        run_with_progress("installing SoulsGym", [*pip, "--no-deps", "-c", "constraints.txt", "soulsgym"], log)
    write_stamp(venv, wish, finished=True)


def run(command: list[str], cwd: Path | None = None) -> tuple[int, bool]:
    """Run a command to its end; returns its exit code and whether Ctrl-C was pressed (the command answers it)."""
    process = subprocess.Popen(command, cwd=cwd)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    interrupted = False
    while True:
        try:
            code = process.wait()
            return (code if code >= 0 else 128 - code), interrupted
        except KeyboardInterrupt:
            interrupted = True


def test_steps(venv: Path, words: list[str]) -> list[tuple[str, list[str]]]:
    """The steps of ``test``: name and command, pytest last."""
    python = [str(venv_program(venv, "python")), "-m"]
    return [
        ("lint", [*python, "ruff", "check", "."]),
        ("format", [*python, "ruff", "format", "--check", "."]),
        ("types", [*python, "mypy"]),
        ("imports", [str(venv_program(venv, "lint-imports")), "--no-logo"]),
        ("tests", [*python, "pytest", *words]),
    ]


def run_tests(venv: Path, words: list[str]) -> int:
    """Run every step, also after a failure; 1 if any failed."""
    results = []
    for name, command in test_steps(venv, words):
        print(f"== {name}", flush=True)
        start = time.monotonic()
        code, interrupted = run(command, ROOT)
        if interrupted:
            return 130
        results.append(f"{name} {'FAILED' if code else 'ok'} ({time.monotonic() - start:.0f} s)")
    print("== " + ", ".join(results), flush=True)
    return int(any("FAILED" in result for result in results))


def main(arguments: list[str]) -> int:
    """Do what the command line says; returns the exit code of what ran."""
    try:
        words, cuda, game = parse(arguments)
        words = words or ["doctor" if game else "--help"]
        if words[0] in ("-h", "--help"):
            print(__doc__.strip(), flush=True)
            ashen = venv_program(ROOT / ".venv", "ashen")
            return run([str(ashen), "--help"])[0] if ashen.exists() else 0
        venv = prepare((*EXTRAS.get(words[0], ()), *(["game"] if game else [])), cuda, game and os.name == "nt")
        return run_tests(venv, words[1:]) if words[0] == "test" else run([str(venv_program(venv, "ashen")), *words])[0]
    except Problem as problem:
        say(str(problem))
        return 2
    except KeyboardInterrupt:
        say("stopped; the next call takes it up again")
        return 130
    except OSError as error:
        say(f"{error}; close programs that use .venv, or delete it, and repeat")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
