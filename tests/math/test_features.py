"""Features against geometry worked by hand."""

import math

import numpy as np
import pytest

from ashen.core.fight import FIGHT_STATE
from ashen.core.tables import boss_file, load_facts
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.obs.encoders import make_encoder
from ashen.obs.features import FEATURES, MEASURED, NO_STRIKE_M, NO_STRIKE_S, feature_index, measure


def _measured(**fields):
    """All features of a row that holds these fields."""
    row = np.zeros(1, FIGHT_STATE)
    row["player_max_hp"], row["player_max_sp"], row["boss_max_hp"] = 454, 95, 1037
    row["player_animation"] = player_vocabulary().id("Idle")
    row["boss_animation"] = -1
    for name, value in fields.items():
        row[name] = value
    room = np.zeros(1, MEASURED)
    measure(row[0], make_encoder("ashen").facts[0], room[0])
    return room[0]


def test_boss_on_the_players_left_and_behind_the_camera():
    """Breaks if left and right, or ahead and behind, are swapped in a frame."""
    # yaw pi faces (0, 1): north. The boss stands 3 m north and 4 m west, and faces south (yaw 0).
    seen = _measured(player_yaw_rad=math.pi, boss_x_m=-4, boss_y_m=3, boss_yaw_rad=0, camera_nx=0, camera_ny=-2)
    assert seen["distance_m"] == pytest.approx(5)
    assert seen["nearness"] == pytest.approx(math.exp(-5 / 3))
    assert seen["boss_ahead_m"] == pytest.approx(3, abs=1e-5)
    assert seen["boss_left_m"] == pytest.approx(4, abs=1e-5)
    assert (seen["boss_ahead"], seen["boss_left"]) == (pytest.approx(0.6), pytest.approx(0.8))
    # For the boss, who looks south, the player is 3 m ahead and, to the east, 4 m on his left.
    assert seen["player_ahead_m"] == pytest.approx(3, abs=1e-5)
    assert seen["player_left_m"] == pytest.approx(4, abs=1e-5)
    # The camera looks south, so the boss is behind its view and, to the west, on its right.
    assert (seen["boss_view_ahead"], seen["boss_view_left"]) == (pytest.approx(-0.6), pytest.approx(-0.8))
    assert (seen["player_view_ahead"], seen["player_view_left"]) == (pytest.approx(-1), pytest.approx(0, abs=1e-6))


def test_camera_bearing_is_measured_from_north():
    """Breaks if sine and cosine of the camera are swapped, which costs a real agent half its return."""
    seen = _measured(camera_nx=3, camera_ny=4)
    assert (seen["camera_sin"], seen["camera_cos"]) == (pytest.approx(0.6), pytest.approx(0.8))


def test_centre_lies_along_the_view():
    """Breaks if the arena's centre is mirrored in the camera's view."""
    # 10 m east of the centre, the camera looking north: the centre is 10 m to the left.
    seen = _measured(player_x_m=149, player_y_m=596, camera_nx=0, camera_ny=1)
    assert seen["centre_view_ahead_m"] == pytest.approx(0, abs=1e-4)
    assert seen["centre_view_left_m"] == pytest.approx(10, abs=1e-4)
    assert seen["player_centre_x_m"] == pytest.approx(10, abs=1e-4)


def test_cliff_probes_lie_where_the_keys_lead():
    """Breaks if a probe of the ground looks in another direction than the key of its name."""
    arena = make_encoder("ashen").facts["arena"][0]
    angle, reach = arena["open_angle_rad"], arena["cliff_radius_m"] - 5
    out_x, out_y = math.cos(angle), math.sin(angle)
    x, y = arena["center_x_m"] + reach * out_x, arena["center_y_m"] + reach * out_y
    for name, (nx, ny) in {
        "cliff_ahead_m": (out_x, out_y),
        "cliff_back_m": (-out_x, -out_y),
        "cliff_right_m": (-out_y, out_x),
        "cliff_left_m": (out_y, -out_x),
    }.items():
        seen = _measured(player_x_m=x, player_y_m=y, camera_nx=nx, camera_ny=ny)
        assert seen["cliff_m"] == pytest.approx(5, abs=1e-3)
        assert seen[name] == pytest.approx(1.5, abs=1e-3)


def test_time_to_free_action_counts_down_to_nothing():
    """Breaks if SoulsGym's lock table is read in another order or goes below 0."""
    roll = player_vocabulary().id("RollingMedium")  # 0.69, 0.73, 0.75 s
    seen = _measured(player_animation=roll, player_animation_s=0.7)
    assert seen["free_attack_s"] == 0
    assert seen["free_roll_s"] == pytest.approx(0.03, abs=1e-6)
    assert seen["free_move_s"] == pytest.approx(0.05, abs=1e-6)


def test_the_next_hit_is_the_tables():
    """Breaks if a hit is foreseen by another clock, reach or arc than the boss's table has for this phase."""
    # Attack3008 of phase 1 hits twice. The boss faces south (yaw 0); the player stands 3 m west of him, on his right.
    first, second = load_facts(boss_file("iudex"))["phases"]["1"]["attacks"]["Attack3008"]["hits"]
    attack = {"boss_animation": boss_vocabulary(boss_file("iudex")).id("Attack3008"), "phase": 1, "boss_x_m": 3}
    begin_s, end_s = first["window_s"].value
    before = _measured(**attack, boss_animation_s=begin_s - 0.2)
    assert before["strike_in_s"] == pytest.approx(0.2, abs=1e-6)
    assert before["strike_over_in_s"] == pytest.approx(0.2 + end_s - begin_s, abs=1e-6)
    assert before["strike_room_m"] == pytest.approx(3 - first["reach_m"].value, abs=1e-5)
    aside_deg = abs(-90 - first["bearing_deg"].value) - first["half_arc_deg"].value
    assert before["strike_room_rad"] == pytest.approx(math.radians(aside_deg), abs=1e-5)
    during = _measured(**attack, boss_animation_s=(begin_s + end_s) / 2)
    assert during["strike_in_s"] == 0 and during["strike_over_in_s"] > 0
    between = _measured(**attack, boss_animation_s=end_s + 0.01)
    assert between["strike_in_s"] == pytest.approx(second["window_s"].value[0] - end_s - 0.01, abs=1e-5)
    after = _measured(**attack, boss_animation_s=second["window_s"].value[1] + 0.01)
    assert (after["strike_in_s"], after["strike_room_m"]) == (NO_STRIKE_S, NO_STRIKE_M)


def test_bodies_in_one_place_have_a_direction_all_the_same():
    """Breaks if contact without distance gives NaN."""
    seen = _measured()
    assert (seen["boss_ahead"], seen["boss_left"]) == (1, 0)
    assert all(np.isfinite(seen[name]).all() for name in MEASURED.names)


def test_features_read_as_a_vector_keep_their_places():
    """Breaks if the record of features is padded, so that an index points at another feature."""
    assert MEASURED.itemsize == 4 * sum(feature.size for feature in FEATURES.values())
    room = np.zeros(1, MEASURED)
    room["free_move_s"] = 7
    assert room.view(np.float32)[feature_index("free_move_s")] == 7
