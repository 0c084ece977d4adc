"""The fight under way, cut off at any moment: what was on disk becomes a record."""

import json
import subprocess
import sys

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.runs.fight_journal import ENDING, FightJournal, keep_interrupted
from ashen.runs.fights import Tape, list_fights, load_fight, save_new_fight

pytestmark = pytest.mark.resume
META = {"kind": "training", "env_step": 70, "fight_number": 0, "action_names": ["a", "b"], "term_names": ["one"]}


def states(step):
    """FIGHT_STATE [1] of a step."""
    rows = np.zeros(1, FIGHT_STATE)
    rows["step"], rows["boss_hp"] = step, 1000.0 - step
    return rows


def play(journal, steps, tape=None):
    """Write a fight of so many steps; after every third one the environment waits for one more."""
    tape, step = tape or Tape(), 0
    while step < steps:
        mask, terms = np.array([[True, step % 2 == 0]]), np.full((1, 1), 0.5 * step, np.float32)
        parts = (np.array([step % 2]), mask, terms, terms[0], np.array([[0.1 * step, 1.0]], np.float32))
        waits = []
        if step % 3 == 2 and step + 1 < steps:
            waits = [(np.array([True]), states(step + 1), np.full((1, 1), 0.25, np.float32), np.array([0.25]))]
        rows = tape.add(states(step), *parts, waits)
        step += len(rows)
        journal.add(rows, states(step))
    return tape


def begun(folder):
    """A journal with a fight that has begun."""
    journal = FightJournal(folder)
    journal.begin(dict(META))
    return journal


def under_way(folder):
    """The file of the fight under way."""
    return next(folder.glob(f"*{ENDING}"))


def test_a_fight_that_is_given_up_is_what_the_tape_holds(tmp_path):
    """Breaks if a field, a wait or a step is lost on the way over the disk, or the record does not say why it ended."""
    journal = begun(tmp_path)
    tape = play(journal, 7)
    incident = {"fault": "memory", "during": "step", "message": "gone"}
    path = journal.give_up(incident)
    assert path.name == "training-000000075-000-fault.npz"  # five decisions and two waits after step 70
    kept, taped = load_fight(path), tape.cut(0, states(7)[0], {})
    for part in ("states", "actions", "masks", "reward_terms", "rewards", "scores"):
        assert np.array_equal(getattr(kept, part), getattr(taped, part)), part
        assert getattr(kept, part).dtype == getattr(taped, part).dtype, part
    assert kept.actions.tolist() == [0, 1, 0, -1, 0, 1, -1]
    assert kept.outcome == Outcome.FAULT
    assert kept.meta.items() >= {"num_steps": 7, "incident": incident, "env_step": 75, "kind": "training"}.items()
    assert journal.give_up() is None
    assert list(tmp_path.iterdir()) == [path]


def test_a_fight_that_is_saved_leaves_no_file(tmp_path):
    """Breaks if files of fights that are over pile up, or the next fight goes on in the file of the last."""
    journal = begun(tmp_path)
    assert list(tmp_path.iterdir()) == []
    play(journal, 3)
    journal.end()
    assert list(tmp_path.iterdir()) == []
    journal.begin(META | {"env_step": 3})
    play(journal, 2)
    assert load_fight(journal.give_up()).meta["env_step"] == 5


def test_half_a_row_is_dropped_and_no_more(tmp_path):
    """Breaks if a write or a power cut that stopped in a row costs whole ones, or lets half a one in."""
    journal = begun(tmp_path)
    play(journal, 4)
    file = under_way(tmp_path)
    whole = file.read_bytes()
    journal.end()
    head = whole.index(b"\n") + 1
    row = (len(whole) - head - FIGHT_STATE.itemsize - 4) // 4
    cuts = {len(whole): 4, len(whole) - 1: 3, len(whole) - row + 1: 3, len(whole) - row: 3, len(whole) - row - 1: 2}
    cuts |= {len(whole) - 3 * row: 1, len(whole) - 4 * row: 0, head + 1: 0, head - 1: 0, 5: 0, 0: 0}
    for size, steps in cuts.items():
        _assert_kept(tmp_path, whole[:size], steps)
    _assert_kept(tmp_path, whole + bytes(3 * row), 4)  # a file longer than what was written
    flipped = bytearray(whole)
    flipped[-2 * row + 9] ^= 1
    _assert_kept(tmp_path, bytes(flipped), 2)


