"""What an off-policy agent remembers: n-step accumulation, a ring of packed transitions, a sum tree of priorities.

Knows arrays, never a network and never the fight.
"""

from ashen.replay.buffer import Batch, ReplayBuffer
from ashen.replay.gather import Gathered, Gatherer
from ashen.replay.n_step import NStep
from ashen.replay.transitions import transition_dtype

__all__ = ["Batch", "Gathered", "Gatherer", "NStep", "ReplayBuffer", "transition_dtype"]
