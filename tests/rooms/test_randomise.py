import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES
from ashen.core.tables import Fact, boss_file, data_file, load_facts, plain, read_toml, walk
from ashen.sim.backend import SimBackend
from ashen.sim.pack import load_tables
from ashen.sim.vary import pool

MODES = ("facts", "wide")
WALK = ACTION_NAMES.index("walk_forward")


def facts() -> tuple[dict, dict]:
    """Facts of Iudex and of the player."""
    return load_facts(boss_file("iudex")), load_facts(data_file("ds3", "player.toml"))


def numbers(tree: object, path: str) -> np.ndarray:
    """The numbers at a dotted path of a plain tree, flat."""
    for key in path.split("."):
        tree = tree[int(key)] if isinstance(tree, list) else tree[key]
    return np.ravel(np.array(list(tree) if isinstance(tree, list) else tree, float))


@pytest.mark.parametrize("mode", MODES)
def test_every_number_varies_except_the_exact_ones(mode: str):
    """Breaks if a guess stays the same in every table of a pool, or a number that must not vary does."""
    pairs = pool(*facts(), mode, 0)
    exact = set(read_toml(data_file("variation.toml"))["exact"])
    for part, tree in enumerate(facts()):
        for path, fact in walk(tree):
            key = [name for name in path.split(".") if not name.isdigit()][-1]
            seen = {tuple(numbers(pair[part], path)) for pair in pairs}
            if path.startswith("inputs."):
                assert len(seen) > 1, path  # drawn from a spread of their own
            elif key in exact:
                assert seen == {tuple(np.ravel(np.array(fact.value, float)))}, path
            elif fact.confidence == "G" and np.any(
                np.array(fact.value)[..., 1:] if key == "motion_s_m" else fact.value
            ):
                assert len(seen) > 3, path  # wide arcs end at 180 degrees


@pytest.mark.parametrize("mode", MODES)
def test_scalars_stay_within_what_the_evidence_allows(mode: str):
    """Breaks if a number leaves the range of its table (shapes may, in wide), or a datamined one moves in facts."""
    pairs = pool(*facts(), mode, 1)
    shapes = ("half_arc_deg", "reach_m", "inner_m", "name_end_s", "next_motion_s")
    for part, tree in enumerate(facts()):
        for path, fact in walk(tree):
            if isinstance(fact.value, list) or path.endswith(shapes):
                continue
            drawn = np.array([numbers(pair[part], path)[0] for pair in pairs])
            if fact.range is not None:
                assert drawn.min() >= fact.range[0] and drawn.max() <= fact.range[1], path
            elif fact.confidence == "D" and mode == "facts":
                assert (drawn == fact.value).all(), path


def test_guesses_vary_more_than_measurements():
    """Breaks if confidence no longer decides how far a number may vary."""
    tree = {"one": {"walk_m": Fact(1.0, "x", "M"), "guess_m": Fact(1.0, "x", "G")}, "phases": {}}
    for mode in MODES:
        drawn = pool(tree, {}, mode, 0)
        measured, guessed = (np.std([pair[0]["one"][key] for pair in drawn]) for key in ("walk_m", "guess_m"))
        assert 0.0 < 5 * measured < guessed


@pytest.mark.parametrize("mode", MODES)
def test_varied_attacks_stay_possible(mode: str):
    """Breaks if a varied attack ends before it hits, or has a dead zone as large as its reach."""
    for boss, _ in pool(*facts(), mode, 2):
        for phase in boss["phases"].values():
            for attack in phase["attacks"].values():
                assert attack["next_motion_s"] >= attack["name_end_s"] >= attack.get("combo_s", 0.0)
                for hit in attack["hits"]:
                    assert 0.0 <= hit["window_s"][0] < hit["window_s"][1] <= attack["name_end_s"]
                    assert hit["inner_m"] < hit["reach_m"] and hit["half_arc_deg"] <= 180.0


def test_a_share_of_the_pool_is_the_table_itself():
    """Breaks if a training that asks for it never meets the boss of the table, or meets no other."""
    pairs = pool(*facts(), "facts", 3, share=0.75)
    own = tuple(plain(tree) for tree in facts())
    assert sum(pair == own for pair in pairs) == len(pairs) // 4
    assert all(pair == own for pair in pool(*facts(), "facts", 3, share=0.0))


