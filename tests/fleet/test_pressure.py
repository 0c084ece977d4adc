"""A learner that is slower than its players: what comes waits its turn, and nobody is asked for more meanwhile."""

import asyncio
import time
from dataclasses import replace
from http import HTTPStatus
from math import inf
from threading import Event

import pytest
from small_fleet import SMALL, Post, sent

from ashen.core.signals import StopOnSignal
from ashen.runs.fights import list_fights
from ashen.runs.folder import create_run
from ashen.training.fleet.batch import Tag
from ashen.training.fleet.desk import MAX_WAITING, Caller, Desk
from ashen.training.fleet.heartbeat import Heartbeat
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.wire import ENDED, STOPPED
from ashen.training.recipe import load_recipe
from ashen.training.start import run_config

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")

from ashen.training.fleet.training import FleetTraining

pytestmark = pytest.mark.fleet
DQN = replace(SMALL, algorithm="dqn")
ABOUT = {"run": "a", "key": "k"}
TAKEN = (HTTPStatus.OK, b"")


def begun(tmp_path, recipe=DQN):
    """A training with players, in a folder of its own."""
    run, training = create_run(tmp_path, "a", "a"), FleetTraining(recipe, FleetPlan(actors=1))
    run.write_config(run_config(training))
    training.begin(run)
    return training, run


def test_batches_are_learned_from_one_at_a_time(tmp_path):
    """Breaks if a learner takes all that waits at once, counts what it has not learned from, or asks for more before
    the last that came.
    """
    training, _ = begun(tmp_path)
    post = training._player.crew = Post(*(sent(training, number, [number] * 50) for number in range(3)))
    for taken in (1, 2, 3):
        training._step()
        (account,) = training._player.ledger.accounts.values()
        assert training.env_step == training.agent.steps == account.steps == 50 * taken
        assert post.asked == 1 and account.batches == taken
        assert training._train_row()["fleet/waiting"] == 3 - taken
    training._step()
    assert post.asked == 2 and training.env_step == 150


def test_ctrl_c_is_heard_within_a_batch(tmp_path):
    """Breaks if a learner on a slow machine makes all updates that a batch owes before it hears Ctrl-C."""
    training, _ = begun(tmp_path, replace(DQN, dqn=replace(DQN.dqn, updates_per_step=10.0)))
    training._player.crew = Post(sent(training, 0, [0] * 50))
    with StopOnSignal() as stop:
        training.agent.learn = followed(training.agent.learn, stop._set)
        training._step()
    assert training.agent.updates == 1 and training.env_step == 50


def test_a_row_does_not_count_how_long_players_took_to_start(tmp_path):
    """Breaks if the first rate, also after a resume, is that of players who were not there yet, or if what they played
    meanwhile is left out of it.
    """
    training, _ = begun(tmp_path)
    training._player.crew = Post(replace(sent(training, 0, [0] * 50), took_s=30.0), sent(training, 1, [1] * 50))
    training._player._starts_s = time.monotonic() - 1000.0
    training._tally.leave_out("world", -1000.0)
    for _ in range(2):
        training._step()
        assert 30.0 <= training._tally.seconds < 100.0


def followed(learn, then):
    """The same with something after it."""

    def both(*words):
        learned = learn(*words)
        then()
        return learned

    return both


def test_what_was_still_to_be_learned_from_leaves_its_fights(tmp_path, gathered):
    """Breaks if recorded fights and notes are lost, or kept twice, with a learner that ends before their turn."""
    training, run = begun(tmp_path)
    batch, gatherer = gathered(DQN)
    while not batch.fights:
        batch = gatherer.play()
    last = replace(batch, notes=["a ring was worn"])
    training._player.crew = Post(sent(training, 0, [0]), last, last)
    training._step()
    assert not list_fights(run.fights)
    training._player.give_up()
    assert training._player.crew.closed == [STOPPED]
    assert len(list_fights(run.fights)) == len(batch.fights)
    assert run.log_file.read_text(encoding="utf-8").count("a ring was worn") == 1
    assert training.env_step == 1