def _assert_kept(folder, data, steps):
    file = folder / f"under-way-1-1{ENDING}"
    file.write_bytes(data)
    kept = keep_interrupted(folder)
    assert [load_fight(path).states["step"].tolist() for path in kept] == ([list(range(steps + 1))] if steps else [])
    assert not file.exists()
    for path in kept:
        path.unlink()


def test_a_fight_that_was_saved_just_before_the_crash_is_no_second_one(tmp_path):
    """Breaks if a fight is kept twice when the program ends between its record and the end of its file."""
    journal = FightJournal(tmp_path)
    began = journal.begin(dict(META))
    tape = play(journal, 3)
    under_way_then = under_way(tmp_path).read_bytes()
    save_new_fight(tape.cut(0, states(3)[0], META | began | {"outcome": "LOSS"}), tmp_path)
    (tmp_path / "training-000000001-000-win.npz").write_bytes(b"damaged")
    journal.end()
    (tmp_path / f"under-way-1-1{ENDING}").write_bytes(under_way_then)
    assert keep_interrupted(tmp_path) == []
    assert [path.stem for path in list_fights(tmp_path)] == [
        "training-000000001-000-win",
        "training-000000070-000-loss",
    ]


def test_a_fight_of_another_version_stays_as_it_is(tmp_path):
    """Breaks if a fight that cannot be read here is misread or thrown away."""
    play(journal := begun(tmp_path), 2)
    head, body = under_way(tmp_path).read_bytes().split(b"\n", 1)
    journal.end()
    file = tmp_path / f"under-way-1-1{ENDING}"
    file.write_bytes(json.dumps(json.loads(head) | {"state_bytes": 4}).encode("utf-8") + b"\n" + body)
    with pytest.raises(UserError, match="another version of ashen wrote"):
        keep_interrupted(tmp_path)
    assert file.exists()


def test_no_record_is_written_over_another(tmp_path):
    """Breaks if two fights that end on the same step are one file, as after a crash they can."""
    paths = []
    for _ in range(3):
        play(journal := begun(tmp_path), 2)
        paths.append(journal.give_up().name)
    assert paths == [f"training-000000072-{number:03d}-fault.npz" for number in range(3)]
    assert [load_fight(tmp_path / name).meta["fight_number"] for name in paths] == [0, 1, 2]


def test_a_killed_program_leaves_its_fight(tmp_path):
    """Breaks if steps that were flushed are lost by SIGKILL, or a fight is taken from a program that still writes."""
    code = f"""
import sys
sys.path.insert(0, {str(sys.path[0])!r})
import pathlib, itertools, numpy as np
from ashen.core.fight import FIGHT_STATE
from ashen.runs.fight_journal import FightJournal
from ashen.runs.fights import Tape
journal, tape, state = FightJournal(pathlib.Path({str(tmp_path)!r})), Tape(), np.zeros(1, FIGHT_STATE)
journal.begin({META!r})
for step in itertools.count():
    ones = np.ones((1, 2), np.float32)
    rows = tape.add(state, np.array([1]), ones > 0, ones[:, :1], ones[0, :1], ones)
    state = state.copy()
    state["step"] = step + 1
    journal.add(rows, state)
    print(step + 1, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        for line in writer.stdout:
            if int(line) == 25:
                break
        assert keep_interrupted(tmp_path) == [] and under_way(tmp_path).exists()
        writer.kill()
        written = max([25, *map(int, writer.stdout.read().split())])
    record = load_fight(keep_interrupted(tmp_path)[0])
    assert len(record.actions) - written in (0, 1)  # it may be killed before it tells of its last step
    assert record.states["step"].tolist() == list(range(len(record.actions) + 1))
    assert record.meta["incident"]["fault"] == "interrupted"
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