def test_pools_follow_from_their_seed():
    """Breaks if the same seed gives other bosses, another seed the same ones, or the hash does not tell them apart."""
    path = boss_file("iudex")
    load_tables.cache_clear()
    first, first_hash = load_tables(path, "facts", 5)
    load_tables.cache_clear()
    again, again_hash = load_tables(path, "facts", 5)
    assert first.tobytes() == again.tobytes() and first_hash == again_hash
    hashes = {load_tables(path, mode, seed)[1] for mode in ("none", *MODES) for seed in (5, 6)}
    assert len(hashes) == 5


@pytest.mark.parametrize("mode", MODES)
def test_a_fight_keeps_its_boss_for_any_number_of_fights(mode: str):
    """Breaks if a fight's table depends on its neighbours, or all fights get the same one."""
    seeds = np.arange(40, dtype=np.uint64)
    many, actions = SimBackend("iudex", "full", 40, randomise=mode), np.zeros(40, np.int64)
    many.reset(np.ones(40, np.bool_), seeds)
    for _ in range(60):
        many.step(actions)
    one = SimBackend("iudex", "full", 1, randomise=mode)
    one.reset(np.ones(1, np.bool_), seeds[7:8])
    for _ in range(60):
        one.step(actions[:1])
    assert one.states[0].tobytes() == many.states[7].tobytes()
    assert len(set(many.snapshot()["variant"])) > 15


def with_inputs(**inputs: float) -> SimBackend:
    """One fight with its own odds of late and lost keys."""
    backend = SimBackend("iudex", "phase1", 1)
    backend.tables = backend.tables.copy()
    for key, value in inputs.items():
        backend.tables["rules"][key] = value
    backend.reset(np.ones(1, np.bool_), np.array([3], np.uint64))
    return backend


def path_of(backend: SimBackend, actions: list[int]) -> list[tuple[float, float]]:
    """Where the player stands after each action."""
    places = []
    for action in actions:
        backend.step(np.array([action]))
        places.append((float(backend.states["player_x_m"][0]), float(backend.states["player_y_m"][0])))
    return places


def test_a_late_fight_does_everything_one_step_later():
    """Breaks if latency is not exactly one step."""
    idle = ACTION_NAMES.index("nothing")
    prompt, late = with_inputs(), with_inputs(late_odds=1.0)
    now = path_of(prompt, [idle, WALK, WALK, idle])
    then = path_of(late, [WALK, WALK, idle, idle])
    assert np.allclose(now, then, atol=1e-5)


def test_lost_keys_do_nothing():
    """Breaks if a dropped action still has an effect."""
    places = path_of(with_inputs(drop_odds=1.0), [WALK] * 5)
    assert len(set(places)) == 1


def test_clocks_jitter_within_bounds_and_do_not_drift():
    """Breaks if the jitter of a clock adds up over steps, is missing, or leaves its bounds."""
    steady, shaky = with_inputs(), with_inputs(clock_jitter_s=0.004)
    off = []
    for _ in range(15):
        for backend in (steady, shaky):
            backend.step(np.array([ACTION_NAMES.index("nothing")]))
        off.append(float(shaky.states["player_animation_s"][0] - steady.states["player_animation_s"][0]))
    assert 0.001 < np.max(np.abs(off)) <= 0.004 + 1e-5


def test_an_unknown_way_to_randomise_is_named():
    """Breaks if a misspelt mode is taken for none, or the message does not name the nearest one."""
    with pytest.raises(UserError, match="did you mean 'wide'"):
        SimBackend("iudex", "full", 1, randomise="wild")


def test_every_guess_says_what_the_evidence_allows():
    """Breaks if a guessed number has no range, or lies outside its own: nobody could fit or vary it."""
    for tree in facts():
        for path, fact in walk(tree):
            if fact.confidence == "G" and not isinstance(fact.value, list):
                assert fact.range is not None, path
                assert fact.range[0] <= fact.value <= fact.range[1], path