def test_a_batch_owes_few_updates(gathered):
    """Breaks if a player that plays as fast as it can sends so much at once that learning from it takes minutes."""
    many = replace(DQN, dqn=replace(DQN.dqn, updates_per_step=10.0))
    assert 25 <= gathered(many)[0].counts["steps"] < 25 + DQN.num_envs
    assert gathered(load_recipe("dqn"), players=1)[0].counts["steps"] <= 1000 + load_recipe("dqn").num_envs


def test_the_desk_hands_out_one_batch_of_each_player():
    """Breaks if one player's flood keeps others from being learned from, or what a learner takes at once has no end."""

    async def meet():
        desk = Desk()
        await desk.open(ABOUT)
        for player, number in [*(("quick", number) for number in range(MAX_WAITING)), ("slow", 0)]:
            assert await desk.put(Caller(player, run="k"), f"{player} {number}".encode()) == TAKEN
        assert await desk.put(Caller("quick", run="k"), b"more") == (HTTPStatus.TOO_MANY_REQUESTS, b"")
        assert await desk.take("k", 0.0, {}) == [b"quick 0", b"slow 0"]
        assert await desk.put(Caller("quick", run="k"), b"quick 8") == TAKEN
        for number in range(1, MAX_WAITING + 1):
            assert await desk.take("k", 0.0, {}) == [f"quick {number}".encode()]
        assert await desk.take("k", 0.0, {}) == []
        assert (await desk.status())["waiting"] == 0

    asyncio.run(meet())


def test_who_cannot_wait_does_not(monkeypatch):
    """Breaks if steps of a game wait behind those of simulators that are too quick for the learner, or if what a player
    brings who cannot wait has no end.

    Of turns of 15 s, in which a game brings 30 batches, and who can wait as many as the desk takes.
    """

    async def meet():
        desk = Desk()
        await desk.open(ABOUT)
        for turn in range(20):
            while await desk.put(Caller("quick", run="k"), b"quick") == TAKEN:
                pass
            brought = [f"game {turn} {number}".encode() for number in range(30)]
            for batch in brought:
                assert await desk.put(Caller("game", run="k"), batch, is_hurried=True) == TAKEN
            assert await desk.take("k", 0.0, {}) == [*brought, b"quick"]
        monkeypatch.setattr("ashen.training.fleet.desk.MAX_HURRIED_BYTES", 10)
        answers = [await desk.put(Caller("game", run="k"), b"12345", True) for _ in range(3)]
        assert answers == [TAKEN, TAKEN, (HTTPStatus.TOO_MANY_REQUESTS, b"")]
        monkeypatch.setattr("ashen.training.fleet.desk.MAX_BYTES", 10)
        assert await desk.put(Caller("other", run="k"), b"12345") == (HTTPStatus.TOO_MANY_REQUESTS, b"")
        await desk.take("k", 0.0, {})
        assert await desk.put(Caller("game", run="k"), b"12345", True) == TAKEN

    asyncio.run(meet())


def test_what_waits_is_for_one_run():
    """Breaks if batches or networks of one run come to another, or if a learner that was killed loses what waits."""

    async def meet():
        desk = Desk()
        for key, waits in (("k", []), ("k", [b"k"]), ("other", [])):
            desk._learner_s = -inf
            assert await desk.open(ABOUT | {"key": key}) == ("", None)
            assert await desk.take(key, 0.0, {}) == waits
            assert await desk.put(Caller("p", run="else"), b"x") == (HTTPStatus.CONFLICT, b"")
            await desk.put(Caller("p", run=key), key.encode())
            await desk.publish(key, b"w", Tag(key, 1))
        assert await desk.weights(Caller("p", run="other"), Tag("", 0)) == (HTTPStatus.OK, b"w")

    asyncio.run(meet())


