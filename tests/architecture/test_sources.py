"""Every number of the fight names where it comes from."""

from pathlib import Path

import pytest

from ashen.core.tables import data_file, load_facts, read_toml, walk

FOLDER = data_file("ds3")
TABLES = sorted(path for path in FOLDER.rglob("*.toml") if path.name != "sources.toml")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_number_has_a_listed_source(path: Path):
    """Breaks if a number names a source that sources.toml does not explain, or none at all."""
    listed = set(read_toml(FOLDER / "sources.toml"))
    facts = list(walk(load_facts(path)))
    assert facts
    unlisted = {f"{where}: {fact.source}" for where, fact in facts if not set(fact.source.split("+")) <= listed}
    assert not unlisted


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_values_lie_in_their_ranges(path: Path):
    """Breaks if a guess lies outside the range its evidence allows."""
    scalars = [
        (where, fact) for where, fact in walk(load_facts(path)) if fact.range and not isinstance(fact.value, list)
    ]
    outside = [where for where, fact in scalars if not fact.range[0] <= fact.value <= fact.range[1]]
    assert not outside


def test_every_listed_source_is_used():
    """Breaks if sources.toml keeps a source that no number rests on."""
    used = {key for path in TABLES for _, fact in walk(load_facts(path)) for key in fact.source.split("+")}
    assert set(read_toml(FOLDER / "sources.toml")) <= used
