"""Batches on their way, and what is learned from and what is not."""

import io
import pickle
from dataclasses import replace

import numpy as np
import pytest
from small_fleet import SMALL, TAG, batch_of

from ashen.agents.acting import acting_state
from ashen.core.errors import SettingError, UserError
from ashen.training.fleet.batch import Batch, Tag, digest_of, from_bytes, merged, to_bytes
from ashen.training.fleet.ledger import DAMAGED, DOUBLE, EMPTY, STALE, Ledger
from ashen.training.fleet.plan import FleetPlan, check_learner, share_of
from ashen.training.fleet.weights import packed, unpacked

pytestmark = pytest.mark.fleet
DQN = replace(SMALL, algorithm="dqn")


def with_a_fight(batch, gatherer):
    """Batches, of which the last holds a recorded fight."""
    batches = [batch]
    while not batches[-1].fights and len(batches) < 50:
        batches.append(gatherer.play().sealed())
    return batches


@pytest.mark.parametrize("recipe", [SMALL, DQN], ids=["ppo", "dqn"])
def test_a_batch_comes_back_as_it_was(gathered, recipe):
    """Breaks if anything of a batch is lost or changed on its way as bytes."""
    batch, _ = gathered(recipe)
    back = from_bytes(to_bytes(batch))
    assert batch.is_whole and back.is_whole and back.tag == batch.tag == TAG
    assert (back.player, back.life, back.number) == (batch.player, batch.life, batch.number)
    for name, values in batch.part.items():
        np.testing.assert_array_equal(back.part[name], values)
    assert str(back.counts) == str(batch.counts)


def test_the_checksum_sees_every_change():
    """Breaks if a batch passes for whole whose values, shape, type, order or names are others than were gathered."""
    values = np.arange(6, dtype=np.float32)
    batch = replace(batch_of(0), part={"obs": values}, digest=digest_of({"obs": values}))
    assert batch.is_whole
    assert replace(batch, part={"obs": np.repeat(values, 2)[::2]}).is_whole  # the same values, not end to end in memory
    flipped = values.copy()
    flipped.view(np.uint32)[3] ^= 1
    others = [flipped, values[::-1], values.reshape(2, 3), values.view(np.int32), values[:5]]
    assert not any(replace(batch, part={"obs": other}).is_whole for other in others)
    assert not replace(batch, part={"next_obs": values}).is_whole
    assert not replace(batch, digest=Batch.digest).is_whole  # which nobody has sealed


def test_recorded_fights_come_along(gathered):
    """Breaks if a fight that was recorded on the way is not in the next batch, is there twice, or does not say whose
    it is.
    """
    batches = with_a_fight(*gathered(DQN))
    fight = from_bytes(to_bytes(batches[-1])).fights[0]
    assert fight.meta["kind"] == "training" and fight.meta["player"] == "one"
    assert len(fight.states) == len(fight.actions) + 1
    assert sum(len(batch.fights) for batch in batches) == 1


@pytest.mark.parametrize(
    "what", ["pickle", "array of objects", "nothing", "other archive", "path in a name", "no seal"]
)
def test_what_is_no_batch_is_refused(gathered, what):
    """Breaks if bytes from outside are unpickled, if a recorded fight could be written to another place, or if steps
    from another machine could pass without a sum.
    """
    file = io.BytesIO()
    if what == "pickle":
        pickle.dump({"about": 1}, file)
    elif what == "array of objects":
        np.savez(file, about=np.array([{"a": 1}], object))
    elif what == "other archive":
        np.savez(file, about=np.zeros(3, np.uint8))
    elif what == "path in a name":
        batch = with_a_fight(*gathered(DQN))[-1]
        fight = batch.fights[0]
        bad = replace(batch, fights=[replace(fight, meta=fight.meta | {"kind": "../../x"})])
        file.write(to_bytes(bad))
    elif what == "no seal":
        file.write(to_bytes(replace(gathered(DQN)[0], digest=None)))
    with pytest.raises(UserError):
        from_bytes(file.getvalue())


def test_the_ledger_tells_lost_double_and_damaged():
    """Breaks if a batch is learned from twice or damaged, if one that never came is not noticed, or if what came counts
    as learned from before it is, as in a round of PPO that Ctrl-C cuts off; or if rows forget who plays and had no
    turn, or never forget who has left.
    """
    ledger = Ledger("a session", 10)
    fit = batch_of(0), batch_of(3), batch_of(0, life="another")
    assert ledger.check(fit[0], 0) is None
    assert ledger.check(batch_of(0), 0) == DOUBLE
    assert ledger.check(fit[1], 0) is None  # 1 and 2 never came
    assert ledger.check(replace(batch_of(4), digest=1), 0) == DAMAGED
    assert ledger.check(fit[2], 0) is None
    account = ledger.accounts["p"]
    assert (account.batches, account.steps, account.lost) == (0, 0, 2)
    for batch in fit:
        ledger.take(batch, 0)
    assert (account.batches, account.steps, account.lost) == (3, 15, 2)
    assert account.left_out == {"damaged": 1, "double": 1, "empty": 0, "stale": 0}
    row = ledger.take_row(2.0)
    assert row["fleet/steps_per_s/p"] == 7.5 and row["fleet/left_out_steps"] == 5.0
    assert row["fleet/lost_batches"] == 2.0
    assert ledger.take_row(20.0)["fleet/steps_per_s/p"] == 0.0
    ledger.check(replace(batch_of(5), digest=1), 0)  # it plays, though nothing is learned from
    assert ledger.take_row(20.0)["fleet/steps_per_s/p"] == 0.0
    assert ledger.take_row(20.0)["fleet/steps_per_s/p"] == 0.0
    assert "fleet/steps_per_s/p" not in ledger.take_row(20.0)


