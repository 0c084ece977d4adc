"""Pictures of a fight: one FIGHT_STATE row in, one image out. Knows no run, no agent and no window."""

from ashen.draw.panel import Overlay
from ashen.draw.scene import picture

__all__ = ["Overlay", "picture"]
