"""Players of one machine, without a head."""

import random
import signal
from dataclasses import replace

import pytest
from fleet_at_work import fleet_in, shared_names, wait_until
from small_fleet import SMALL

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import read_metrics
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.training import FleetTraining
from ashen.training.start import fleet_of

ray = pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
pytestmark = pytest.mark.fleet
WORDS = (
    "--total-steps 100000000 --num-envs 2 --dqn.width 16 --dqn.depth 1 --dqn.learning-starts 100 --log-every 200"
    " --evaluate-every 100000000 --checkpoint-every 200"
)


def test_players_of_one_machine_train_and_go_on(tmp_path):
    """Breaks if players need a head on the machine that learns, if a training with them cannot be stopped and gone on
    with, if it forgets with how many it was gone on, or if one that is stopped leaves shared memory behind.
    """
    shared_before = shared_names()
    with fleet_in(tmp_path, actors=0) as fleet:
        where, run = ["--runs-dir", str(fleet.runs)], RunFolder(fleet.runs / "a")
        training = fleet.run("train", "dqn", "--name", "a", "--actors", "2", *where, *WORDS.split(), name="training")
        wait_until(lambda: _players(run) == {"actor-0", "actor-1"}, training)
        _stop(training, fleet)
        before = len(read_metrics(run, "train"))
        training = fleet.run("resume", "a", "--actors", "1", *where, name="training")
        wait_until(lambda: len(read_metrics(run, "train")) > before, training)
        _stop(training, fleet)
    assert fleet_of(run).actors == 1 and shared_names() <= shared_before
    assert "actors 2 -> 1" in (run.path / "journal.md").read_text(encoding="utf-8")


def test_a_player_that_is_killed_is_replaced_and_leaves_nothing(tmp_path):
    """Breaks if a round of PPO waits for ever for a player of this machine that has died, if players are not asked to
    record, if rows take more from the time of play than there was, or if memory that processes share is left when the
    training has ended.
    """
    before = shared_names()
    words = "--total-steps 20000 --num-envs 8 --ppo.rollout-steps 32 --ppo.width 16 --log-every 256 --final-fights 2"
    words += " --record-every 2000"
    with fleet_in(tmp_path, actors=0) as fleet:
        run = RunFolder(fleet.runs / "a")
        where = ["--runs-dir", str(fleet.runs), "--name", "a", "--actors", "2"]
        training = fleet.run("train", "full", *where, *words.split(), name="training")
        wait_until(lambda: _players(run) == {"actor-0", "actor-1"}, training)
        assert fleet.kill_player(random.Random(0))
        assert training.wait(600.0) == 0, fleet.said("training")
    rows = read_metrics(run, "train")
    assert all(value >= 0.0 for row in rows for key, value in row.items() if key.startswith("seconds/"))
    assert rows[-1]["env_step"] >= 20_000 and rows[-1]["fleet/restarts"] == 1.0
    assert list(run.fights.glob("training-*.npz"))
    assert shared_names() <= before


def test_a_training_that_lacks_its_last_match_alone_starts_no_players(tmp_path):
    """Breaks if whoever resumes a training that was stopped in its last match waits for players without need."""
    training = FleetTraining(replace(SMALL, final_fights=2), FleetPlan(actors=1))
    run = create_run(tmp_path, "a", "a")
    training.begin(run)
    training.env_step = training.recipe.total_steps
    assert [row["kind"] for row in training.run(run, lambda: False)] == ["evaluation", "final"]
    assert not ray.is_initialized()


def test_ray_that_does_not_start_is_told_in_a_line(monkeypatch):
    """Breaks if Ray's words for a start that took too long, of no class of its own, pass for a mistake in ashen."""
    from ashen.training.fleet.engine import ray_running

    def too_slow(**_):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", too_slow)
    told = pytest.raises(UserError, match="cannot start Ray on this machine: The current node timed out")
    with told, ray_running(FleetPlan(actors=1)):
        pass


def _players(run):
    rows = read_metrics(run, "train") if run.config_file.is_file() else []
    begin = "fleet/steps_per_s/"
    return {name.removeprefix(begin) for name in (rows or [{}])[-1] if name.startswith(begin)}


def _stop(training, fleet):
    training.send_signal(signal.SIGINT)
    assert training.wait(300.0) == 0, fleet.said("training")
