"""Both builds of soulsgym are told apart by what they have: small stand-ins for what differs between them."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fake_game.head import HeadGame, HeadIudex, HeadIudexDemo, HeadVordt

from ashen.core.errors import UserError
from ashen.core.fight import NUM_ACTIONS
from ashen.game import soulsgym_builds as builds
from ashen.game.faults import classify
from ashen.game.soulsgym_builds import FightSpec
from ashen.game.unstick import RESTORED, restore

pytestmark = pytest.mark.game
LOW, HIGH = [110.0, 540.0, -73.0, -3.14], [190.0, 640.0, -55.0, 3.14]


class OnPyPI:
    """What ours asks of an environment of 1.1.0."""

    def __init__(self, game_speed=1.0, phase=1, init_pose_randomization=False):
        self.given = {"game_speed": game_speed, "phase": phase}
        self.env_args = SimpleNamespace(coordinate_box_low=LOW, coordinate_box_high=HIGH)
        self._init_pose_randomization = init_pose_randomization
        self._is_init = self._phase_init = False
        self._internal_state = None


@pytest.mark.parametrize(
    ("maker", "start", "flags"),
    [
        (OnPyPI, "_init_pose_randomization", ("_is_init", "_phase_init")),
        (HeadIudex, "_random_player_pose", ("_is_init", "_arena_init", "_phase_init")),
        (HeadIudexDemo, "_random_player_pose", ("_is_init", "_arena_init", "_phase_init")),
        (HeadVordt, None, ("_is_init", "_arena_init", "_phase_init")),
    ],
)
def test_an_environment_is_read_and_set_by_its_own_names(maker, start, flags):
    """Breaks if state, arena, starts or set-up of one build are looked for under the other's names."""
    env = maker()
    setattr(env, "_internal_state" if maker is OnPyPI else "_game_state", state := object())
    assert builds.state_of(env) is state
    box = ([13.0, -7.0, -27.0], [42.0, 46.0, -15.0]) if maker is HeadVordt else (LOW[:3], HIGH[:3])
    assert builds.arena_box(env) == box
    for flag in flags:
        setattr(env, flag, True)
    before = set(vars(env))
    builds.set_random_start(env, True)
    assert start is None or getattr(env, start) is True
    builds.forget_setup(env)
    assert not any(getattr(env, flag) for flag in flags)
    assert set(vars(env)) == before  # a name of the other build's would be read by nobody


@pytest.mark.parametrize("name", ["focus_application", "focus"])
def test_the_window_comes_to_the_front_by_its_own_name(name):
    """Breaks if the window of one build is asked by the other's name, or what Windows refuses is swallowed."""
    asked = []
    env = SimpleNamespace(_game_window=SimpleNamespace(**{name: lambda: asked.append(name)}))
    builds.focus(env)
    assert asked == [name]
    setattr(env._game_window, name, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        builds.focus(env)


@pytest.mark.parametrize("info", [{"allowed_actions": [0, 19]}, {"action_mask": np.eye(1, 20)[0] + np.eye(20)[19]}])
def test_the_valid_actions_are_a_mask(info):
    """Breaks if a list of actions is taken for a mask, or the other way round."""
    mask = builds.mask_of(info)
    assert (mask.shape, mask.dtype) == ((NUM_ACTIONS,), np.bool_)
    assert np.flatnonzero(mask).tolist() == [0, 19]


@pytest.mark.parametrize(
    ("maker", "fight", "given"),
    [
        (OnPyPI, "phase2", {"game_speed": 3.0, "phase": 2}),
        (HeadIudex, "phase2", {"game_speed": 3.0, "phase": 2, "skip_steps": False}),
        (HeadIudexDemo, "full", {"game_speed": 3.0, "phase": 1, "skip_steps": False}),
    ],
)
def test_constructors_get_what_they_take(fake, monkeypatch, maker, fight, given):
    """Breaks if a build's environment is made with an argument that it has not, or lets steps pass by itself."""
    name = "IudexEnvDemo" if fight == "full" else "IudexEnv"
    monkeypatch.setattr(f"soulsgym.envs.darksouls3.iudex.{name}", maker)
    assert builds.make_env(FightSpec("iudex", "iudex.toml", fight, 3.0, False)).given == given


def test_vordt_is_fought_only_where_he_is(fake, monkeypatch):
    """Breaks if the head's Vordt cannot be made, or a build without him is a traceback."""
    spec = FightSpec("vordt", "vordt.toml", "phase1", 2.0, False)
    module = ModuleType("soulsgym.envs.darksouls3.vordt")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(UserError, match="this build of soulsgym has no vordt, its GitHub head has"):
        builds.make_env(spec)
    assert builds.bosses() == ["iudex"]
    module.VordtEnv = HeadVordt
    assert builds.bosses() == ["iudex", "vordt"]
    assert builds.make_env(spec).given == {"game_speed": 2.0, "phase": 1}


def test_a_game_is_left_by_the_names_it_has():
    """Breaks if what one build cannot put back keeps the rest from being put back."""

    class Game:
        allow_hits = allow_attacks = False
        game_speed = 0.0

        def __init__(self):
            self._game_input = SimpleNamespace(state={"lock_on": False, "roll": True}, reset=lambda: None)

    game = Game()
    assert restore(game) == {}
    assert set(vars(game)) == {"allow_hits", "allow_attacks", "game_speed", "_game_input"} <= {*RESTORED, "_game_input"}
    assert game._game_input.state == {"lock_on": True, "roll": True}  # so that its reset lets go of all of them


def test_all_that_a_run_changes_is_put_back_by_the_heads_names():
    """Breaks if something of a run stays in a game of the head's because it is looked for under another name."""
    game = HeadGame()
    for name in RESTORED:
        assert hasattr(type(game), name)
        setattr(game, name, 0.0)
    assert restore(game) == {}
    assert {name: getattr(game, name) for name in RESTORED} == RESTORED


def test_what_the_head_raises_is_told_apart():
    """Breaks if the head's own errors, which come as the cause of another, are called unknown."""
    ours = type("SoulsGymException", (Exception,), {"__module__": "soulsgym.exception"})
    state, reset = (type(name, (ours,), {"__module__": ours.__module__}) for name in ("GameStateError", "ResetError"))
    retries = type("RetriesExceededError", (Exception,), {"__module__": "gymnasium.error"})
    window = type("WindowNotFoundError", (Exception,), {"__module__": "pixel_forge"})
    for cause, name in (
        (state("the player is not ingame"), "not_in_game"),
        (reset("the poses do not fit"), "reset_failed"),
    ):
        error = retries("tried three times")
        error.__cause__ = cause
        assert classify(error).name == name
    assert classify(window("DARK SOULS III")).name == "no_window"
