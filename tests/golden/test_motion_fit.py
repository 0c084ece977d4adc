"""Motion fitted to fights: simulated ones, whose motion is known, and the two recorded ones."""

import numpy as np
import pytest

from ashen.core.fight import Outcome
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.evaluation.alignment import drift
from ashen.evaluation.fit.attacks import fit_turn_rate
from ashen.evaluation.fit.table import fitted_table
from ashen.evaluation.recording import Recording, recorded_fights
from ashen.sim.backend import SimBackend
from ashen.sim.pack import load_tables
from ashen.sim.records import FRAMES_PER_S

TABLE = load_tables(boss_file("iudex"))[0][0]
ATTACKS, MOVES = boss_vocabulary(boss_file("iudex")), player_vocabulary()
ONE = np.ones(1, np.bool_)
TURN_RAD = np.radians(100.0) / FRAMES_PER_S


def another_boss() -> np.void:
    """The table with other motion: slower walks and rolls, shorter root motion, one turn rate."""
    truth = np.array([TABLE])[0]
    truth["rules"]["walk_forward_m"] *= 0.5
    truth["rules"]["run_m"] *= 0.7
    truth["moves"]["travel"] *= 0.8
    attacks = truth["attacks"][0]
    attacks["forward_m"] *= 0.6
    attacks["turn_rad"] = TURN_RAD
    attacks["stretch_from_f"] = attacks["stretch_to_f"] = -1
    return truth


def simulated_fight(table: np.void, seed: int, steps: int = 400) -> Recording:
    """A fight of random play by a table, as a recording."""
    backend, rng = SimBackend("iudex", "phase1", 1), np.random.default_rng(seed)
    backend.tables = np.array([table])
    backend.reset(ONE, np.array([seed], np.uint64))
    states, actions, masks = [backend.states[0].copy()], [0], [backend.valid_actions()[0].copy()]
    while len(states) < steps and backend.outcome()[0] == Outcome.RUNNING:
        actions.append(int(rng.integers(20)))
        backend.step(np.array(actions[-1:]))
        states.append(backend.states[0].copy())
        masks.append(backend.valid_actions()[0].copy())
    return Recording(np.array(states), np.array(actions), np.array(masks))


@pytest.fixture(scope="module")
def truth():
    """The table that fights are simulated by."""
    return another_boss()


@pytest.fixture(scope="module")
def fitted(truth):
    """What eighteen of its fights show, fitted from the boss's own table."""
    return fitted_table([simulated_fight(truth, seed) for seed in range(18)], TABLE, forget=True)


def test_known_speeds_are_found_again(truth, fitted):
    """Breaks if a walk, a run or a turn rate is read in another unit or direction."""
    for key in ("walk_forward_m", "walk_left_m", "walk_right_m"):
        assert fitted["rules"][key] == pytest.approx(truth["rules"][key], rel=0.03), key
    # A random walker seldom comes to full speed before he turns.
    assert fitted["rules"]["run_m"] == pytest.approx(truth["rules"]["run_m"], rel=0.1)


def test_known_ways_are_found_again(truth, fitted):
    """Breaks if root motion or a roll is put at other frames, or is not that of the motion's own clock."""
    roll = MOVES.id("RollingMedium")
    shown = slice(0, 24)
    assert fitted["moves"]["travel"][roll, shown].sum() == pytest.approx(
        truth["moves"]["travel"][roll, shown].sum(), rel=0.05
    )
    thrust = ATTACKS.id("Attack3012")
    way, wanted = (np.cumsum(table["attacks"][0, thrust]["forward_m"][:30]) for table in (fitted, truth))
    np.testing.assert_allclose(way, wanted, atol=0.08)


def test_known_turning_is_found_again(fitted):
    """Breaks if turning towards the player is taken for turning away, or is spread over too many frames."""
    rates = fitted["attacks"][0, ATTACKS.id("Attack3012")]["turn_rad"][6:30]
    assert np.median(rates) == pytest.approx(TURN_RAD, rel=0.1)


def test_a_fit_foretells_a_fight_it_has_not_seen(truth, fitted):
    """Breaks if fitted motion does not carry over, or is no better than motion of another boss."""
    fight = simulated_fight(truth, 99)
    ahead = {name: drift(fight, table, 10) for name, table in (("fitted", fitted), ("old", TABLE), ("true", truth))}
    assert np.median(ahead["fitted"].boss_m) < 0.15
    assert np.median(ahead["fitted"].boss_m) < 0.3 * np.median(ahead["old"].boss_m)
    assert np.median(ahead["fitted"].player_m) < 0.3 * np.median(ahead["old"].player_m)


def test_a_rate_is_not_blamed_for_turns_that_end_ahead():
    """Breaks if steps in which the boss came to face the player pull the rate down. By hand: 90 degrees a second."""
    step = np.radians(9.0)
    turned = np.array([step, step, np.radians(6.0), np.radians(1.0)])
    off = np.array([np.radians(60.0), np.radians(40.0), np.radians(6.0), np.radians(1.0)])
    assert fit_turn_rate(turned, off) == pytest.approx(step / 3)
    assert np.isnan(fit_turn_rate(turned[3:], off[3:]))


def test_what_a_fight_does_not_show_does_not_come_from_another():
    """Breaks if motion that only the other recorded fight shows leaks in through the table."""
    fight = recorded_fights()[1]
    fit = fitted_table([fight], TABLE, forget=True)
    spoilt = np.array([TABLE])[0]
    for key in ("forward_m", "left_m", "turn_rad", "stretch_most_m", "stretch_natural_m"):
        spoilt["attacks"][key] *= 7.0
    spoilt["moves"]["travel"] *= 7.0
    for key in ("walk_forward_m", "walk_left_m", "walk_right_m", "turn_rad", "tail_turn_rad", "run_m"):
        spoilt["rules"][key] *= 7.0
    again = fitted_table([fight], spoilt, forget=True)
    for key in ("rules", "moves"):
        assert fit[key].tobytes() == again[key].tobytes(), key
    assert fit["attacks"][0].tobytes() == again["attacks"][0].tobytes()


def test_what_a_fight_does_not_show_stays_if_it_may():
    """Breaks if a refit on a user's own fights throws away attacks that he has not met."""
    fit = fitted_table([recorded_fights()[1]], TABLE)
    unseen, seen = ATTACKS.id("Attack3000"), ATTACKS.id("Attack3014")
    assert fit["attacks"][0, unseen] == TABLE["attacks"][0, unseen]
    assert not np.array_equal(fit["attacks"][0, seen]["forward_m"], TABLE["attacks"][0, seen]["forward_m"])
    assert fit["attacks"][1].tobytes() == TABLE["attacks"][1].tobytes()
