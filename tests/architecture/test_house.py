"""The house rules that no linter knows: sizes, the README's tree, links and commands in the documents."""

import ast
import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from ashen.cli import VERBS, main

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ashen"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "bootstrap.py"])
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TEXTS = [*SOURCES, *DOCUMENTS, *PACKAGE.rglob("*.toml"), ROOT / "pyproject.toml", ROOT / ".ci" / "run"]
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_files_and_functions_are_short(path: Path):
    """Breaks if a file or a function grows past what one can hold in one's head."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE_LINES
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = {node.name: node.end_lineno - node.lineno + 1 for node in functions}
    assert {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES} == {}


def test_no_unfinished_work_and_no_paths_of_one_machine():
    """Breaks if a note to self, or a path that only exists on somebody's machine, gets in."""
    unfinished = re.compile(r"\b(TODO|FIXME|XXX)\b")
    private = re.compile(r"(?<![\w.~/-])/(work|home|root|Users|opt)/|[A-Z]:\\Users|\.\./shared")
    found = [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in TEXTS
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if unfinished.search(line) or private.search(line)
    ]
    assert not found


def test_readme_tree_is_true():
    """Breaks if the README's tree names a file that is not there or one twice, or leaves a module out."""
    tree = re.search(r"^```\n(ashen/.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)[1]
    named, folders = set(), []
    for indent, entry in re.findall(r"^((?:│   |    )*)[├└]── (.*)$", tree, re.M):
        depth = len(indent) // 4
        for name in re.split(r"\s{2,}", entry)[0].split():
            path = "/".join([*folders[:depth], name.rstrip("/")])
            assert (ROOT / path).exists(), f"the README's tree names {path}, which does not exist"
            assert path not in named, f"the README's tree names {path} twice"
            named.add(path)
            if name.endswith("/"):
                folders[depth:] = [name.rstrip("/")]
    wanted = {_name(path) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    wanted |= {_name(path) for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert wanted - named == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(path: Path):
    """Breaks if a document links to a file that is gone."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def _commands() -> list[tuple[str, str]]:
    """All ashen commands in fenced blocks of the documents: (document, words after ``ashen``)."""
    found = []
    for path in DOCUMENTS:
        for block in re.findall(r"^ *```(?:sh|console)\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.M | re.S):
            for line in block.splitlines():
                match = re.match(r"(?:\$ )?(?:ashen|python bootstrap\.py(?: --cuda(?:=\w+)?)?)\s+([^#]+)", line.strip())
                if match and not match[1].startswith("test"):
                    found.append((_name(path), match[1].strip()))
    return found


def _help(verb: str) -> str:
    """What ``ashen VERB --help`` prints."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        main([verb, "--help"])
    return text.getvalue()


def test_commands_in_the_documents_exist():
    """Breaks if the README or a document tells a command or an option that ashen does not have."""
    wrong = []
    for document, command in _commands():
        verb, *words = shlex.split(command)
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        if verb.startswith("-"):
            continue
        if verb not in VERBS or not options <= set(re.findall(r"--[\w.-]+", _help(verb))):
            wrong.append(f"{document}: {command}")
    assert not wrong
    assert _commands()
