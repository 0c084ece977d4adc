"""The report's page: what files say cannot become HTML, charts are plotly's, and nothing is fetched."""

import json
import re
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest

from ashen.reports.page import charts
from ashen.reports.page.blocks import Chart, Clip, Part, Table, Text
from ashen.reports.page.page import page, safe

EVIL = "<script>alert(1)</script><img src=x onerror=\"alert('2')\">&amp;"


class Tags(HTMLParser):
    """Collects the tags of a page, and what is said outside scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        """Keep words."""
        self.words.append(data)


@pytest.fixture
def evil_page():
    """A page on which every word comes from a wicked file."""
    chart = Chart(EVIL, [charts.line(EVIL, [EVIL], [1.0], "#000000", text=[EVIL])], {"title": {"text": EVIL}})
    table = Table((EVIL,), [(EVIL,)], EVIL)
    parts = [Part(EVIL, EVIL, EVIL, [Text(EVIL), table, chart, Clip(EVIL, EVIL, EVIL), Clip(EVIL, EVIL, None)])]
    return page(EVIL, EVIL, parts)


def test_words_from_files_stay_words(evil_page):
    """Breaks if a run's name, or anything else out of a file, becomes a tag or an attribute of the page."""
    found = Tags(evil_page)
    assert found.tags.count("script") == 3 and "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert sum(EVIL in words for words in found.words) >= 12
    source = dict(found.attributes)["href"]
    assert re.fullmatch(r"[\w%/.;()-]+", source), source


def test_words_in_charts_are_escaped_for_plotly(evil_page):
    """Breaks if a name in a chart can end the script it stands in, or becomes a link in plotly's own HTML."""
    data = re.search(r'<script type="application/json" id="charts">(.*?)</script>', evil_page, re.S)[1]
    assert not set(data) & set("<>&")
    (figure,) = json.loads(data)
    name = figure["traces"][0]["name"]
    assert name.startswith("&lt;script&gt;alert(1)&lt;/script&gt;") and name.endswith("&amp;amp;")
    assert "<" not in json.dumps(figure)
    tree = {"hovertemplate": "<b>", "y": [float("nan"), 1.0, None]}
    assert safe(tree) == {"hovertemplate": "<b>", "y": [None, 1.0, None]}


def test_nothing_is_fetched_and_no_other_script_runs(evil_page):
    """Breaks if the page asks the network for anything, or its policy lets a foreign script run."""
    found = Tags(evil_page)
    policy = next(value for name, value in found.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy and policy.count("'sha256-") == 2 and "http" not in policy
    script = re.search(r"script-src ([^;]*);", policy)[1]
    assert "unsafe" not in script
    assert not [value for name, value in found.attributes if name in ("src", "href") and "//" in (value or "")]


@pytest.mark.parametrize(
    "trace",
    [
        charts.line("a", [1, 2], [1.0, None], "#0072b2", opacity=0.4),
        *charts.band([1, 2], [0.0, 0.1], [1.0, 0.9], "#0072b2"),
        charts.bars("a", [1.0], ["x"], "#0072b2", orientation="h", error_x=charts.errors([0.5], [0.4], [0.6])),
        charts.heat([1], ["y"], [[None]], zmin=0.0),
    ],
)
def test_traces_are_plotlys(trace):
    """Breaks if a trace says something that plotly does not know."""
    go.Figure({"data": [trace]})
