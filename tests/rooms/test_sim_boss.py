"""The boss's rules: draws, chains, phases, hits, and the sameness of fights."""

from collections import Counter

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import NOTHING, Outcome
from ashen.core.tables import boss_file
from ashen.sim.backend import SimBackend
from ashen.sim.boss_ai import decide

ONE = np.ones(1, np.bool_)


def seeds(count: int, first: int = 0) -> np.ndarray:
    """Seeds first, first + 1, ..."""
    return np.arange(first, first + count, dtype=np.uint64)


def drawn_attacks(distance_m: float, draws: int = 4000) -> Counter:
    """The first attacks of acts drawn at one distance, dead ahead, nothing cooling down."""
    backend = SimBackend("iudex", "phase1", 1)
    backend.reset(ONE, seeds(1))
    world = backend.snapshot()
    world["boss_x"], world["boss_y"], world["boss_yaw"] = 139.0, 596.0, 0.0
    world["player_x"], world["player_y"] = 139.0, 596.0 - distance_m
    world["ready_f"] = 0
    names = Counter()
    for _ in range(draws):
        world["ready_f"] = 0
        decide(world[0], backend.tables[0])
        act = backend.tables[0]["acts"][0, world["act"][0]]
        names[backend.boss_vocabulary.name(int(act["chain"][world["chain"][0], 0]))] += 1
    return names


def test_far_away_he_charges_three_times_as_often_as_he_leaps():
    """Breaks if the datamined weights 75 : 25 beyond 10 m are not drawn."""
    names = drawn_attacks(13.0)
    assert set(names) == {"Attack3000", "Attack3002"}
    assert names["Attack3000"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_at_mid_range_he_mostly_thrusts_and_grabs_only_near():
    """Breaks if a distance band or the grab's factor 0.2 is lost."""
    names = drawn_attacks(5.0)
    assert names["Attack3012"] / 4000 == pytest.approx(75 / 95, abs=0.03)
    assert "Attack3010" not in names
    near = drawn_attacks(2.0)
    weights = {
        "Attack3003": 20,
        "Attack3004": 10,
        "Attack3007": 10,
        "Attack3010": 5,
        "Attack3011": 10,
        "Attack3012": 25,
    }
    total = sum(weights.values())
    for name, weight in weights.items():
        assert near[name] / 4000 == pytest.approx(weight / total, abs=0.03), name


def test_a_cooling_act_keeps_weight_one():
    """Breaks if a cooldown forbids an act or does nothing."""
    backend = SimBackend("iudex", "phase1", 1)
    backend.reset(ONE, seeds(1))
    world = backend.snapshot()
    world["boss_x"], world["boss_y"], world["boss_yaw"] = 139.0, 596.0, 0.0
    world["player_x"], world["player_y"] = 139.0, 583.0
    count = 0
    for _ in range(4000):
        world["ready_f"] = 0
        world["ready_f"][0, 0] = 300  # A1
        decide(world[0], backend.tables[0])
        count += int(world["act"][0]) == 0
    assert count / 4000 == pytest.approx(1 / 26, abs=0.012)


def test_the_phase_changes_in_the_full_fight_only():
    """Breaks if a training fight changes phase, or the full fight does not at 55 %."""
    for kind, expected in (("phase1", 1), ("full", 2)):
        backend = SimBackend("iudex", kind, 1)
        backend.reset(ONE, seeds(1))
        world = backend.snapshot()
        world["boss_hp"] = 570.0
        backend.restore(world)
        names = set()
        for _ in range(150):
            backend.step(np.array([NOTHING]))
            names.add(backend.boss_vocabulary.name(int(backend.states["boss_animation"][0])))
        assert backend.states["phase"][0] == expected
        assert ("Attack1500" in names) == (kind == "full")


def test_phase_two_shows_its_own_attacks_only():
    """Breaks if an animation that never occurs in a phase is played in it (fight_evidence: solid)."""
    absent = {
        "phase1": {"Attack3009", "Attack3015", "Attack1500"},
        "phase2": {"Attack3002", "Attack3007", "Attack3008", "Attack3011", "Attack3029", "Attack1500"},
    }
    for kind, never in absent.items():
        backend = SimBackend("iudex", kind, 64)
        backend.reset(np.ones(64, np.bool_), seeds(64))
        rng = np.random.default_rng(0)
        seen = set()
        for _ in range(600):
            backend.step(rng.integers(0, 20, 64))
            seen |= {backend.boss_vocabulary.name(int(i)) for i in np.unique(backend.states["boss_animation"])}
            backend.reset(backend.outcome() != Outcome.RUNNING)
        assert not seen & never
        assert len({name for name in seen if name.startswith("Attack")}) >= 10


def test_a_dead_boss_is_a_win():
    """Breaks if the kill is not noticed."""
    backend = SimBackend("iudex", "full", 1)
    backend.reset(ONE, seeds(1))
    world = backend.snapshot()
    world["boss_hp"] = 0.0
    backend.restore(world)
    backend.step(np.array([NOTHING]))
    assert backend.outcome()[0] == Outcome.WIN


def test_a_table_without_a_key_or_source_is_refused(tmp_path):
    """Breaks if a broken boss table loads, or fails with more than one clear line."""
    text = boss_file("iudex").read_text(encoding="utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace('hp = { v = 1037.0, s = "S3", c = "D" }', "hp = 1037.0"), encoding="utf-8")
    with pytest.raises(UserError, match="has no source"):
        SimBackend(str(broken), "full", 1)
    missing = tmp_path / "missing.toml"
    missing.write_text(text.replace("parry_stun_s", "parry_s"), encoding="utf-8")
    with pytest.raises(UserError, match="parry_stun_s"):
        SimBackend(str(missing), "full", 1)


def test_a_changed_number_changes_the_table_hash(tmp_path):
    """Breaks if two different bosses are recorded under one hash."""
    other = tmp_path / "other.toml"
    text = boss_file("iudex").read_text(encoding="utf-8")
    other.write_text(text.replace("v = 1037.0", "v = 1038.0"), encoding="utf-8")
    first, second = SimBackend("iudex", "full", 1), SimBackend(str(other), "full", 1)
    assert first.table_hash != second.table_hash
    assert second.states.dtype == first.states.dtype
