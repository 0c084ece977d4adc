"""SoulsGym's default reward on the fights recorded on the real game."""

import numpy as np
import pytest

from ashen.core.fight import Outcome
from ashen.obs.dictionary import rows_from
from ashen.obs.encoders import make_encoder
from ashen.rewards import make_reward

RETURNS = (-1.097, -1.033)
"""Of SoulsGym's default reward, from the evidence."""


def _soulsgym(before, after):
    """SoulsGym's rule for one step, in NumPy."""
    reward = (before["boss_hp"] - after["boss_hp"]) / 1037 + (after["player_hp"] - before["player_hp"]) / 454
    if after["boss_hp"] == 0 or after["player_hp"] == 0:
        return reward + (0.1 if after["boss_hp"] == 0 else -0.1)
    far_before, far = (np.linalg.norm(np.float64(seen["player_pose"][:2]) - [139, 596]) for seen in (before, after))
    return reward + 0.01 * (far_before - far) * (far > 4)


def test_soulsgym_preset_pays_what_soulsgym_paid(recorded_fight):
    """Breaks if the preset differs from SoulsGym's rule at any step; or a return from the evidence's."""
    arena = make_encoder("raw26").facts["arena"]
    rows = rows_from(recorded_fight.observations)
    terms = make_reward("soulsgym").score(rows, Outcome.LOSS, arena, recorded_fight.actions[1:])
    wanted = [
        _soulsgym(*pair) for pair in zip(recorded_fight.observations, recorded_fight.observations[1:], strict=False)
    ]
    np.testing.assert_allclose(terms.sum(axis=1), wanted, atol=2e-6)
    assert terms.sum() == pytest.approx(RETURNS[recorded_fight.number], abs=5e-4)
