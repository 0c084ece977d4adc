"""Guards over how a training comes on: what it learns, and how fast it runs."""

from ashen.core.percent import percent
from ashen.training.monitors.look import Look, fight_mean

PLATEAU_SHARE = 0.3
PLATEAU_STEPS = 200_000
"""Share of the training without progress, and at least so many steps: long enough for a slow learner to show something,
early enough to stop and change something."""
PROGRESS = 0.02
"""What counts as progress from its first half to its second: in win rate, or in return as a share of a won fight's."""
NEAR_BEST = 0.8
"""Win rate from which on standing still is no failure."""
FIRST_S = 180.0
"""Seconds of learning at the start of a run from which its speed is expected."""
RECENT_S = 60.0
RECENT_ROWS = 5
"""Seconds and rows over which it is measured: a row holds two or three updates of PPO, now one more, now one less."""
SLOW = 0.8
"""Share of the expected speed below which something else must be at work."""


def plateau(look: Look) -> str | None:
    """Neither win rate nor return has risen in the last 30 % of the training, and under 80 % of the fights are won."""
    stretch = max(PLATEAU_SHARE * look.recipe.total_steps, PLATEAU_STEPS)
    half = look.env_step - stretch / 2
    rows = look.since(look.env_step - stretch)
    old, new = [row for row in rows if row["env_step"] <= half], [row for row in rows if row["env_step"] > half]
    if look.env_step < stretch or not old or not new:
        return None
    wins = fight_mean(new, "win_rate")
    risen = fight_mean(new, "return_mean") - fight_mean(old, "return_mean")
    has_risen = wins - fight_mean(old, "win_rate") >= PROGRESS or risen >= PROGRESS * abs(look.reward.winning)
    if has_risen or max(wins, look.match_win_rate()) >= NEAR_BEST:
        return None
    best = max(row["win_rate"] or 0.0 for row in look.rows if row["kind"] in ("train", "evaluation"))
    return f"no progress in {stretch:,.0f} steps: wins {percent(wins)}, at best {percent(best)}"


def slow(look: Look) -> str | None:
    """Under 80 % of the steps a second that this run made in its first minutes of learning."""
    paces = look.paces()
    first = _until(FIRST_S, 1, paces)
    recent = _until(RECENT_S, RECENT_ROWS, paces[len(first) :][::-1])
    if not first or not recent:
        return None
    (steps, seconds), (steps_first, seconds_first) = _total(recent), _total(first)
    speed, expected = steps / seconds, steps_first / seconds_first
    return f"{speed:,.0f} steps/s, at first {expected:,.0f}" if speed < SLOW * expected else None


def _until(seconds: float, rows: int, paces: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """As many of the first as make up so many seconds and rows; none if all do not."""
    total = 0.0
    for count, (_, more) in enumerate(paces, 1):
        total += more
        if total >= seconds and count >= rows:
            return paces[:count]
    return []


def _total(paces: list[tuple[int, float]]) -> tuple[int, float]:
    return sum(steps for steps, _ in paces), sum(seconds for _, seconds in paces)
