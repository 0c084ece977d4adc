"""The encoders against the fights recorded on the real game."""

import numpy as np
import pytest

import ashen
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.obs.dictionary import KEYS, dictionary_from, rows_from
from ashen.obs.encoders import make_encoder

ADD, MOVE, QUICK, LAND, FACE, FALL = (
    [0, 1, 2, 3, 4],
    [17, 18, 19, 23, 24, 25, 26],
    [27, 28],
    [39, 40],
    [41, 42],
    range(43, 50),
)
WALKS_AND_TURNS = (19, 20, 21, 22, 24, 25, 26, 27)


def _bin_order(count, groups):
    """SoulsAI numbers its bins in the order of SoulsGym's ids: id -> place."""
    places, seen = {}, {}
    for index in range(count):
        group = next((tuple(g) for g in groups if index in g), (index,))
        places[index] = seen.setdefault(group, len(seen))
    return places


PLAYER_PLACES = _bin_order(50, [ADD, MOVE, QUICK, LAND, FACE, FALL])
BOSS_PLACES = _bin_order(32, [WALKS_AND_TURNS])


def _soulsai(observations):
    """SoulsAI's 74 numbers, written from the evidence alone: NumPy, one dictionary at a time."""
    last, acc, cur, rows = None, 0.0, 0.0, []
    for seen in observations:
        player, boss, camera = (np.float64(seen[f"{name}_pose"]) for name in ("player", "boss", "camera"))
        duration = float(seen["boss_animation_duration"])
        name = int(seen["boss_animation"])
        if name in WALKS_AND_TURNS:
            if name != last:
                acc, last = cur + (0.1 - duration), name
            duration = cur = duration + acc
        else:
            acc, cur, last = 0.0, 0.0, name
        angle = np.arctan2(camera[3], camera[4])
        row = [seen[f"{n}"] / seen[n.replace("_", "_max_")] for n in ("player_hp", "player_sp", "boss_hp")]
        row += [np.hypot(*(boss[:2] - player[:2])) / 50]
        for pose in (player, boss):
            row += [*((pose[:3] - [110, 540, -73]) / [80, 100, 18]), np.sin(pose[3]), np.cos(pose[3])]
        row += [np.sin(angle), np.cos(angle), seen["player_animation_duration"], duration]
        for places, index in ((PLAYER_PLACES, int(seen["player_animation"])), (BOSS_PLACES, name)):
            row += [float(places.get(index) == place) for place in range(max(places.values()) + 1)]
        rows.append(row)
    return np.array(rows)


def test_onehot74_gives_soulsais_numbers_on_recorded_fights(recorded_fight):
    """Breaks if a number, its place, its scale or the running clock of walks and turns differs from SoulsAI's."""
    np.testing.assert_allclose(
        ashen.encode(recorded_fight.observations, "onehot74"), _soulsai(recorded_fight.observations), atol=2e-6
    )


def test_onehot74_gives_zeros_for_names_soulsgym_lacks(recorded_fight):
    """Breaks if an unknown name lights a one-hot number, as SoulsAI's encoder never does."""
    strange = [dict(recorded_fight.observations[5], player_animation=-1, boss_animation=-1)]
    extra = dict(recorded_fight.observations[5])
    extra["boss_animation"] = boss_vocabulary(boss_file("iudex")).id("Attack1500")
    extra["player_animation"] = player_vocabulary().id("DeathIdle")
    for seen in (strange, [extra]):
        assert not ashen.encode(seen, "onehot74")[:, 18:].any()


def test_raw26_is_the_flattened_dictionary(recorded_fight):
    """Breaks if the diary's 26 numbers change their order or value."""
    flat = [np.concatenate([np.ravel(seen[key]) for key in KEYS]) for seen in recorded_fight.observations]
    np.testing.assert_array_equal(ashen.encode(recorded_fight.observations, "raw26"), np.array(flat, np.float32))


def test_dictionaries_survive_the_way_through_fight_state(recorded_fight):
    """Breaks if translating SoulsGym's dictionaries to FIGHT_STATE and back loses anything."""
    back = dictionary_from(rows_from(recorded_fight.observations), make_encoder("dict").facts)
    assert tuple(back) == KEYS
    for key in KEYS:
        told = np.array([np.ravel(seen[key]) for seen in recorded_fight.observations])
        np.testing.assert_array_equal(back[key].reshape(told.shape), told)


@pytest.mark.parametrize("name", ["ashen", "onehot74", "raw26"])
def test_recorded_observations_lie_within_the_bounds(name, recorded_fight):
    """Breaks if a bound is too narrow for the real game."""
    encoder = make_encoder(name)
    seen = ashen.encode(recorded_fight.observations, name, actions=recorded_fight.actions)
    assert seen.shape == (len(recorded_fight.actions), len(encoder.names))
    assert (seen >= encoder.low).all()
    assert (seen <= encoder.high).all()
    assert np.isfinite(seen).all()
