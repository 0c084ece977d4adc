"""What a section of the page is made of. Blocks hold plain words, never HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ashen.core.percent import percent, with_interval


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        heads: names of the columns.
        rows: their cells; the first column is words, the others are figures.
        note: stands under it.
        is_words: all columns are words.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    is_words: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure of plotly.

    Args:
        title: stands above it.
        traces: as plotly takes them. Words in them may come from files, but not in a ``hovertemplate``.
        layout: the same; colours of text and axes are the page's.
        height_px: of the figure.
        is_wide: it takes the whole width of the page.
    """

    title: str
    traces: Sequence[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    height_px: int = 300
    is_wide: bool = False


@dataclass(frozen=True)
class Clip:
    """A film.

    Args:
        title: stands above it.
        text: stands under it.
        path: of the film from the page, with slashes; None if it was not made.
    """

    title: str
    text: str
    path: str | None


Block = Text | Table | Chart | Clip


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Args:
        key: its address on the page, a plain word.
        title: its heading.
        hint: how to read it.
        blocks: what it shows.
    """

    key: str
    title: str
    hint: str
    blocks: Sequence[Block]


def interval(rate: float | None, low: float | None, high: float | None) -> str:
    """A share with its 95 % interval, for reading."""
    if rate is None:
        return "-"
    return percent(rate) if low is None or high is None else with_interval(rate, low, high)
