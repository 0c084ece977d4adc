"""A player from outside before the real door: when it plays, when it waits, and what becomes of what it has played."""

import re
from contextlib import ExitStack
from dataclasses import replace

import pytest
from small_fleet import SMALL

from ashen.captain import PLAYERS, _play_outside
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.lookout import show_status
from ashen.options.fleet import FleetJoinOptions, FleetStatusOptions
from ashen.runs.folder import RunFolder, run_names
from ashen.training.find_run import find_run
from ashen.training.fleet.batch import Tag
from ashen.training.fleet.client import MOST_WAITING, Client, recipe_here
from ashen.training.fleet.desk import MAX_WAITING, Caller
from ashen.training.fleet.spool import Spool
from ashen.training.fleet.wire import ENDED, STOPPED, RunOverError, Wire

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")

from fleet_door import TOKEN, door_here

pytestmark = pytest.mark.fleet
QUICK = replace(SMALL, algorithm="dqn", num_envs=1, dqn=replace(SMALL.dqn, updates_per_step=100.0))
"""By whose batches, of two steps each, a spool fills in no time."""
STATUS = {"step": 280_417, "left_out": {"pc": {"stale": 3}, "actor-0": {"damaged": 1, "double": 2}}}
STATUS |= {"fleet/steps_per_s/actor-0": 21.9, "fleet/steps_per_s/a-pc-1": 44.0, "fleet/staleness_mean": 2.4}
STATUS |= {"fleet/staleness_max": 7.0, "fleet/restarts": 0.0, "fleet/waiting": 0.0, "fleet/unreadable": 0.0}
STATUS |= {"fleet/left_out_steps": 0.0, "fleet/left_out_steps_in_all": 640.0}
STATUS |= {"fleet/lost_batches": 0.0, "fleet/lost_batches_in_all": 0.0}
"""What a learner says of itself."""


@pytest.fixture
def door():
    """The real door of a desk, in this process."""
    with door_here() as door:
        yield door


def client_at(door, folder, pace=0.0):
    """A player who has been told what to play."""
    wire = Wire(door.address, TOKEN)
    about = wire.run()
    run = RunFolder(folder)
    run.fights.mkdir(parents=True, exist_ok=True)
    return Client(wire, about, recipe_here(about, "sim", 3.0), run, pace)


@pytest.mark.parametrize(("pace", "waits"), [(0.0, True), (1e6, False)], ids=["unpaced", "paced"])
def test_a_player_whom_no_game_hurries_waits_for_the_learner(door, tmp_path, monkeypatch, pace, waits):
    """Breaks if a player in the simulator fills the disk while nobody learns, if it cannot be stopped then, or if one
    that plays at a pace waits too, or is given no more room than the others at the desk.
    """
    monkeypatch.setattr("ashen.training.fleet.desk.MAX_HURRIED_BYTES", 2**17)
    door.train(QUICK)
    client, seen = client_at(door, tmp_path / "run", pace), []

    def should_stop():
        seen.append(len(client._spool.waiting()))
        return sum(waiting > MOST_WAITING for waiting in seen) > 40

    client.play(should_stop, lambda text: None)
    assert (max(seen) == MOST_WAITING + 1) is waits
    assert (door.ask("status")["waiting"] == MAX_WAITING) is waits


def test_a_spool_has_an_end(tmp_path, monkeypatch):
    """Breaks if a player whose head stays away fills the disk, or drops anything but the oldest."""
    monkeypatch.setattr("ashen.training.fleet.spool.MAX_BYTES", 100)
    spool = Spool(tmp_path)
    for number in range(5):
        spool.add(bytes([number]) * 30)
    assert spool.dropped == 2 and [spool.read(path)[0] for path in spool.waiting()] == [2, 3, 4]
    first = spool.waiting()[0]
    spool.remove(first)
    assert spool.read(first) is None
    again = Spool(tmp_path)
    monkeypatch.setattr("ashen.training.fleet.spool.MAX_FILES", 2)
    again.add(b"5")
    assert [again.read(path)[0] for path in again.waiting()] == [4, ord("5")]
    assert sorted(tmp_path.glob("*.batch")) == again.waiting()
    again.add(b"x" * 101)
    assert again.waiting() == sorted(tmp_path.glob("*.batch")) and len(again.waiting()) == 1


def test_that_batches_are_dropped_is_said_once(door, tmp_path, monkeypatch):
    """Breaks if what a player drops is dropped without a word, or with one for every batch."""
    monkeypatch.setattr("ashen.training.fleet.spool.MAX_FILES", 3)
    monkeypatch.setattr("ashen.training.fleet.desk.MAX_HURRIED_BYTES", 1)
    door.train(QUICK)
    client, told, asked = client_at(door, tmp_path / "run", pace=1e6), [], []
    client.play(lambda: asked.append(0) or client._spool.dropped > 5 or len(asked) > 5000, told.append)
    assert client._spool.dropped > 5 and sum("the oldest batches are dropped" in line for line in told) == 1


