"""What lies between an agent's choice and the fight on a real machine: late keys, lost keys, an unsteady clock."""

from ashen.core.compiled import njit
from ashen.core.fight import NOTHING
from ashen.sim.random import uniform


@njit
def plug_in(world, rules):
    """Start a fight: whether its keys arrive late. Draws nothing where nothing is ever late."""
    world.is_late = rules.late_odds > 0.0 and uniform(world) < rules.late_odds
    world.pending, world.clock_off_s = NOTHING, 0.0


@njit
def delivered(world, rules, action):
    """The action that reaches the fight in this step: in a late fight the one before, and a lost key is none."""
    if world.is_late:
        action, world.pending = world.pending, action
    if rules.drop_odds > 0.0 and uniform(world) < rules.drop_odds:
        return NOTHING
    return action


@njit
def jitter(world, rules):
    """Read the game's clocks a little early or late in this step."""
    if rules.clock_jitter_s > 0.0:
        world.clock_off_s = (2.0 * uniform(world) - 1.0) * rules.clock_jitter_s