def test_the_bound_of_staleness():
    """Breaks if an off-policy learner takes what lies beyond the bound, or forgets what it knew on resuming."""
    ledger = Ledger("a session", 10)
    assert ledger.check(batch_of(0), 10) is None
    assert ledger.check(batch_of(1), 11) == STALE
    again = Ledger("another", 10)
    again.load_state_dict(ledger.state_dict())
    assert again.check(batch_of(1), 0) == DOUBLE and again.check(batch_of(2), 0) is None


def test_ppo_takes_what_its_present_policy_of_this_session_has_played():
    """Breaks if versions of a policy are mixed: the same number before a resume is another policy."""
    ledger = Ledger("a session", 0)
    assert ledger.check(batch_of(0, Tag("a session", 3)), 3) is None
    for number, (tag, version) in enumerate([
        (Tag("a session", 2), 3),
        (Tag("before", 3), 3),
        (Tag("a session", 4), 3),
    ]):
        assert ledger.check(batch_of(number + 1, tag), version) == STALE


def test_what_never_became_a_rollout_is_not_learned_from(gathered):
    """Breaks if a player that ends in the middle of a rollout brings the learner down, or its fights get lost."""
    whole, gatherer = gathered()
    rest = gatherer.play(should_stop=iter([False, True]).__next__)
    assert rest.counts["steps"] > 0 and not rest.part
    ledger = Ledger("a session", 0)
    assert (ledger.check(whole, 0), ledger.check(rest, 0)) == (None, EMPTY)
    assert ledger.accounts["one"].left_out[EMPTY] == 1


def test_fights_of_all_lives_have_numbers_of_their_own():
    """Breaks if a fault of one player's fight takes another's out of the replay."""
    ledger = Ledger("a session", 10)
    firsts = [ledger.first_fight(life) for life in ("a", "b", "a")]
    assert firsts[0] == firsts[2] != firsts[1] and abs(firsts[1] - firsts[0]) >= 2**40


@pytest.mark.parametrize("players", [1, 2, 3, 5, 8, 64])
def test_shares_make_up_the_whole(players):
    """Breaks if more players learn from other amounts than one: fights and rollouts have to add up."""
    shares = share_of(SMALL, players, "one", "life")
    steps = players * shares.num_envs * shares.ppo.rollout_steps
    assert abs(steps - SMALL.num_envs * SMALL.ppo.rollout_steps) <= 0.15 * 64
    assert shares.num_envs * players <= max(SMALL.num_envs, players)


def test_players_have_random_numbers_of_their_own():
    """Breaks if two players, or one that was replaced, play the same fights again."""
    seeds = {share_of(SMALL, 2, name, life).seed for name in ("a", "b") for life in ("x", "y")}
    assert len(seeds) == 4


def test_what_no_fleet_can_do_is_said():
    """Breaks if a wrong plan is found out only when players start."""
    with pytest.raises(SettingError):
        FleetPlan(actors=-1)
    for address in ("http://10.0.0.5:8420", "10.0.0.5"):
        with pytest.raises(SettingError, match="must be HOST:PORT"):
            FleetPlan(fleet=address)
    with pytest.raises(UserError, match="ashen fleet join ADDRESS --game"):
        check_learner(replace(SMALL, backend="game", num_envs=1), FleetPlan(actors=2))
    with pytest.raises(UserError, match="rollout"):
        check_learner(SMALL, FleetPlan(actors=100))


def test_networks_travel_without_pickles(gathered):
    """Breaks if a player acts otherwise than the learner would, or reads bytes that are no networks."""
    _, gatherer = gathered(DQN)
    data = packed(acting_state(gatherer.agent), Tag("s", 7))
    state, tag = unpacked(data)
    assert tag == Tag("s", 7) and state.counters["steps"] == 0
    for name, tensor in acting_state(gatherer.agent).tensors.items():
        np.testing.assert_array_equal(state.tensors[name].numpy(), tensor.numpy())
    for bad in (b"", pickle.dumps({"a": 1}), data[:100]):
        with pytest.raises(UserError, match="networks"):
            unpacked(bad)


@pytest.mark.parametrize("fights", [1, 4])
def test_a_pace_is_kept(gathered, monkeypatch, fights):
    """Breaks if a paced player plays faster than it may, with all its fights together: so many steps of the game take
    so much of its clock.
    """
    now, slept = [0.0], []
    monkeypatch.setattr("ashen.training.fleet.gatherer.time.monotonic", lambda: now[0])

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("ashen.training.fleet.gatherer.time.sleep", sleep)
    batch, gatherer = gathered(replace(DQN, num_envs=fights), players=1, pace=22.0)
    steps = batch.counts["game_steps"]
    for _ in range(9):
        steps += gatherer.play().counts["game_steps"]
    assert now[0] == pytest.approx(10 * 0.5, rel=0.15)
    assert steps / now[0] == pytest.approx(22.0)


def test_parts_are_merged_in_order():
    """Breaks if steps of a batch change places."""
    whole = merged([{"rows": np.array([1, 2])}, {"rows": np.array([3])}])
    assert whole["rows"].tolist() == [1, 2, 3]