def test_who_sends_nothing_for_long_says_how_far_he_is(door, tmp_path, monkeypatch):
    """Breaks if a player at a game's pace plays minutes for a rollout of PPO without a word, or if what is to be told
    of the head waits until it is full.
    """
    monkeypatch.setattr("ashen.training.fleet.client._SILENT_S", 0.0)
    door.train(SMALL)
    client, told = client_at(door, tmp_path / "run"), []
    client._courier._news.put("the head is back")
    client.play(lambda: len(told) > 2 or client.sent_steps > 0, told.append)
    assert told[0] == "the head is back" and not client.sent_steps
    assert re.fullmatch(r"played \d+% of a rollout, which PPO learns from as a whole; \d+ min to go", told[1])


def test_who_is_too_late_hears_of_it(door, tmp_path):
    """Breaks if a player of PPO boasts of steps that nobody learned from, or calls those late that were in time."""
    door.train(SMALL)
    client, told, published = client_at(door, tmp_path / "run"), [], []

    def should_stop():
        if client._gatherer.rollout_share and not published:
            published.append(door.publish(1))
            while client._courier.tag.version == 0:
                pass
        return client.sent_steps > client.late_steps > 0

    client.play(should_stop, told.append)
    assert client.late_steps == SMALL.num_envs * SMALL.ppo.rollout_steps
    assert sum("rollout is too late" in line for line in told) == 1


@pytest.mark.parametrize("how", [ENDED, STOPPED])
def test_a_training_that_is_over_is_played_for_no_more(door, tmp_path, how):
    """Breaks if a player plays on for a training that is over, keeps what nobody will learn from, or drops what one
    that goes on will.
    """
    door.train(QUICK)
    client = client_at(door, tmp_path / "run")

    def should_stop():
        if len(client._spool.waiting()) > MOST_WAITING:
            door.ask("close", "key", how)
        return False

    with pytest.raises(RunOverError):
        client.play(should_stop, lambda text: None)
    waiting = client._spool.waiting()
    assert bool(waiting) is (how == STOPPED) and len(list((tmp_path / "run" / "on-the-way").iterdir())) == len(waiting)
    client._wire.leave()
    door.train(QUICK)
    again = client_at(door, tmp_path / "run")
    assert again._spool.waiting() == waiting
    taken = []

    def is_handed_over():
        taken.append(door.ask("take", "key", 0.0, {}))
        return not set(waiting) & set(again._spool.waiting()) or len(taken) > 5000

    again.play(is_handed_over, print)
    assert not set(waiting) & set(again._spool.waiting())


@pytest.mark.parametrize("how", ["the head is killed", "another run is trained"])
def test_what_the_learner_has_not_taken_is_handed_over_again(door, tmp_path, how):
    """Breaks if what lies at the head is lost with it, or with the training of another run meanwhile; or if a player
    keeps what the learner has taken.
    """
    door.train(QUICK)
    client, taken, told = client_at(door, tmp_path / "run", pace=1e3), [], []
    client.play(lambda: door.ask("status")["waiting"] > 20, told.append)
    there = [data for path in client._spool.waiting() if (data := client._spool.read(path))]
    client._wire.leave()
    assert len(there) > 20
    with ExitStack() as others:
        if how == "the head is killed":
            other = others.enter_context(door_here())
        else:
            other = door
            door.ask("close", "key", STOPPED)
            door.train(QUICK, "b", "other")
            door.ask("close", "other", STOPPED)
        other.train(QUICK)
        again = client_at(other, tmp_path / "run", pace=1e3)

        def is_handed_over():
            taken.extend(other.ask("take", "key", 0.0, {}))
            return set(there) <= set(taken)

        again.play(is_handed_over, told.append)
        left = [again._spool.read(path) for path in again._spool.waiting()]
    assert taken[: len(there)] == there and not set(left) & set(taken[:-40])


def test_a_player_waits_for_the_next_training(door, tmp_path, monkeypatch, capsys):
    """Breaks if who has played for a training that is over ends, says so more than once, does not say how much it has
    played, does not play for the next, or if its own folders stand among the runs.
    """
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    door.train(QUICK)
    said, heard = [], []

    def stop():
        said.append(capsys.readouterr().err)
        heard.append("".join(said))
        if len(heard) == 50:
            door.ask("close", "key", ENDED)
        if sum("waiting for the next one" in text for text in heard) == 10:
            door.train(QUICK, "b", "other")
        return "playing for b" in heard[-1]

    _play_outside(FleetJoinOptions(door.address, client=True, name="pc", runs_dir=tmp_path), stop)
    lines = [line.partition(";")[0].removeprefix("ashen: ") for line in heard[-1].splitlines()]
    assert [lines[0], *lines[2:4]] == ["playing for a", "the training has ended", "playing for b"]
    assert re.fullmatch(r"played [\d,]+ steps for a", lines[1])
    assert run_names(tmp_path) == [] and len(run_names(tmp_path / PLAYERS)) == 2
    player = run_names(tmp_path / PLAYERS)[0]
    assert find_run(f"{PLAYERS}/{player}", tmp_path).fights.is_dir()


