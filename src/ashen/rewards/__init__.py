"""Floor 2, instrument: what an agent is paid for. Pairs of FIGHT_STATE rows -> named terms -> their weighted sum.

A reward never decides how a fight ends: the backend does, and tells the terms by its outcome.
"""

from ashen.rewards.reward import Reward, make_reward, preset_names
from ashen.rewards.terms import term_table

__all__ = ["Reward", "make_reward", "preset_names", "term_table"]
