"""Guard over the reward: nothing in it may outweigh winning or dying."""

from ashen.training.monitors.look import Look, fight_mean

MEASURED_FIGHTS = 50
"""Fights over which a term's sum is taken; before them, the weights are judged by what is usual."""


def outweighs(look: Look) -> str | None:
    """Winning pays nothing, dying pays, or a shaping term pays more a fight than winning or costs more than dying."""
    reward = look.reward
    faults = [f"winning pays {reward.winning:+.3g}"] if reward.winning <= 0.0 else []
    faults += [f"dying pays {reward.dying:+.3g}"] if reward.dying > 0.0 else []
    if faults:
        return " and ".join(faults)
    # Where dying costs nothing, what it loses is the win.
    cost = reward.dying or -reward.winning
    rows = look.latest(MEASURED_FIGHTS)
    sums = {term: fight_mean(rows, f"term/{term}") if rows else reward.usual[term] for term in reward.shaping}
    for term, total in sums.items():
        if total > reward.winning:
            return f"term {term} ({total:+.3g} a fight) outweighs winning ({reward.winning:+.3g})"
        if total < cost:
            rival = f"dying ({reward.dying:+.3g})" if reward.dying else f"winning ({reward.winning:+.3g})"
            return f"term {term} ({total:+.3g} a fight) outweighs {rival}"
    return None