def test_a_player_that_ends_says_what_it_leaves(door, tmp_path, monkeypatch, capsys):
    """Breaks if batches that the learner does not have yet stay behind without a word."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    door.train(QUICK)
    options = FleetJoinOptions(door.address, client=True, name="pc", runs_dir=tmp_path)
    _play_outside(options, lambda: door.ask("status")["waiting"] > 2)
    (player,) = (tmp_path / PLAYERS).glob("a-pc-*")
    left = len(list(player.glob("on-the-way/*.batch")))
    assert left > 2 and f"; {left} batches wait in {player} until pc joins again" in capsys.readouterr().err


def test_of_two_players_of_one_name_the_second_is_sent_away(door, tmp_path, monkeypatch):
    """Breaks if two players share a name, and with it a folder and an account, or if one that has ended, or was killed,
    keeps it.
    """
    door.train(QUICK)
    first, second = (Wire(door.address, TOKEN, "pc") for _ in range(2))
    assert first.run()["outside"] == 1
    for call in (second.run, lambda: second.weights(Tag("s", 0)), lambda: second.send(b"")):
        with pytest.raises(UserError, match=r"called 'pc' .* give this one another --name"):
            call()
    second.leave()
    assert first.run()["outside"] == 1 and Wire(door.address, TOKEN, "other").run()["outside"] == 2
    first.leave()
    assert second.run()["outside"] == 2
    monkeypatch.setattr("ashen.training.fleet.desk.NAME_FREE_AFTER_S", 0.0)
    assert first.run()["outside"] == 2


@pytest.mark.parametrize("words", [["--game", "--pace", "22"], ["--pace", "22"]])
def test_a_pace_that_would_change_nothing_is_refused(words, capsys):
    """Breaks if a game's player believes that it plays at the pace that was given."""
    assert main(["fleet", "join", "http://127.0.0.1:1", *words]) == 2
    said = capsys.readouterr().err
    assert "--pace is of --client alone" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["join", "http://127.0.0.1:1", "--game", "--client"], "give one of them"),
        (["join", "http://127.0.0.1:1", "--client", "--actors", "3"], "--actors is of Linux machines"),
        (["start", "--port", "8420"], "--port and --door-port are both 8420"),
    ],
)
def test_options_that_exclude_each_other_are_refused_at_once(words, message, capsys):
    """Breaks if a game is looked for, or a Ray started, before it is said that the options do not fit together."""
    assert main(["fleet", *words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_a_game_that_is_not_there_is_missed_at_once(tmp_path, monkeypatch, capsys):
    """Breaks if a player waits for a training before it says that it has no game to play it on."""
    monkeypatch.setattr("ashen.game.owner.lock_file", lambda: tmp_path / "lock.pid")
    assert main(["fleet", "join", "http://127.0.0.1:1", "--game", "--runs-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert ("start Dark Souls III" in said or "set it up with" in said) and said.count("\n") == 1


def test_the_status_says_how_a_training_is(door, monkeypatch, capsys):
    """Breaks if a training that is over, or whose learner is silent, is shown as one that goes on."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.setattr("ray.nodes", list)
    monkeypatch.setattr("ray.util.list_named_actors", lambda all_namespaces: [{"name": "trial sweep-a-000 .x"}])

    def status():
        show_status(FleetStatusOptions(door.address))
        return capsys.readouterr().out

    assert "no training yet" in status() and "sweep              sweep-a-000\n" in status()
    door.train(QUICK)
    door.ask("take", "key", 0.0, STATUS)
    for name in ("pc", "pc2"):
        Wire(door.address, TOKEN, name).run()
    said = status()
    assert "a, seen 0" in said and "from outside       pc, pc2\n" in said and "steps              280,417\n" in said
    assert "steps/s            actor-0 21.9, a-pc-1 44, pc2 nothing yet\n" in said
    assert (
        "left out           640 steps; batches: pc 3 stale, actor-0 1 damaged, actor-0 2 that had come before\n" in said
    )
    assert "updates behind     2.4 in the mean, 7 at most\n" in said
    for number in range(MOST_WAITING + 1):
        door.ask("put", Caller("pc3", run="key"), bytes([number]))
    assert "8 batches to be learned from" in status() and "refused            1 times" in status()
    monkeypatch.setattr("ashen.lookout.GONE_AFTER_S", -1.0)
    assert "a, no answer since 0 s" in status()
    for how, text in ((STOPPED, "a was stopped, "), (ENDED, "a has ended; ")):
        door.train(QUICK)
        door.ask("close", "key", how)
        assert text in status() and "steps " not in status() and not door.ask("status")["learner"]


def test_a_head_that_is_back_is_told(door, tmp_path):
    """Breaks if a player does not say that the head has gone, what it does meanwhile, or that the head is back, also
    where no training goes on yet.
    """
    door.train(QUICK)
    client, told, others = client_at(door, tmp_path / "run", pace=1000.0), [], ExitStack()

    def should_stop():
        if client.sent_steps > 50 and not told:
            door.end()
        if len(told) == 1 and not others._exit_callbacks:
            others.enter_context(door_here(door.port))
        return len(told) == 2

    with others:
        client.play(should_stop, told.append)
    assert "cannot be reached" in told[0] and "playing on" in told[0]
    assert told[1].startswith("the head is back; ")
