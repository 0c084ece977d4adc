"""The page itself: blocks to HTML, with everything it needs inside, and nothing from anywhere else."""

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from ashen.reports.page.blocks import Block, Chart, Clip, Part, Table, Text

MARK: Final = '<meta name="generator" content="ashen report">'
"""Stands at the head of every report."""
_VERBATIM: Final = ("hovertemplate", "texttemplate")
"""What in a chart is plotly's own language and holds nothing from files."""


def page(title: str, subtitle: str, parts: Sequence[Part]) -> str:
    """Write a page.

    Args:
        title: its name.
        subtitle: stands under it.
        parts: its sections.

    Returns:
        The HTML. Its content security policy lets no script run but its own two, and nothing be fetched but films
        beside it, so that words from files cannot do anything even if they got in unescaped.
    """
    charts: list[Chart] = []
    sections = "\n".join(_section(part, charts) for part in parts)
    links = "".join(f'<a href="#{escape(part.key)}">{escape(part.title)}</a>' for part in parts)
    scripts = (_plotly(), _own("page.js"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{MARK}
<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{_own("page.css")}</style>
</head>
<body>
<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p><nav>{links}</nav></header>
<main>
{sections}
</main>
<script type="application/json" id="charts">{_data(charts)}</script>
<script>{scripts[0]}</script>
<script>{scripts[1]}</script>
</body>
</html>
"""


def _section(part: Part, charts: list[Chart]) -> str:
    blocks = "\n".join(_block(block, charts) for block in part.blocks)
    hint = f'<p class="hint">{escape(part.hint)}</p>' if part.hint else ""
    head = f'<section id="{escape(part.key)}"><h2>{escape(part.title)}</h2>{hint}'
    return f'{head}\n<div class="blocks">{blocks}</div></section>'


def _block(block: Block, charts: list[Chart]) -> str:
    if isinstance(block, Text):
        return f'<p class="wide">{escape(block.text)}</p>'
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Clip):
        return _clip(block)
    charts.append(block)
    wide = " wide" if block.is_wide else ""
    plot = f'<div class="chart" data-chart="{len(charts) - 1}" style="height:{block.height_px}px"></div>'
    return f'<figure class="block{wide}"><figcaption>{escape(block.title)}</figcaption>{plot}</figure>'


def _table(table: Table) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    note = f'<p class="hint">{escape(table.note)}</p>' if table.note else ""
    words = ' class="words"' if table.is_words else ""
    body = f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="wide scroll"><table{words}>{body}</table>{note}</div>'


def _clip(clip: Clip) -> str:
    words = f"<p>{escape(clip.text)}</p>"
    if clip.path is not None:
        source = escape(quote(clip.path))
        link = f'<p><a href="{source}">{escape(clip.path)}</a></p>'
        words = f'<video controls preload="none" src="{source}"></video>{link}{words}'
    return f'<figure class="block"><figcaption>{escape(clip.title)}</figcaption>{words}</figure>'


def _data(charts: Sequence[Chart]) -> str:
    """The charts as JSON that can stand inside a script element."""
    figures = [{"traces": safe(list(chart.traces)), "layout": safe(chart.layout)} for chart in charts]
    text = json.dumps(figures, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def safe(tree: Any, key: str = "") -> Any:
    """A part of a chart for plotly, which reads some HTML in words: they are escaped; unknown numbers are null."""
    if isinstance(tree, dict):
        return {name: safe(value, name) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [safe(value) for value in tree]
    if isinstance(tree, str):
        return tree if key in _VERBATIM else escape(tree, quote=False)
    if isinstance(tree, float) and not math.isfinite(tree):
        return None
    return tree


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    )
    allowed = "style-src 'unsafe-inline'; img-src data: blob:; media-src 'self' file:"
    return f"default-src 'none'; script-src {hashes}; {allowed}; base-uri 'none'; form-action 'none'"


def _own(name: str) -> str:
    return files("ashen.reports.page").joinpath(name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    """plotly.js, some 5 MB."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()
