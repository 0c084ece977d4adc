"""A game PC of a fleet, over the fake game: what it plays is learned from elsewhere, and what went wrong is not."""

import json
import signal
import time
from contextlib import closing
from dataclasses import replace

import pytest
from fleet_at_work import fleet_in
from small_fleet import SMALL

from ashen.agents.acting import acting_state
from ashen.captain import PLAYERS
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.runs.fights import list_fights, load_fight, save_new_fight
from ashen.runs.folder import RunFolder, create_run
from ashen.training.fleet.batch import Tag
from ashen.training.fleet.gatherer import Gatherer
from ashen.training.fleet.plan import ALONE
from ashen.training.fleet.weights import packed
from ashen.training.recipe import make_agent_for
from ashen.training.start import resumed

pytestmark = [pytest.mark.game, pytest.mark.fleet]
NEEDS_YOU = {"fault": "other_max_hp"}
"""In a fight: the user wears a ring, and has to take it off."""


WORDS = (
    "--num-envs 1 --fight phase1 --randomise none --dqn.width 16 --dqn.depth 1 --dqn.n-step 1"
    " --dqn.learning-starts 100 --dqn.batch-size 32 --dqn.replay-capacity 50000 --total-steps 1000000"
    " --evaluate-every 100000000 --log-every 100 --checkpoint-every 100000000"
)


def test_a_fight_that_cannot_go_on_is_taken_out_elsewhere(elsewhere, tmp_path):
    """Breaks if a game that needs its user leaves the rows of the fight it was in with the learner, or no record."""
    elsewhere(NEEDS_YOU | {"after_ticks": 2500, "in_fight": True})
    recipe = replace(SMALL, algorithm="dqn", backend="game", num_envs=1)
    player, run = Gatherer(recipe, 1, "pc"), create_run(tmp_path, "a", "a")
    player.record(run, lambda fight: save_new_fight(fight, run.fights))
    player.load(packed(acting_state(player.agent), Tag("s", 0)))
    batches = []
    with closing(player.player.env):
        with pytest.raises(UserError, match=r"the game: .*take off rings"):
            batches.extend(iter(player.play, None))
        batches.append(player.finish())
    (faulted,) = batches[-1].part["faulted"]
    sound = sum((batch.part["fights"] != faulted).sum() for batch in batches)
    learner = make_agent_for(recipe, player.player.env)
    learner.take([batch.part for batch in batches])
    assert len(learner.replay) == sound < sum(len(batch.part["rows"]) for batch in batches)
    sent = [fight for batch in batches for fight in batch.fights]
    assert sent[-1].meta["outcome"] == Outcome.FAULT.name
    assert len(sent) == len(list_fights(run.fights))


@pytest.mark.slow
def test_a_game_pc_plays_for_a_fleet(elsewhere, tmp_path, monkeypatch, capsys):
    """Breaks if a game PC's fights are not learned from or one with a fault is, or if records, names and batches are
    lost when the game needs its user.
    """
    pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
    name = {"fault": "boss_animation", "name": "Attack1501", "attack": 1501, "after_ticks": 2500, "for_ticks": 40}
    faults = {"fault": "read_error", "after_ticks": 1500}, name, NEEDS_YOU | {"after_ticks": 4500}
    elsewhere(*(fault | {"in_fight": True} for fault in faults))  # which fights are fought is up to chance
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / ".ray" / "auth_token"))
    with fleet_in(tmp_path, actors=1) as fleet:
        fleet.start()
        where = ["--runs-dir", str(fleet.runs), "--name", "a", "--fleet", f"127.0.0.1:{fleet.port}"]
        training = fleet.run("train", "dqn", *where, *WORDS.split(), name="training")
        own = ["--game", "--name", "pc", "--runs-dir", str(tmp_path / "outside")]
        assert main(["fleet", "join", fleet.door, *own]) == 2
        said = capsys.readouterr().err.splitlines()
        assert said[-1].startswith("ashen: the game: ") and "take off rings" in said[-1]
        pc, head = next((tmp_path / "outside" / PLAYERS).glob("a-pc*")), RunFolder(fleet.runs / "a")
        assert not list((pc / "on-the-way").iterdir())
        kept = fights_in(pc / "fights")
        while len(list_fights(head.fights)) < len(kept):
            assert training.poll() is None, fleet.said("training")
            time.sleep(0.2)
        training.send_signal(signal.SIGTERM)
        assert training.wait(120.0) == 0, fleet.said("training")
    assert fights_in(head.fights) == kept and [outcome for _, outcome, _ in kept].count("FAULT") == 2
    learned = resumed(head, ALONE).agent
    assert len(learned.replay) == sum(steps for _, outcome, steps in kept if outcome != "FAULT") < learned.steps
    assert learned.updates > 0
    assert "boss Attack1501" in json.loads(head.game_file.read_text(encoding="utf-8"))["unknown_animations"]
    assert "Attack1501" in head.learned_animations_file.read_text(encoding="utf-8")
    assert head.log_file.read_text(encoding="utf-8").count("unknown animation: boss Attack1501") == 1


def fights_in(folder):
    """When each recorded fight of a folder began, how it ended, and its decisions."""
    fights = [load_fight(path) for path in list_fights(folder)]
    return sorted((fight.meta["began_at"], fight.meta["outcome"], int((fight.actions >= 0).sum())) for fight in fights)
