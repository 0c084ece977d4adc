"""The recorded hits and misses, one by one: does the simulated boss hit the same player at the same time?"""

from dataclasses import dataclass

import numpy as np

from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.alignment import replay
from ashen.evaluation.recording import BossScript, Recording, boss_script
from ashen.sim.records import FRAMES_PER_STEP

_LEAD_STEPS = 10
"""How long before a hit window the simulation starts from the recording: motion errors stay small."""
_SLACK_STEPS = 1


@dataclass(frozen=True)
class Strike:
    """One hit window of a recorded attack.

    Args:
        attack: its name.
        step: step of the recording in which the window opens.
        recorded_damage: hit points lost within a step of the window.
        simulated_damage: the same in the simulation.
        recorded_at: step of the recorded loss, -1 for a miss.
        simulated_at: step of the simulated loss, -1 for a miss.
    """

    attack: str
    step: int
    recorded_damage: float
    simulated_damage: float
    recorded_at: int
    simulated_at: int

    @property
    def is_right(self) -> bool:
        """The same damage within a step, or a miss in both."""
        same = abs(self.recorded_damage - self.simulated_damage) < 1.0
        return same and abs(self.recorded_at - self.simulated_at) <= _SLACK_STEPS


def recorded_strikes(fights: list[Recording], table: np.void, boss: str = "iudex") -> list[Strike]:
    """Judge every hit window in the recorded fights.

    Args:
        fights: the recordings.
        table: the packed TABLE record.
        boss: whose animation names they hold.
    """
    names = boss_vocabulary(boss_file(boss))
    strikes = []
    for fight in fights:
        script = boss_script(fight.states, table)
        for step in range(1, len(fight.states)):
            attack = table["attacks"][int(fight.states["phase"][step]) - 1, int(fight.states["boss_animation"][step])]
            motion = int(script.motion_f[step])
            for slot in range(int(attack["num_hits"])):
                opens = int(attack["hit_from_f"][slot])
                if motion - FRAMES_PER_STEP < opens <= motion and step + 2 < len(fight.states):
                    name = names.name(int(fight.states["boss_animation"][step]))
                    strikes.append(_judge(fight, script, table, step, name))
    return strikes


def _judge(fight: Recording, script: BossScript, table: np.void, step: int, name: str) -> Strike:
    start = max(1, step - _LEAD_STEPS)
    until = min(len(fight.states) - 1, step + 2 + _SLACK_STEPS)
    real = fight.states["player_hp"][start : until + 1].astype(np.float64)
    simulated = np.array([
        real[0],
        *(float(s["player_hp"]) for s in replay(fight, script, table, start, until - start)),
    ])
    (real_damage, real_at), (damage, at) = _loss(real, start, step), _loss(simulated, start, step)
    return Strike(name, step, real_damage, damage, real_at, at)


def _loss(hp: np.ndarray, start: int, step: int) -> tuple[float, int]:
    """Hit points lost around a step, and when."""
    first = max(0, step - _SLACK_STEPS - start - 1)
    losses = -np.diff(hp[first:])
    lost = np.flatnonzero(losses > 0)
    return float(losses.sum()), start + first + 1 + int(lost[0]) if len(lost) else -1
