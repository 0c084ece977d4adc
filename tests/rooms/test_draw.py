"""Pictures: what is seen follows the state."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, FIGHT_STATE, REPORTED_STEP_S, STEP_S, Outcome
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.draw import Overlay, between, ink, picture
from ashen.draw.attacks import boss_attacks, boss_hits, is_invulnerable, sword_hit
from ashen.draw.ground import follow, paint_ground

IUDEX = boss_file("iudex")
SIZE = (480, 270)


def standing(**fields: float) -> np.void:
    """The boss in the arena's middle, facing the player 5 m to the south, who faces him; the camera looks north."""
    state = np.zeros(1, FIGHT_STATE)[0]
    values = {"phase": 1, "player_hp": 454, "player_max_hp": 454, "player_sp": 95, "player_max_sp": 95}
    values |= {"boss_hp": 1037, "boss_max_hp": 1037, "boss_x_m": 139.0, "boss_y_m": 596.0, "camera_ny": 1.0}
    values |= {"player_x_m": 139.0, "player_y_m": 591.0, "player_yaw_rad": np.pi, "previous_boss_attack": -1}
    values |= {"player_animation": player_vocabulary().id("Idle"), "boss_animation": boss_id("IdleBattle")}
    for name, value in (values | fields).items():
        state[name] = value
    return state


def boss_id(name: str) -> int:
    """The id of a boss animation."""
    return boss_vocabulary(IUDEX).id(name)


def reported(seconds: float) -> float:
    """What the game's slow clock shows after some real seconds."""
    return seconds * REPORTED_STEP_S / STEP_S


def where(image: NDArray[np.uint8], colour: ink.Colour, tolerance: int = 6) -> NDArray[np.int64]:
    """Row and column [P, 2] of every pixel of a colour."""
    return np.argwhere((np.abs(image.astype(int) - colour) <= tolerance).all(axis=2))


def middle(image: NDArray[np.uint8], colour: ink.Colour) -> NDArray[np.float64]:
    """Mean row and column of a colour, of the pixels below the bars in the upper left and above the boss's."""
    spots = where(image, colour)
    return spots[(spots[:, 0] > 40) & (spots[:, 0] < 0.86 * len(image))].mean(axis=0)


