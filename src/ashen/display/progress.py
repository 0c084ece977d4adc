"""What one sees while a verb works: in a terminal a line that moves and then goes, elsewhere a line for each part."""

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ashen.display import say

_LOADING = "loading"


class Progress:
    """Says what is going on; use it in a ``with`` block, and print results after that.

    A terminal shows it at once, so that loading is not silent either. Elsewhere a part is told when it begins: a
    mistake that is found before stays the only line.
    """

    def __init__(self) -> None:
        console = Console(stderr=True)
        texts = (TextColumn(f"{{task.{text}}}", markup=False) for text in ("description", "fields[count]"))
        columns = SpinnerColumn(), *texts, BarColumn(bar_width=20), TimeRemainingColumn()
        how = {"console": console, "transient": True, "redirect_stdout": False, "refresh_per_second": 4}
        self._bar = Bar(*columns, **how) if console.is_terminal else None
        self._part = ""

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._task = self._bar.add_task(_LOADING, total=None, count="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Take the moving line away; parts that begin later are told in lines."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, part: str, done: int, total: int, more: Iterable[str] = ()) -> None:
        """Say how far something is.

        Args:
            part: what is done, for example ``"filming to fight.mp4"``; always the same words for the same thing.
            done: how much of it, 0 as it begins.
            total: of how much.
            more: what else is to be said as it begins, a line each.
        """
        is_new, self._part = part != self._part, part
        if is_new:
            if self._bar is None:
                say(part)
            else:
                self._bar.reset(self._task, total=total, description=part)
            for line in more:
                say(line)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, count=f"{done:,} of {total:,}", refresh=is_new)

    def match(self, part: str, fights: int, more: Iterable[str] = ()) -> Callable[[Sequence[object]], None]:
        """What is to be called with the results of a match so far.

        Args:
            part: what is fought.
            fights: how many there may be.
            more: what else is to be said as it begins, a line each.
        """
        return lambda results: self.show(part, len(results), fights, more)
