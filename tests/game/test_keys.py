"""Keys by place, not by letter: soulsgym's own key input over a keyboard that has layouts."""

import ctypes
import math
from collections.abc import Iterator

import pytest

from ashen.game import keys

pytest.importorskip("soulsgym", reason="the game's packages are not installed")
import soulsgym.core.game_input as soulsgym_input
from fake_game import install
from fake_game.gym import make
from soulsgym.core.game_input import GameInput

pytestmark = pytest.mark.game
KEY_UP, SCAN = 0x0002, 0x0008
WALK_FORWARD = 0
MOVED = {
    "qwerty": {},
    "azerty": {"A": 0x10, "Q": 0x1E, "Z": 0x11, "W": 0x2C, "M": 0x27},
    "qwertz": {"Y": 0x2C, "Z": 0x15},
}
LOCK_ON, FORWARD, LEFT, ROLL = 0x10, 0x11, 0x1E, 0x39  # the places of Q, W, A and the space bar


class FakeUser32:
    """Windows' side of a keyboard: what the game, which listens to places, hears of every event."""

    def __init__(self, layout: str):
        moved = {ord(key): code for key, code in MOVED[layout].items()}
        self.places = keys.US_SCAN_CODES | moved
        self.heard: list[tuple[int, bool]] = []

    def MapVirtualKeyExW(self, key: int, _kind: int, _layout: int) -> int:  # noqa: N802
        return self.places[key]

    def SendInput(self, count: int, event: object, size: int) -> int:  # noqa: N802
        sent = event._obj
        assert (count, size, sent.type) == (1, ctypes.sizeof(soulsgym_input._INPUT), 1)
        place = sent.ki.wScan if sent.ki.dwFlags & SCAN else self.places[sent.ki.wVk]
        self.heard.append((place, not sent.ki.dwFlags & KEY_UP))
        return 1


@pytest.fixture(params=list(MOVED))
def keyboard(request, monkeypatch) -> Iterator[FakeUser32]:
    """A keyboard under soulsgym, with each layout in turn; ``request.param`` is its name."""
    user32 = FakeUser32(request.param)
    monkeypatch.setattr(soulsgym_input, "USER32", user32, raising=False)
    monkeypatch.setattr(soulsgym_input.time, "sleep", lambda _seconds: None)
    yield user32
    keys.uninstall()


def _play() -> None:
    """Lock on; walk ahead; roll while walking; walk left; let go."""
    game_input = GameInput("DarkSoulsIII")
    game_input.single_action("lockon")
    for actions in (["forward"], ["forward", "roll"], ["left"], []):
        game_input.add_actions(actions)
        game_input.update_input()


HEARD = [
    (LOCK_ON, True), (LOCK_ON, False), (FORWARD, True), (ROLL, True), (ROLL, False), (FORWARD, False), (LEFT, True),
    (LEFT, False),
]  # fmt: skip


def test_scan_codes_press_the_places_of_a_us_keyboard_whatever_the_layout(keyboard):
    """Breaks if a keyboard layout moves a key: the month that azerty cost."""
    with keys.scan_codes() as by_place:
        assert by_place
        _play()
    assert keyboard.heard == HEARD


@pytest.mark.parametrize("keyboard", ["azerty"], indirect=True)
def test_virtual_keys_lock_nothing_on_azerty(keyboard):
    """Breaks if the fault that scan codes cure is not the one of the diary: Q arrives as a step to the left."""
    with keys.scan_codes(use_scan_codes=False) as by_place:
        assert not by_place
        _play()
    assert keyboard.heard[0] == (LEFT, True)
    assert keyboard.heard != HEARD


@pytest.mark.parametrize("keyboard", ["qwerty"], indirect=True)
def test_every_key_soulsgym_knows_has_its_place(keyboard):
    """Breaks if a key of soulsgym's is missing from ours, or stands elsewhere than on a US keyboard."""
    game_input = GameInput("DarkSoulsIII")
    for action in game_input.state:
        game_input.single_action(action)
    plain, keyboard.heard = keyboard.heard, []
    keys.install()
    for action in game_input.state:
        game_input.single_action(action)
    assert keyboard.heard == plain
    assert {game_input.keymap[key] for key in game_input.keybindings.values()} == set(map(ord, keys.SOULSGYM_KEYS))


@pytest.mark.parametrize("keyboard", ["qwerty"], indirect=True)
def test_it_is_undone_whole(keyboard):
    """Breaks if soulsgym does not get its own methods back, or if a second caller takes them from the first."""
    own = {name: vars(GameInput)[name] for name in ("_press_key", "_release_key")}
    with keys.scan_codes():
        ours = dict(vars(GameInput))
        assert keys.install()
        with keys.scan_codes(), keys.scan_codes(use_scan_codes=False) as by_place:
            assert not by_place
            assert {name: vars(GameInput)[name] for name in own} == own
        assert keys.install()
        assert vars(GameInput).keys() == ours.keys()
        assert vars(GameInput)["_press_key"] is not own["_press_key"]
    keys.uninstall()
    assert {name: vars(GameInput)[name] for name in own} == own


@pytest.mark.parametrize("keyboard", ["azerty"], indirect=True)
def test_a_build_that_presses_otherwise_is_left_alone(keyboard, monkeypatch):
    """Breaks if a build without this seam is half changed, or if nobody says that layouts matter again."""
    monkeypatch.delattr(GameInput, "_release_key")
    own = vars(GameInput)["_press_key"]
    with pytest.warns(UserWarning, match="only keyboard layout"):
        assert not keys.install()
    assert vars(GameInput)["_press_key"] is own


@pytest.mark.parametrize("layout", list(MOVED))
def test_a_fight_is_walked_by_scan_codes_on_every_layout(layout):
    """Breaks if soulsgym cannot start a fight or take a step of 0.1 s on some keyboard, and no letter is to blame."""
    with install(layout=layout), keys.scan_codes():
        env = make()
        before = env.reset()[0]["player_pose"]
        first, second = (env.step(WALK_FORWARD)[0]["player_pose"] for _ in range(2))
        assert math.dist(first[:2], second[:2]) > 0.1
        assert math.dist(before[:2], second[:2]) > 0.2


def test_the_same_step_by_letter_goes_nowhere_on_azerty():
    """Breaks if keys pressed by letter would do as well, so that the test above proves nothing."""
    with install() as fake, keys.scan_codes(use_scan_codes=False):
        env = make()
        before = env.reset()[0]["player_pose"]
        fake.fault("other_layout", name="azerty")
        after = env.step(WALK_FORWARD)[0]["player_pose"]
        assert math.dist(before[:2], after[:2]) == 0.0