def danger(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Row and column [P, 2] of every pixel of a striking attack's shape, in a picture without its bars."""
    red, green, blue = np.moveaxis(image.astype(int), 2, 0)
    return np.argwhere((red > 140) & (green < 90) & (blue < 90))


def test_picture_has_the_size_asked_for_and_repeats_itself():
    """Breaks if films would get pictures of another shape or type, or if anything random gets in."""
    image = picture(standing(), size=SIZE)
    assert image.shape == (270, 480, 3)
    assert image.dtype == np.uint8
    assert np.array_equal(image, picture(standing(), size=SIZE))
    assert picture(standing(), str(IUDEX), Overlay(action=3), SIZE).shape == (270, 480, 3)


@pytest.mark.parametrize("size", [(481, 270), (480, 271), (100, 50)])
def test_sizes_no_film_can_have_are_refused(size: tuple[int, int]):
    """Breaks if an odd size gets as far as the video encoder."""
    with pytest.raises(UserError, match="even"):
        picture(standing(), size=size)


def test_hp_bars_are_as_long_as_the_hp_left():
    """Breaks if a bar shows anything but the share of hit points left."""
    full = len(where(picture(standing()), ink.HP, 0))
    player_half = len(where(picture(standing(player_hp=227)), ink.HP, 0))
    boss_half = len(where(picture(standing(boss_hp=518.5)), ink.HP, 0))
    dead = len(where(picture(standing(player_hp=0, boss_hp=0)), ink.HP, 0))
    assert dead == 0
    assert (full - player_half) / full + (full - boss_half) / full == pytest.approx(0.5, abs=0.02)


def test_hp_lost_lately_is_yellow():
    """Breaks if a blow just taken cannot be seen in the bar."""
    image = picture(standing(player_hp=227), overlay=Overlay(hp_before=(454, 1037)))
    assert len(where(image, ink.HP_LOST, 0)) == pytest.approx(0.5 * 230 * 11, rel=0.05)


def test_stamina_below_zero_is_an_empty_bar():
    """Breaks if negative stamina draws a bar leftwards or fails."""
    assert len(where(picture(standing(player_sp=-60)), ink.STAMINA, 0)) == 0
    assert len(where(picture(standing()), ink.STAMINA, 0)) > 500


@pytest.mark.parametrize(("dx", "dy"), [(5.0, 0.0), (-5.0, 0.0), (0.0, 5.0), (0.0, -5.0)])
def test_the_player_is_drawn_where_he_stands(dx: float, dy: float):
    """Breaks if x does not run to the right and y upwards: lefts and rights of all films would be swapped."""
    image = picture(standing(player_x_m=139.0 + dx, player_y_m=596.0 + dy), size=SIZE)
    down, right = middle(image, ink.PLAYER) - middle(image, ink.BOSSES[1])
    far = np.hypot(down, right)
    assert (right, -down) == pytest.approx((far * dx / 5.0, far * dy / 5.0), abs=0.25 * far)


def test_an_attack_is_faint_before_it_strikes_solid_while_it_does_and_gone_after():
    """Breaks if the danger shown and the table's hit window part."""
    (hit,) = boss_attacks(IUDEX)[1, "Attack3004"].hits
    during = 0.5 * (hit.start_s + hit.end_s)
    images = [
        picture(standing(boss_animation=boss_id("Attack3004"), boss_animation_s=reported(clock_s)))
        for clock_s in (hit.start_s - 0.5, during, hit.end_s + 0.2)
    ]
    red = [len(danger(image[60:440])) for image in images]
    bare = picture(standing(boss_animation=boss_id("Attack3004")))
    changed = [(image[60:440] != bare[60:440]).any(axis=2).sum() for image in images]
    assert red[0] == red[2] == 0
    assert red[1] > 10_000
    assert changed[0] > 10_000
    assert changed[2] == 0


def test_an_attack_is_drawn_ahead_of_the_boss():
    """Breaks if the shape does not turn with the boss, or turns the wrong way round."""
    (hit,) = boss_attacks(IUDEX)[1, "Attack3000"].hits
    fields = {"boss_animation": boss_id("Attack3000"), "boss_animation_s": reported(hit.start_s + 0.01)}
    for yaw_rad, ahead in ((0.0, (1, 0)), (np.pi, (-1, 0)), (0.5 * np.pi, (0, -1)), (-0.5 * np.pi, (0, 1))):
        image = picture(standing(boss_yaw_rad=yaw_rad, player_animation=-1, **fields))[60:440]
        shape = danger(image).mean(axis=0) - where(image, ink.BOSSES[1]).mean(axis=0)
        assert shape / np.hypot(*shape) == pytest.approx(ahead, abs=0.2)


def test_an_attack_named_during_another_motion_starts_when_that_motion_may_end():
    """Breaks if films show danger at a chained attack's name instead of at its late motion."""
    before = boss_attacks(IUDEX)[1, "Attack3012"]
    assert "Attack3013" in before.follow_ups

    def clock_s(name: str, age_s: float) -> float:
        """The motion's clock 1.5 s after ``name`` followed on an Attack3012 that had been shown for ``age_s``."""
        fields = {"boss_animation": boss_id(name), "boss_animation_s": reported(1.5)}
        fields |= {"previous_boss_attack": boss_id("Attack3012"), "previous_boss_attack_since_s": reported(age_s + 1.5)}
        return boss_hits(standing(**fields), IUDEX)[1]

    assert clock_s("Attack3004", before.next_motion_s - 0.8) == pytest.approx(0.7, abs=1e-5)
    assert clock_s("Attack3004", before.next_motion_s + 1.0) == pytest.approx(1.5, abs=1e-5)
    assert clock_s("Attack3013", before.next_motion_s - 0.8) == pytest.approx(1.5, abs=1e-5)


def test_swing_and_dodge_show_for_as_long_as_the_tables_say():
    """Breaks if the sword's sector or the ring of a roll that nothing hits is shown at other times."""
    swing, roll = player_vocabulary().id("AttackRightLight1"), player_vocabulary().id("RollingMedium")
    swings = [
        sword_hit(standing(player_animation=swing, player_animation_s=reported(s)), boss_file("iudex"))
        for s in (0.4, 0.5, 0.7)
    ]
    assert [hit is not None for hit in swings] == [False, True, False]
    rolls = [
        is_invulnerable(standing(player_animation=roll, player_animation_s=reported(s)), boss_file("iudex"))
        for s in (0.1, 0.3, 0.6)
    ]
    assert rolls == [True, True, False]


@pytest.mark.parametrize(
    ("action", "ahead"), [("roll_forward", (-1, 0)), ("walk_right", (0, 1)), ("roll_left", (0, -1))]
)
def test_the_arrow_points_where_the_action_leads(action: str, ahead: tuple[int, int]):
    """Breaks if directions are not taken clockwise from the camera's."""
    overlay = Overlay(action=ACTION_NAMES.index(action))
    image = picture(standing(), overlay=overlay)[60:440, :680]
    arrow = where(image, ink.CHOSEN, 60).mean(axis=0) - where(image, ink.PLAYER).mean(axis=0)
    assert arrow / np.hypot(*arrow) == pytest.approx(ahead, abs=0.35)


def test_bars_of_actions_follow_the_scores_and_the_mask():
    """Breaks if a likelier action has no longer bar, or an invalid one has any."""
    names = ("light_attack", "parry", "nothing")

    def track_and_bar(mask: list[bool], scores: list[float]) -> tuple[int, int]:
        overlay = Overlay(
            action_names=names, action=2, scores=np.array(scores, np.float32), mask=np.array(mask), return_so_far=0.0
        )
        panel = picture(standing(), overlay=overlay)[:, 690:]
        return len(where(panel, ink.TRACK, 0)), len(where(panel, ink.FAINT, 0))

    _, low = track_and_bar([True] * 3, [0.1, 0.0, 0.9])
    _, high = track_and_bar([True] * 3, [0.6, 0.0, 0.4])
    masked, none = track_and_bar([False, True, True], [0.6, 0.0, 0.4])
    assert high - low > 300
    assert none < low
    assert masked > 0
    lacking, _ = track_and_bar([True] * 3, [np.nan, 0.0, 0.4])
    assert lacking == masked, "an action without a score is drawn as if the agent had it"


def test_q_values_of_any_size_are_drawn():
    """Breaks if Q-values that are equal, negative, or minus infinity for invalid actions break the panel."""
    for scores in (np.zeros(20), -np.arange(20.0), np.where(np.arange(20) < 5, -np.inf, 1.0)):
        overlay = Overlay(scores=scores.astype(np.float32), score_kind="q_values", mask=np.isfinite(scores))
        assert picture(standing(), overlay=overlay, size=SIZE).shape == (270, 480, 3)


def test_an_overlay_whose_numbers_do_not_fit_its_names_is_refused():
    """Breaks if scores of one set of actions can be shown under the names of another."""
    with pytest.raises(UserError, match="20 action names"):
        Overlay(scores=np.zeros(16, np.float32))


def test_banner_only_at_the_end():
    """Breaks if a running fight is called won, or a won one is not."""
    running, won = (picture(standing(), overlay=Overlay(outcome=out)) for out in (Outcome.RUNNING, Outcome.WIN))
    assert len(where(running, ink.CHOSEN, 0)) == 0
    assert len(where(won[80:190], ink.CHOSEN, 0)) > 500


def test_unknown_animations_and_places_outside_the_arena_are_drawn():
    """Breaks if a name the tables lack, or a body that fell over the cliff, ends a film."""
    state = standing(player_animation=-1, boss_animation=-1, player_x_m=139.0 + 40.0, player_y_m=560.0, phase=2)
    assert picture(state, size=SIZE).shape == (270, 480, 3)


def test_bodies_move_between_steps_by_the_shorter_turn():
    """Breaks if a body spins the long way round between two steps, or its clock does not run on."""
    now, after = np.zeros(2, FIGHT_STATE)
    now["player_x_m"], after["player_x_m"] = 1.0, 3.0
    now["boss_yaw_rad"], after["boss_yaw_rad"] = 3.0, 3.0 - 2.0 * np.pi + 0.6
    now["boss_hp"], after["boss_hp"] = 100.0, 50.0
    half = between(now, after, 0.5)
    assert half["player_x_m"] == 2.0
    assert half["boss_yaw_rad"] == pytest.approx(3.3)
    assert half["boss_hp"] == 100.0
    assert half["boss_animation_s"] == pytest.approx(0.5 * REPORTED_STEP_S)
    assert between(now, after, 0.0) == now


@pytest.mark.parametrize("bearing_rad", [0.0, 1.1, np.pi, -2.0])
def test_a_turned_picture_has_the_camera_looking_up(bearing_rad: float):
    """Breaks if who plays and steers forward does not see the player go up, or if the ground turns another way."""
    across, along = np.cos(bearing_rad), np.sin(bearing_rad)
    ahead = {"boss_x_m": 139.0 + 5.0 * across, "boss_y_m": 594.0 + 5.0 * along, "player_x_m": 139.0}
    faces = {"player_yaw_rad": -0.5 * np.pi - bearing_rad, "boss_yaw_rad": 0.5 * np.pi - bearing_rad}
    state = standing(**ahead, **faces, player_y_m=594.0, camera_nx=across, camera_ny=along)
    image = picture(state, size=SIZE, camera_up=True)
    down, right = middle(image, ink.BOSSES[1]) - middle(image, ink.PLAYER)
    assert right == pytest.approx(0.0, abs=2.0)
    assert down < -30.0


@pytest.mark.parametrize("up_rad", [0.3, -2.5, np.pi])
def test_the_ground_turns_with_the_bodies(up_rad: float):
    """Breaks if a turned picture paints wall and cliff elsewhere than where they stop a body."""
    far = standing(player_x_m=139.0 - 20.0, boss_x_m=139.0 + 20.0, player_y_m=596.0)
    views = [follow(far, 400, 400, up) for up in (0.5 * np.pi, up_rad)]
    grounds = [np.asarray(paint_ground(IUDEX, view).convert("L"), np.float64) for view in views]
    places = 139.0 + np.random.default_rng(0).uniform(-17.0, 17.0, (500, 2)) + (0.0, 457.0)
    seen = []
    for view, ground in zip(views, grounds, strict=True):
        columns, rows = np.array([view.place(*place) for place in places]).astype(int).T
        seen.append(ground[rows, columns])
    assert np.corrcoef(*seen)[0, 1] > 0.9
