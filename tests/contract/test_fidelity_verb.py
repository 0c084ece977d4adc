"""``ashen fidelity`` from the command line to its page, its JSON and its pictures."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from ashen.cli import main
from ashen.evaluation.fidelity.fitted import FITTED_TO
from ashen.evaluation.fidelity.rows import IN_SAMPLE, Row, as_json
from ashen.options.judging import FidelityOptions
from ashen.options.parse import parse

KEYS = {"name", "real", "value", "error", "tolerance", "passed"}


@pytest.mark.slow
def test_the_verb_measures_writes_and_draws(tmp_path, capsys):
    """Breaks if a promised key, a judged figure, the page or a picture of a recorded fight is missing."""
    page = tmp_path / "page.md"
    words = ["fidelity", "--fast", "--json", "--out", str(page), "--plots", str(tmp_path / "plots")]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"rows"}
    assert all(set(row) == KEYS for row in told["rows"])
    judged = {row["name"]: row for row in told["rows"] if row["passed"] is not None}
    for drift in (
        "boss's place after 1 s, median (m), out of",
        "player's place after 1 s, median (m), motion of the other fight, in",
    ):
        assert judged[f"{drift} sample"]["tolerance"] == "below 0.5"
    assert {f"{name}, {IN_SAMPLE}" for name in FITTED_TO.values()} <= set(judged), "a target of the fit is in sample"
    assert judged["boss's yaw after 1 s, median (degrees), out of sample"]["tolerance"] == "below 5"
    ratio = next(row for row in told["rows"] if row["name"] == "its ratio with the diary's 15 actions")
    assert 0.0 < ratio["error"] < 0.05
    text = page.read_text(encoding="utf-8")
    assert "The attacks that drift most" in text
    assert "The fields that drift most" in text
    thin = re.findall(r"^- (.*): [\d.]+ standard errors", text, re.M)
    assert thin and all(judged[name]["passed"] and judged[name]["error"] for name in thin)
    for number in (0, 1):
        assert f"(plots/recorded-fight-{number}.png)" in text
        with Image.open(tmp_path / "plots" / f"recorded-fight-{number}.png") as picture:
            assert picture.width > 500


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (["--fast"], None),
        ([], Path("docs/fidelity.md")),
        (["--fast", "--out", "x.md"], Path("x.md")),
        (["--out", "x.md"], Path("x.md")),
    ],
)
def test_a_page_that_lacks_figures_is_written_only_where_asked_for(words, page):
    """Breaks if --fast writes over the shipped page, or if a whole measurement or --out no longer writes one."""
    assert parse(FidelityOptions, "fidelity", words).page == page


@pytest.mark.slow
def test_fast_only_prints(tmp_path, capsys, monkeypatch):
    """Breaks if a page is written all the same, not printed, or if it is not said how to have it written."""
    monkeypatch.chdir(tmp_path)
    assert main(["fidelity", "--fast"]) == 0
    said = capsys.readouterr()
    assert "The attacks that drift most" in said.out
    assert "no page is written with --fast" in said.err and "--out FILE" in said.err
    assert list(tmp_path.iterdir()) == []


def test_rows_are_plain_json():
    """Breaks if a NumPy boolean or a lost None gets into what other programs read."""
    import numpy as np

    inside = Row("b", "1 to 2", 1.5, 0.1, "inside", np.bool_(True), (1.0, 2.0))
    rows = [Row("a", 1.0, 2.0, 0.0, "shown", None), inside]
    assert json.loads(json.dumps(as_json(rows)))["rows"] == [
        {"name": "a", "real": 1.0, "value": 2.0, "error": 0.0, "tolerance": "shown", "passed": None},
        {"name": "b", "real": "1 to 2", "value": 1.5, "error": 0.1, "tolerance": "inside", "passed": True},
    ]
