"""Fights of players from outside that end in a fault while the learner does not hear of it, or hears it late."""

from dataclasses import replace

import numpy as np
import pytest
from small_fleet import SMALL, Post, sent

from ashen.runs.folder import create_run
from ashen.training.fleet.batch import Tag
from ashen.training.fleet.plan import FleetPlan
from ashen.training.start import forked, resumed, run_config

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")

from ashen.training.fleet.training import FleetTraining

pytestmark = pytest.mark.fleet
PLAN = FleetPlan(actors=1, staleness=5)
ENDED, UNDER_WAY, NEXT = 6, 7, 8
"""Numbers of fights."""
FAULT = np.array([UNDER_WAY])


@pytest.mark.parametrize("how", ["heard", "stale", "damaged", "lost"])
@pytest.mark.parametrize("is_resumed", [False, True])
def test_nothing_of_a_faulted_fight_stays_with_the_learner(tmp_path, how, is_resumed):
    """Breaks if rows of a fight that a fault ended are learned from: after a resume of the head, or because the batch
    that says so is left out or never comes.
    """
    run, training = create_run(tmp_path, "a", "a"), FleetTraining(replace(SMALL, algorithm="dqn"), PLAN)
    run.write_config(run_config(training))
    training.begin(run)
    hear(training, sent(training, 0, [ENDED, ENDED, UNDER_WAY, UNDER_WAY]))
    if is_resumed:
        training._save()
        training = resumed(run, PLAN)
    batch = sent(training, 1, [NEXT], FAULT)
    after = {
        "heard": batch,
        "stale": replace(batch, tag=Tag("before", -100)),
        "damaged": replace(batch, digest=1),
        "lost": sent(training, 2, [NEXT]),
    }[how]
    hear(training, after)
    fights = training.agent.replay.fights
    first = training._player.ledger.first_fight("l")
    kept = [ENDED, ENDED] + [NEXT] * (how in ("heard", "lost"))
    assert (np.sort(fights[fights >= 0]) - first).tolist() == kept
    assert len(training.agent.replay) == len(kept)


def test_a_fork_with_players_doubts_none_of_its_parents_fights(tmp_path):
    """Breaks if a fork of a fleet's run cannot have players, or takes fights of its parent's for theirs."""
    run, training = create_run(tmp_path, "a", "a"), FleetTraining(replace(SMALL, algorithm="dqn"), PLAN)
    run.write_config(run_config(training))
    training.begin(run)
    hear(training, sent(training, 0, [ENDED, ENDED, UNDER_WAY]))
    training._save()
    fork, _ = forked(run, replace(training.recipe, total_steps=800), PLAN)
    fork.begin(create_run(tmp_path, "b", "b"))
    hear(fork, sent(fork, 0, [NEXT]))
    hear(fork, sent(fork, 2, [NEXT]))  # what was lost may have told of a fault
    fights, first = fork.agent.replay.fights, fork._player.ledger.first_fight("l")
    assert fights[fights >= 0].tolist() == [first + NEXT] and len(fork.agent.replay) == 4


def hear(training, batch):
    """One step of the learner, to which this batch comes."""
    training._player.crew = Post(batch)
    training._step()
