"""The search for guesses touches guesses only, stays in their ranges, and leaves readable tables."""

import importlib.util
from pathlib import Path

import pytest

from ashen.core.tables import load_facts, plain, walk

TOOL = Path(__file__).parents[2] / "tools" / "fit_guesses.py"


@pytest.fixture(scope="module")
def tool():
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("fit_guesses", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class AtShare:
    """A trial that takes every number at the same share of its bounds."""

    def __init__(self, share: float):
        self.share = share

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """The number at that share."""
        return low + self.share * (high - low)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_search_stays_within_the_ranges_of_guesses(tool, share):
    """Breaks if a measured number is touched, a range is left, or what is searched depends on the present values."""
    facts = dict(walk({name: load_facts(path) for name, path in tool.FILES.items()}))
    values = tool.changed(AtShare(share), facts)
    assert len(values) > 30
    for path, value in values.items():
        assert facts[path].confidence in "IG", path
        assert facts[path].range[0] - 1e-3 <= value <= facts[path].range[1] + 1e-3, path


def test_found_numbers_are_written_where_they_belong(tool, tmp_path):
    """Breaks if another number changes, a source is not marked FIT, or a confidence or a range is lost."""
    trees = {name: load_facts(path) for name, path in tool.FILES.items()}
    facts = dict(walk(trees))
    values = {path: round(value + 0.001, 3) for path, value in tool.changed(AtShare(0.25), facts).items()}
    for name, path in tool.FILES.items():
        text = path.read_text(encoding="utf-8")
        for full, value in values.items():
            if full.startswith(f"{name}."):
                text = tool.replaced(text, full.removeprefix(f"{name}."), value)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
        after = load_facts(tmp_path / path.name)
        wanted = tool.with_values(plain(trees), values)[name]
        assert plain(after) == wanted
        for full, fact in walk({name: after}):
            before = facts[full]
            assert (fact.confidence, fact.range) == (before.confidence, before.range), full
            assert (fact.source == before.source) or ("FIT" in fact.source and full in values), full


def test_a_number_that_is_not_there_is_an_error(tool):
    """Breaks if a misspelt path is passed over, so that a search is written only in part."""
    text = '[body]\nhp = { v = 1.0, s = "S3", c = "D" }\n'
    assert tool.replaced(text, "body.hp", 2.5) == '[body]\nhp = { v = 2.5, s = "S3+FIT", c = "D" }\n'
    for path in ("body.mp", "arm.hp"):
        with pytest.raises(ValueError, match="no"):
            tool.replaced(text, path, 1.0)
