"""Two runs compared bit for bit: all but their names, times, and what depends on them."""

import csv

import torch

from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint

OTHERWISE = ("time", "steps_per_s", "seconds", "policy")


def assert_equal_runs(first: RunFolder, second: RunFolder) -> None:
    """Checkpoints with everything in them, replays and metrics are the same."""
    ends = [load_checkpoint(latest_checkpoint(run)) for run in (first, second)]
    parts = [dict(_leaves("", end)) for end in ends]
    assert parts[0].keys() == parts[1].keys()
    assert len(parts[0]) > 30
    for name, value in parts[0].items():
        if "seconds" not in name and "pace" not in name:
            assert _same(value, parts[1][name]), name
    size = min(len(_replay(run)) for run in (first, second))
    assert _replay(first)[-size:] == _replay(second)[-size:]
    assert _rows(first) == _rows(second)
    with first.csv_file.open(encoding="utf-8") as one, second.csv_file.open(encoding="utf-8") as other:
        assert [timeless(row) for row in csv.DictReader(one)] == [timeless(row) for row in csv.DictReader(other)]


def _leaves(name, tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(f"{name}/{key}", value)
    elif isinstance(tree, list | tuple):
        for key, value in enumerate(tree):
            yield from _leaves(f"{name}/{key}", value)
    else:
        yield name, tree


def _same(one, other):
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(), other.nan_to_num())
    return one == other or (one != one and other != other)


def _replay(run):
    """All that is kept of the transitions; how much that is depends on when checkpoints were made."""
    return b"".join(path.read_bytes() for path in sorted((run.checkpoints / "replay").glob("*.rows")))


def _rows(run):
    return [timeless(row) for row in read_metrics(run)]


def timeless(row):
    """A row of metrics without what depends on times and names."""
    return {name: value for name, value in row.items() if name not in OTHERWISE and not name.startswith("seconds/")}
