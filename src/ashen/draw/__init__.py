"""Pictures of a fight: one FIGHT_STATE row in, one image out. Knows no run, no agent and no window."""

from ashen.draw.motion import between
from ashen.draw.panel import HP_MEMORY_STEPS, Overlay
from ashen.draw.scene import picture

__all__ = ["HP_MEMORY_STEPS", "Overlay", "between", "picture"]
