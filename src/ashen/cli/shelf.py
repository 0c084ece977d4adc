"""The verb that keeps order among runs: ``ashen runs`` lists them, a word after it changes something."""

import json
from collections.abc import Callable, Sequence

from ashen.core.errors import unknown

_NO_RUN = "it has no tags and no trash; keep it as you keep files"
_WIDEST = 1000
"""Characters that a line of the list may have where it is not read in a terminal."""


def runs(words: Sequence[str]) -> None:
    """List runs, or tag, trash or restore one."""
    if not words or words[0].startswith("-"):
        return _list(words)
    if words[0] not in _WORDS:
        raise unknown("word after ashen runs", words[0], _WORDS)
    return _WORDS[words[0]](words[1:])


def _list(words: Sequence[str]) -> None:
    from ashen.display import say
    from ashen.options.parse import parse
    from ashen.options.shelf import RunsOptions
    from ashen.training.run_list import list_runs

    more = "\n".join([
        "Also, each with --help:",
        *(f"  ashen runs {word:8} {do.__doc__}" for word, do in _WORDS.items()),
    ])
    options = parse(RunsOptions, "runs", words, more_help=more)
    rows, left_out, damaged = list_runs(options.runs_dir, options.sort, options.tag, everything=options.all)
    if options.json:
        for row in rows:
            print(json.dumps(row))
    elif rows:
        from rich.console import Console

        from ashen.display import run_lines, runs_table

        console = Console()
        for table in (runs_table(rows, with_time=True), runs_table(rows, with_time=False)):
            needed = console.measure(table, options=console.options.update(width=_WIDEST)).maximum
            if needed <= console.width or not console.is_terminal:
                console.width = needed
                console.print(table)
                break
        else:
            print("\n".join(line for row in rows for line in run_lines(row, console.width)))
    else:
        say(f"no runs{f' tagged {options.tag}' if options.tag else ''} in {options.runs_dir}")
    if left_out:
        say(f"{left_out} tagged bad are left out; --all shows them")
    for name, reason in damaged.items():
        say(f"{name} cannot be read and is left out: {reason}")


def _tag(words: Sequence[str]) -> None:
    """Put tags on a run: bad leaves it out of the list, keep keeps it out of the trash."""
    _change_tags("tag", words)


def _untag(words: Sequence[str]) -> None:
    """Take tags off."""
    _change_tags("untag", words)


def _change_tags(word: str, words: Sequence[str]) -> None:
    from ashen.options.parse import parse
    from ashen.options.shelf import TagOptions
    from ashen.runs.shelf import change_tags
    from ashen.training.find_run import find_own_run
    from ashen.training.journal import write_journal

    options = parse(TagOptions, f"runs {word}", words)
    run = find_own_run(options.run, options.runs_dir, _NO_RUN)
    tags = change_tags(run, **{"add" if word == "tag" else "remove": options.tags})
    write_journal(run)
    print(f"{run.name}: {', '.join(tags) or 'no tags'}")


def _trash(words: Sequence[str]) -> None:
    """Throw a run away, into a folder from which it can be had back."""
    from ashen.options.parse import parse
    from ashen.options.shelf import TrashOptions
    from ashen.runs.shelf import trash
    from ashen.training.find_run import find_own_run
    from ashen.training.journal import write_journal

    options = parse(TrashOptions, "runs trash", words)
    run = find_own_run(options.run, options.runs_dir, _NO_RUN)
    there = trash(run)
    write_journal(there, was_called=run.name)
    print(f"{run.name} is in {there.path}; get it back with: ashen runs restore {there.name}")


def _restore(words: Sequence[str]) -> None:
    """Bring a run back."""
    from ashen.options.parse import parse
    from ashen.options.shelf import RestoreOptions
    from ashen.runs.shelf import restore
    from ashen.training.journal import write_journal

    options = parse(RestoreOptions, "runs restore", words)
    run = restore(options.run, options.runs_dir, options.name)
    write_journal(run, was_called=options.run)
    print(f"{run.name} is in {run.path}")


_WORDS: dict[str, Callable[[Sequence[str]], None]] = {
    "tag": _tag,
    "untag": _untag,
    "trash": _trash,
    "restore": _restore,
}
