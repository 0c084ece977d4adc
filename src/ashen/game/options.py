"""How the game is played, and how long that takes."""

from dataclasses import dataclass
from typing import Final

from ashen.core.errors import SettingError
from ashen.core.fight import GAME_SPEEDS, STEP_S

_FIGHT_S: Final = 30.0
"""Game time of an ordinary fight."""
_RESET_S: Final = {"phase1": 2.0, "phase2": 2.0, "full": 20.0}
"""Real time from one fight to the next: bodies put back, or after a full fight the game loaded anew."""
_WAITED: Final = 4.0
"""Steps a decision takes where waits are left out; of the recipe game 37,000 decisions are 150,000 steps."""


@dataclass(frozen=True)
class GameOptions:
    """How the game is played."""

    game_speed: float = 3.0
    """How many times faster than real the game runs, 1..3."""
    random_start: bool = False
    """Start at one of eleven poses instead of the fixed one."""
    use_scan_codes: bool = True
    """Press keys by place, which no keyboard layout moves; False by letter, as SoulsGym itself does."""
    reset_deadline_s: float = 120.0
    """Longest time for one attempt to start a fight."""
    step_deadline_s: float = 2.0
    """Longest time for a step; it takes 0.1 s and less."""
    patience_s: float = 600.0
    """How long to wait for a game that has ended to be started again."""

    def __post_init__(self) -> None:
        if not GAME_SPEEDS[0] <= self.game_speed <= GAME_SPEEDS[1]:
            rule = "must lie in {:g}..{:g}".format(*GAME_SPEEDS)
            raise SettingError(GameOptions, "game_speed", self.game_speed, rule)
        for name in ("reset_deadline_s", "step_deadline_s", "patience_s"):
            if not getattr(self, name) > 0.0:
                raise SettingError(GameOptions, name, getattr(self, name), "must be more than 0")


def expected_s(fights: int, fight: str, game_speed: float) -> float:
    """About how long so many fights take on the game, in seconds.

    Args:
        fights: how many.
        fight: ``phase1``, ``phase2`` or ``full``.
        game_speed: 1..3.
    """
    return fights * (_FIGHT_S / game_speed + _RESET_S[fight])


def expected_training_s(steps: int, skip_steps: bool, fight: str, game_speed: float) -> float:
    """About how long so many training steps take on the game, without matches, in seconds.

    Args:
        steps: decisions.
        skip_steps: whether waits between them do not count.
        fight: ``phase1``, ``phase2`` or ``full``.
        game_speed: 1..3.
    """
    shown = steps * (_WAITED if skip_steps else 1.0)
    return shown * STEP_S / _FIGHT_S * expected_s(1, fight, game_speed)