def test_one_learner_keeps_its_desk():
    """Breaks if a second training takes the players of one that is at work, or is handed their batches."""

    async def meet():
        desk = Desk()
        await desk.open(ABOUT)
        assert await desk.open({"run": "b", "key": "other"}) == ("", "a")
        await desk.put(Caller("p", run="k"), b"x")
        assert await desk.take("other", 0.0, {}) is None
        await desk.publish("other", b"w", Tag("other", 1))
        assert await desk.weights(Caller("p", run="k"), Tag("", 0)) == (HTTPStatus.NOT_MODIFIED, b"")
        assert await desk.take("k", 0.0, {}) == [b"x"]
        desk._learner_s = -inf  # it fights a match
        await desk.hear("k")
        assert await desk.busy_with("other") == "a" and await desk.busy_with("k") is None
        await desk.close("k", STOPPED)
        assert await desk.open({"run": "b", "key": "other"}) == ("", None)

    asyncio.run(meet())


def test_a_heart_beats_until_it_is_stopped(monkeypatch):
    """Breaks if a learner that fights a match gives no sign of life, or one that has ended goes on with it."""
    monkeypatch.setattr("ashen.training.fleet.heartbeat._EVERY_S", 0.001)
    beats, has_beaten = [], Event()

    def beat():
        beats.append(1)
        if len(beats) == 3:
            has_beaten.set()

    heart = Heartbeat(beat)
    assert has_beaten.wait(60.0)
    heart.stop()
    assert not heart._thread.is_alive()


@pytest.mark.parametrize(("how", "told"), [("complete", [ENDED, STOPPED]), ("Ctrl-C", [STOPPED]), ("bug", [STOPPED])])
def test_the_desk_hears_how_a_training_ends(tmp_path, how, told):
    """Breaks if players play on for a training that is over, or drop what they have for one that may go on."""
    training, run = begun(tmp_path, replace(DQN, total_steps=50, evaluation_fights=1, final_fights=1))
    post = training._player.crew = Post(sent(training, 0, [0] * 50 if how == "complete" else [0]))
    training._player.has_begun = True
    if how == "bug":
        post.ask = lambda *_: 1 / 0
        with pytest.raises(ZeroDivisionError):
            list(training.run(run, lambda: False))
    else:
        list(training.run(run, lambda: training.env_step > 0))
    assert post.closed == told


def test_a_desk_remembers_what_is_over():
    """Breaks if a player of a training that has ended is not told so, if one that was stopped and goes on loses what
    waits, or if one learner closes another's desk.
    """

    async def meet():
        desk = Desk()
        for how, waits in ((STOPPED, [b"x"]), (ENDED, [])):
            await desk.open(ABOUT)
            await desk.put(Caller("p", run="k"), b"x")
            await desk.close("other", ENDED)
            assert (await desk.run(Caller("p")))[1] is not None
            await desk.close("k", how)
            await desk.close("k", STOPPED)  # as every learner does that ends
            assert (await desk.run(Caller("p")))[1] is None
            assert await desk.put(Caller("p", run="k"), b"y") == (HTTPStatus.GONE, how.encode())
            await desk.open(ABOUT)
            assert await desk.take("k", 0.0, {}) == waits
            await desk.close("k", how)
        await desk.open(ABOUT | {"key": "other"})
        assert await desk.weights(Caller("p", run="k"), Tag("", 0)) == (HTTPStatus.GONE, ENDED.encode())

    asyncio.run(meet())


def test_a_training_without_players_says_how_they_join(tmp_path):
    """Breaks if a training that nobody plays for, or no more, is silent, says so again and again, or still when
    somebody plays.
    """
    training, run = begun(tmp_path)
    training._player._plan = FleetPlan(fleet="head:6379")
    training._player._look_at_s = -1.0
    crew = training._player.crew = Post()
    rows = []
    for _ in range(3):
        training._step()
        rows += training._periodic_work()
    (row,) = rows
    assert f"ashen fleet join {crew.door} --game, or --client" in row["message"]
    assert row["message"] in run.log_file.read_text(encoding="utf-8")
    training._player.crew = Post(sent(training, 0, [0]))
    training._step()
    training._step()
    assert [row["state"] for row in training._periodic_work()] == ["over"]
    assert not list(training._periodic_work())
    training._player._look_at_s = -1.0
    (row,) = training._periodic_work()
    assert row["state"] == "begun" and "all have left" in row["message"]
