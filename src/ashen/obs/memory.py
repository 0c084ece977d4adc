"""The memory fields of FIGHT_STATE: computed from what is shown, the same way for the simulator and the game."""

from ashen.core.compiled import njit
from ashen.core.fight import LAST_ACTIONS, NEVER_S, NO_ACTION, REPORTED_STEP_S, STEP_S, UNKNOWN_ANIMATION


@njit
def forget(now, facts):
    """Fill the memory fields of a fight's first row.

    Args:
        now: FIGHT_STATE record, changed in place.
        facts: FACTS record.
    """
    now.previous_player_animation = UNKNOWN_ANIMATION
    now.previous_player_animation_s = 0.0
    now.previous_boss_animation = UNKNOWN_ANIMATION
    now.previous_boss_animation_s = 0.0
    now.previous_boss_attack = UNKNOWN_ANIMATION
    now.previous_boss_attack_since_s = NEVER_S
    for k in range(LAST_ACTIONS):
        now.last_actions[k] = NO_ACTION
    for k in range(facts.boss_count):
        now.boss_seen_since_s[k] = NEVER_S
    _see_boss(now)
    _run_boss_clock(now, facts, True, 0.0, 0.0)


@njit
def remember(previous, now, action, facts):
    """Fill the memory fields of a row from the row before it, 0.1 s earlier.

    Args:
        previous: FIGHT_STATE record of the step before.
        now: FIGHT_STATE record, changed in place.
        action: what the agent chose in between, 0..19, or NO_ACTION if it was not asked.
        facts: FACTS record.
    """
    if _is_new(previous.player_animation, previous.player_animation_s, now.player_animation, now.player_animation_s):
        now.previous_player_animation = previous.player_animation
        now.previous_player_animation_s = previous.player_animation_s
    else:
        now.previous_player_animation = previous.previous_player_animation
        now.previous_player_animation_s = previous.previous_player_animation_s
    _remember_boss(previous, now, facts)
    for k in range(facts.boss_count):
        now.boss_seen_since_s[k] = min(NEVER_S, previous.boss_seen_since_s[k] + REPORTED_STEP_S)
    _see_boss(now)
    changed = previous.boss_animation != now.boss_animation
    was_moving = previous.boss_animation >= 0 and facts.boss_moves[previous.boss_animation] != 0
    ran_s = previous.boss_bin_s if was_moving else 0.0
    _run_boss_clock(now, facts, changed, ran_s, previous.boss_bin_offset_s)
    if action == NO_ACTION:
        for k in range(LAST_ACTIONS):
            now.last_actions[k] = previous.last_actions[k]
    else:
        for k in range(LAST_ACTIONS - 1, 0, -1):
            now.last_actions[k] = previous.last_actions[k - 1]
        now.last_actions[0] = action


@njit
def _is_new(old_animation, old_s, animation, animation_s):
    """Whether a showing of an animation began; a clock that fell back means the same name began again."""
    return animation != old_animation or animation_s < old_s


@njit
def _remember_boss(previous, now, facts):
    now.previous_boss_animation = previous.previous_boss_animation
    now.previous_boss_animation_s = previous.previous_boss_animation_s
    now.previous_boss_attack = previous.previous_boss_attack
    now.previous_boss_attack_since_s = min(NEVER_S, previous.previous_boss_attack_since_s + REPORTED_STEP_S)
    if _is_new(previous.boss_animation, previous.boss_animation_s, now.boss_animation, now.boss_animation_s):
        now.previous_boss_animation = previous.boss_animation
        now.previous_boss_animation_s = previous.boss_animation_s
        if previous.boss_animation >= 0 and facts.boss_attacks[previous.boss_animation] != 0:
            now.previous_boss_attack = previous.boss_animation
            now.previous_boss_attack_since_s = min(NEVER_S, previous.boss_animation_s + REPORTED_STEP_S)


@njit
def _see_boss(now):
    if now.boss_animation >= 0:
        now.boss_seen_since_s[now.boss_animation] = 0.0


@njit
def _run_boss_clock(now, facts, changed, ran_s, offset_s):
    """SoulsAI's boss clock. It steps by 0.1 s, not by the reported 0.097, when one walk follows another."""
    now.boss_bin_offset_s = 0.0
    if now.boss_animation >= 0 and facts.boss_moves[now.boss_animation] != 0:
        now.boss_bin_offset_s = ran_s + (STEP_S - now.boss_animation_s) if changed else offset_s
    now.boss_bin_s = now.boss_animation_s + now.boss_bin_offset_s
