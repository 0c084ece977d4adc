"""What the boss decides: a weighted draw by side and distance, then walking up, attacking, chaining, stepping aside."""

from ashen.core.compiled import njit
from ashen.core.geometry import bearing_rad, distance_m
from ashen.sim.random import uniform, uniform_between
from ashen.sim.records import (
    ACT_ATTACK,
    ACT_TURN,
    B_CHANGE,
    B_IDLE,
    FOREVER_F,
    MAX_ACTS,
    MAX_CHAINS,
    MAX_LINKS,
    MODE_APPROACH,
    MODE_ATTACK,
    MODE_DECIDE,
    MODE_HELD,
    MODE_SIDE_WALK,
    MODE_TURN,
    NO_ATTACK,
    SIDE_ANY,
    SIDE_LEFT,
)

_WAIT_F = 10
"""A walk that would end at once is drawn again only after this pause."""


@njit
def ai_distance_m(world, rules):
    """The distance the AI's rules speak of: between surfaces, roughly."""
    centre = distance_m(world.boss_x, world.boss_y, world.player_x, world.player_y)
    return max(0.0, centre - rules.surface_offset_m)


@njit
def player_bearing(world):
    """Where the player is seen from the boss: 0 ahead, positive to his left."""
    return bearing_rad(world.boss_x, world.boss_y, world.boss_yaw, world.player_x, world.player_y)


@njit
def idle(world, table):
    """Show the idle name; its clock runs on if it is shown already."""
    if world.name != table.ids[B_IDLE]:
        world.name, world.name_f = table.ids[B_IDLE], 0


@njit
def hold_idle(world, table, frames):
    """Stand still for some frames."""
    world.mode, world.mode_f = MODE_HELD, frames
    idle(world, table)


@njit
def start_attack(world, name, delay_f):
    """Name an attack now; its motion starts after ``delay_f`` frames, when the old motion is over."""
    world.name, world.name_f = name, 0
    world.mode, world.attack = MODE_ATTACK, name
    world.motion_f, world.tail_f = -delay_f, 0
    world.hits_done = 0
    for slot in range(world.stretch.shape[0]):
        world.stretch[slot] = 1.0


@njit
def decide(world, table):
    """Pick the next act; a forced boss waits for the recording instead."""
    if world.is_forced:
        hold_idle(world, table, FOREVER_F)
        return
    rules = table.rules
    if world.may_change_phase and world.phase == 1 and world.boss_hp <= rules.phase_change_hp:
        world.phase, world.chain, world.link = 2, 0, MAX_LINKS
        world.act = table.phases[1].walk_act
        start_attack(world, table.ids[B_CHANGE], world.tail_f)
        return
    world.act = _draw_act(world, table)
    act = table.acts[world.phase - 1, world.act]
    if act.kind == ACT_ATTACK:
        _start_act(world, table, act)
    elif act.kind == ACT_TURN:
        world.mode, world.turn_f, world.mode_after_turn = MODE_TURN, 0, MODE_DECIDE
    else:
        walk_up_to_player(world, table)


@njit
def walk_up_to_player(world, table):
    """The act of a boss whose player lies down: walk near, or wait a moment if he is there."""
    phase, rules = table.phases[world.phase - 1], table.rules
    world.act = phase.walk_act
    if ai_distance_m(world, rules) <= phase.down_walk_to_m:
        hold_idle(world, table, _WAIT_F)
        return
    world.mode, world.mode_f = MODE_APPROACH, int(uniform_between(world, phase.down_walk_f))


@njit
def _draw_act(world, table):
    """The weighted draw. A cooling act keeps weight 1; a player who lies down draws the boss to walk."""
    rules, phase = table.rules, world.phase - 1
    is_down = table.moves[world.move].lying
    walk_act = table.phases[phase].walk_act
    distance, bearing = ai_distance_m(world, rules), player_bearing(world)
    for slot in range(table.decisions.shape[1]):
        rule = table.decisions[phase, slot]
        if fits(rule, distance, bearing):
            total = rules.player_down_weight if is_down else 0.0
            down = total
            for act in range(MAX_ACTS):
                total += act_weight(rule, table, world, act)
            draw = uniform(world) * total - down
            if draw < 0.0:
                return walk_act
            for act in range(MAX_ACTS):
                draw -= act_weight(rule, table, world, act)
                if draw < 0.0:
                    return act
    return walk_act


@njit
def fits(rule, distance, bearing):
    """Whether a rule of the draw is for a player at this AI distance and bearing."""
    if not rule.distance_from_m <= distance < rule.distance_to_m:
        return False
    if not rule.bearing_from_rad <= abs(bearing) <= rule.bearing_to_rad:
        return False
    return rule.side == SIDE_ANY or (rule.side == SIDE_LEFT) == (bearing > 0.0)


@njit
def act_weight(rule, table, world, act):
    """The weight of an act in a rule's draw: 0 if it is no candidate, 1 while it cools down."""
    weight = rule.weights[act]
    if weight <= 0.0:
        return 0.0
    if world.ready_f[act] > world.clock_f:
        return 1.0
    return weight * table.acts[world.phase - 1, act].weight_factor


@njit
def _start_act(world, table, act):
    """Choose the chain of an attack act, then attack at once or walk up first."""
    draw = uniform(world)
    world.chain = 0
    for chain in range(MAX_CHAINS):
        if chain < act.num_chains:
            world.chain = chain
            draw -= act.chain_odds[chain]
            if draw < 0.0:
                break
    world.link = 0
    world.mode, world.mode_f = MODE_APPROACH, act.approach_life_f
    attack_if_near(world, table)


@njit
def attack_if_near(world, table):
    """Begin the chosen chain if the player is within the act's distance.

    Returns:
        Whether it began.
    """
    act = table.acts[world.phase - 1, world.act]
    if ai_distance_m(world, table.rules) > act.approach_m:
        return False
    world.ready_f[world.act] = world.clock_f + act.cooldown_f
    start_attack(world, act.chain[world.chain, 0], world.tail_f)
    return True


@njit
def chain_on(world, table):
    """Go on to the next attack of the chain if there is one and the player is near enough.

    Returns:
        Whether it goes on.
    """
    act = table.acts[world.phase - 1, world.act]
    link = world.link + 1
    if act.kind != ACT_ATTACK or link >= MAX_LINKS or act.chain[world.chain, link] == NO_ATTACK:
        return False
    if ai_distance_m(world, table.rules) > act.within_m[world.chain, link]:
        return False
    world.link = link
    start_attack(world, act.chain[world.chain, link], 0)
    return True


@njit
def after_attack(world, table):
    """What follows an attack: with the act's odds a walk aside, counted from now on, else a new decision."""
    phase, rules = table.phases[world.phase - 1], table.rules
    act = table.acts[world.phase - 1, world.act]
    idle(world, table)
    world.attack = NO_ATTACK
    if uniform(world) >= act.after_move_odds:
        world.mode = MODE_DECIDE
        return
    near = ai_distance_m(world, rules) < phase.after_near_m
    is_left = player_bearing(world) > 0.0 if near else uniform(world) < 0.5
    life = uniform_between(world, phase.after_near_f if near else phase.after_far_f)
    step_aside(world, is_left, life)


@njit
def step_aside(world, player_is_left, life_f):
    """Walk sideways around the player for some frames: to the right of a player on the left, and the other way."""
    world.mode, world.mode_f = MODE_SIDE_WALK, int(life_f)
    world.walk_side = -1 if player_is_left else 1
