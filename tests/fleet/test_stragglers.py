"""Who comes too late again and again: named once, with what can be done."""

from dataclasses import replace

import pytest
from small_fleet import SMALL, TAG, batch_of

from ashen.training.fleet.batch import Tag
from ashen.training.fleet.ledger import DAMAGED, STALE
from ashen.training.fleet.stragglers import AGAIN_AFTER_S, Stragglers

pytestmark = pytest.mark.fleet


def test_who_is_late_is_named_once():
    """Breaks if somebody is named for one late batch, or with every further one, or never again, or is over by luck."""
    now_s, said = [0.0], []
    late = Stragglers("play less", TAG.session, lambda: now_s[0])

    def note(*reasons, player="p"):
        for reason in reasons:
            late.note(batch_of(player=player), reason)
        said[:] = [(row["guard"], row["state"], row["message"]) for row in late.take_rows()]

    note(STALE, STALE, None, STALE, DAMAGED, STALE)
    note(STALE, STALE, player="q")
    assert not said
    note(STALE, STALE)
    begun = "p is late: 25 of its steps came too late to be learned from so far; play less"
    assert said == [("p is late", "begun", begun)]
    note(None, None, STALE, None, None)
    assert not said
    note(None)
    assert said == [("p is late", "over", "p is late: over")]
    note(STALE, STALE, STALE, STALE)
    assert not said
    now_s[0] = AGAIN_AFTER_S
    note(STALE)
    assert [state for _, state, _ in said] == ["begun"]


def test_who_misses_many_rounds_at_once_is_named_at_once():
    """Breaks if half an hour of play at a game's pace is left out before anybody hears that none can be in time."""
    late = Stragglers("play less", TAG.session, lambda: 0.0)
    late.note(batch_of(), STALE, missed=2)
    assert not late.take_rows()
    late.note(batch_of(player="q"), STALE, missed=3)
    assert [row["guard"] for row in late.take_rows()] == ["q is late"]


def test_who_sends_damage_is_named_once():
    """Breaks if nothing of a training is learned from since all of it comes damaged, and nobody hears of it."""
    late, rows = Stragglers("play less", TAG.session, lambda: 0.0), []
    for reason in [DAMAGED, DAMAGED, None, *[DAMAGED] * 5, None]:
        late.note(batch_of(), reason)
        rows += [(row["guard"], row["state"]) for row in late.take_rows()]
    assert rows == [("p sends damage", "begun"), ("p sends damage", "over")]


def test_what_was_played_for_a_learner_before_is_not_late():
    """Breaks if a player is called slow for what it kept while there was no learner."""
    late = Stragglers("play less", TAG.session, lambda: 0.0)
    for number in range(5):
        late.note(batch_of(number, Tag("before", 0)), STALE)
    assert not late.take_rows()


def test_a_player_too_slow_for_rounds_is_told(tmp_path):
    """Breaks if all steps of a player are left out of PPO and nobody hears who it is, or what to do."""
    pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
    from small_fleet import Post

    from ashen.runs.folder import create_run
    from ashen.training.fleet.plan import FleetPlan
    from ashen.training.fleet.training import FleetTraining
    from ashen.training.start import run_config

    run, training = create_run(tmp_path, "a", "a"), FleetTraining(replace(SMALL, algorithm="ppo"), FleetPlan(actors=1))
    run.write_config(run_config(training))
    training.begin(run)
    old = Tag(training._player.ledger.session, -1)
    training._player.crew = Post(*(batch_of(number, old, player="pc") for number in range(3)))
    training._step()
    (row,) = training._periodic_work()
    assert row["kind"] == "warning" and row["message"].startswith("pc is late: 15 of its steps ")
    assert "--pace" in row["message"] and row["message"] in run.log_file.read_text(encoding="utf-8")
