"""Fact tables -> packed records. The only place that knows both the TOML's keys and the records' fields."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.arena import make_arena
from ashen.core.errors import UserError, unknown
from ashen.core.fight import MAX_HITS
from ashen.core.tables import fingerprint, measured_facts, plain, player_facts
from ashen.core.vocabulary import Vocabulary, boss_vocabulary, lock_times_s, player_vocabulary
from ashen.sim.records import (
    ACT_ATTACK,
    ACT_TURN,
    ACT_WALK,
    BOSS_IDS,
    FOREVER_F,
    FRAMES_PER_S,
    IDS,
    LEVELS,
    MAX_CHAINS,
    MAX_LINKS,
    MAX_STRETCHES,
    MOTION_FRAMES,
    NO_ATTACK,
    SIDE_ANY,
    SIDE_LEFT,
    SIDE_RIGHT,
    TABLE,
)
from ashen.sim.vary import pool

_ON_GAME = (
    "the simulator cannot fight him; on the real game train (with --encoder onehot74 or raw26), finetune and evaluate "
    "do, with --backend game --fight phase1"
)
_SIDES = {"any": SIDE_ANY, "left": SIDE_LEFT, "right": SIDE_RIGHT}
_KINDS = {"attack": ACT_ATTACK, "turn": ACT_TURN, "walk": ACT_WALK}


@cache
def load_tables(path: Path, randomise: str = "none", seed: int = 0, share: float = 1.0) -> tuple[NDArray[Any], str]:
    """The packed tables of a boss, and their fingerprint.

    Args:
        path: the boss's table.
        randomise: ``"none"``: TABLE [1]; ``"facts"`` or ``"wide"``: TABLE [POOL], varied.
        seed: of the variation.
        share: of the pool that is varied; the others are the table as it stands.

    Raises:
        UserError: nobody measured the boss; his table lacks a key, names something unknown, or holds more than the
            records can.
    """
    boss, player = measured_facts(path, _ON_GAME), player_facts(path)
    try:
        if randomise == "none":
            return pack(plain(boss), plain(player), boss_vocabulary(path)), fingerprint(boss, player)
        pairs = pool(boss, player, randomise, seed, share)
        return np.concatenate([pack(*pair, boss_vocabulary(path)) for pair in pairs]), fingerprint(*pairs)
    except KeyError as error:
        raise UserError(f"{path}: the table lacks the key {error}") from None
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise UserError(f"{path}: a number in the table does not fit: {error}") from None


def pack(boss: dict[str, Any], player: dict[str, Any], vocabulary: Vocabulary) -> NDArray[Any]:
    """Pack plain tables (see :func:`ashen.core.tables.plain`): TABLE [1]."""
    tables = np.zeros(1, TABLE)
    table = tables[0]
    move_ids = _pack_moves(table["moves"], player)
    for number, phase in boss["phases"].items():
        index = int(number) - 1
        for name, attack in phase["attacks"].items():
            _pack_attack(table["attacks"][index, _id(vocabulary, name)], attack)
        act_ids = {name: slot for slot, name in enumerate(phase["acts"])}
        for name, act in phase["acts"].items():
            _pack_act(table["acts"][index, act_ids[name]], act, vocabulary)
        for slot, decision in enumerate(phase["decisions"]):
            _pack_decision(table["decisions"][index, slot], decision, act_ids)
        _pack_phase(table["phases"][index], phase, act_ids)
    ids = [move_ids[name] for name in IDS] + [_id(vocabulary, name) for name in BOSS_IDS]
    table["ids"][: len(ids)] = ids
    table["arena"] = make_arena(boss["arena"])[0]
    _pack_rules(table["rules"], boss, player, move_ids)
    return tables


def frames(seconds: float) -> int:
    """Whole frames nearest to a time."""
    return round(seconds * FRAMES_PER_S)


def per_frame(curve: list[list[float]], column: int = 1) -> NDArray[np.float64]:
    """Increments a frame [MOTION_FRAMES] of a cumulated curve [[t_s, value, ...], ...], linear between its points."""
    points = np.array(curve)
    times = np.arange(MOTION_FRAMES + 1) / FRAMES_PER_S
    return np.diff(np.interp(times, points[:, 0], points[:, column]))


def _id(vocabulary: Vocabulary, name: str) -> int:
    if name not in vocabulary.ids:
        raise unknown("animation", name, vocabulary.names)
    return vocabulary.ids[name]


def _pack_moves(moves: NDArray[Any], player: dict[str, Any]) -> dict[str, int]:
    vocabulary = player_vocabulary()
    extra = [name for name in player["moves"] if name not in vocabulary.ids]
    ids = {name: index for index, name in enumerate((*vocabulary.names, *extra))}
    moves["turn_again_f"] = moves["regen_from_f"] = FOREVER_F
    moves["next"] = ids["Idle"]
    locks = lock_times_s()
    for name, index in ids.items():
        shown = vocabulary.id(player["moves"].get(name, {}).get("shown", name))
        moves["shown"][index] = shown
        for column, key in enumerate(("lock_attack_s", "lock_roll_s", "lock_move_s")):
            moves[key][index] = locks[shown, column]
    for name, move in player["moves"].items():
        _pack_move(moves[ids[name]], move, ids, player["body"]["press_delay_s"])
    return ids


def _pack_move(row: np.void, move: dict[str, Any], ids: dict[str, int], press_delay_s: float) -> None:
    row["length_f"] = frames(move["length_s"])
    row["next"] = ids[move.get("next", "Idle")]
    row["pressed"] = move.get("pressed", False)
    row["rolling"] = move.get("rolling", False)
    row["lying"] = move.get("lying", False)
    if move.get("regen", False) or "regen_from_s" in move:
        row["regen_from_f"] = frames(move.get("regen_from_s", 0.0))
    safe = move.get("iframes_s") or move.get("invulnerable_s") or (0.0, 0.0)
    row["safe_from_f"], row["safe_to_f"] = frames(safe[0]), frames(safe[1])
    row["cost_halves"] = 2 * move.get("stamina", 0)
    row["cost_f"] = max(1, frames(move.get("stamina_at_s", 0.0)))
    active = move.get("active_s", (0.0, 0.0))
    row["hit_from_f"], row["hit_to_f"] = frames(active[0]), frames(active[1])
    row["damage"], row["poise_damage"] = move.get("damage", 0.0), move.get("poise_damage", 0.0)
    row["turn_to_f"] = frames(move.get("turn_s", 0.0))
    row["walk_ramp_f"] = frames(move.get("walk_ramp_s", 0.0))
    if "turn_again_s" in move:
        row["turn_again_f"] = frames(move["turn_again_s"])
    if "curve_s_m" in move:
        delay = press_delay_s if row["pressed"] else 0.0
        row["travel"] = per_frame([[point[0] + delay, point[1]] for point in move["curve_s_m"]])


def _pack_attack(row: np.void, attack: dict[str, Any]) -> None:
    row["name_end_f"], row["next_motion_f"] = frames(attack["name_end_s"]), frames(attack["next_motion_s"])
    row["combo_f"] = frames(attack["combo_s"]) if "combo_s" in attack else FOREVER_F
    row["num_hits"] = len(attack["hits"])
    if len(attack["hits"]) > MAX_HITS:
        raise ValueError(f"{len(attack['hits'])} hits in one attack, at most {MAX_HITS}")
    for slot, hit in enumerate(attack["hits"]):
        if hit["level"] not in LEVELS:
            raise unknown("damage level", hit["level"], LEVELS)
        row["hit_from_f"][slot], row["hit_to_f"][slot] = (frames(time) for time in hit["window_s"])
        row["half_arc_rad"][slot] = math.radians(hit["half_arc_deg"])
        row["bearing_rad"][slot] = math.radians(hit["bearing_deg"])
        row["level"][slot], row["parryable"][slot] = LEVELS.index(hit["level"]), hit["parryable"]
        for key in ("reach_m", "inner_m", "damage", "knockback_m"):
            row[key][slot] = hit[key]
    if throw := attack.get("throw"):
        row["is_throw"], row["throw_damage"] = 1, throw["damage"]
        row["throw_damage_f"], row["throw_f"] = frames(throw["damage_at_s"]), frames(throw["length_s"])
    row["forward_m"], row["left_m"] = per_frame(attack["motion_s_m"]), per_frame(attack["motion_s_m"], 2)
    for start, end, degrees_per_s in attack["turn_s_deg_s"]:
        row["turn_rad"][frames(start) : frames(end)] = math.radians(degrees_per_s) / FRAMES_PER_S
    _pack_stretches(row, attack.get("stretch", []))


def _pack_stretches(row: np.void, stretches: list[list[float]]) -> None:
    row["stretch_from_f"] = row["stretch_to_f"] = -1
    if len(stretches) > MAX_STRETCHES:
        raise ValueError(f"{len(stretches)} stretches in one attack, at most {MAX_STRETCHES}")
    for slot, (start, end, share, least, most, standoff) in enumerate(stretches):
        first, last = frames(start), frames(end)
        row["stretch_from_f"][slot], row["stretch_to_f"][slot] = first, last
        row["stretch_natural_m"][slot] = float(row["forward_m"][first:last].sum())
        row["stretch_share"][slot], row["standoff_m"][slot] = share, standoff
        row["stretch_least_m"][slot], row["stretch_most_m"][slot] = least, most


def _pack_act(row: np.void, act: dict[str, Any], vocabulary: Vocabulary) -> None:
    row["kind"] = _KINDS[act["kind"]]
    row["weight_factor"] = act.get("weight_factor", 1.0)
    row["chain"] = NO_ATTACK
    if act["kind"] != "attack":
        return
    row["approach_m"], row["approach_life_f"] = act["approach_m"], frames(act["approach_life_s"])
    row["cooldown_f"] = frames(act["cooldown_s"])
    row["after_move_odds"] = act["after_move_percent"] / 100.0
    row["num_chains"] = len(act["chains"])
    if len(act["chains"]) > MAX_CHAINS or any(len(chain["attacks"]) > MAX_LINKS for chain in act["chains"]):
        raise ValueError(f"at most {MAX_CHAINS} chains of {MAX_LINKS} attacks fit in an act")
    for slot, chain in enumerate(act["chains"]):
        row["chain_odds"][slot] = chain["percent"] / 100.0
        for link, name in enumerate(chain["attacks"]):
            row["chain"][slot, link] = _id(vocabulary, name)
        row["within_m"][slot, 1 : len(chain["within_m"]) + 1] = chain["within_m"]


def _pack_decision(row: np.void, decision: dict[str, Any], act_ids: dict[str, int]) -> None:
    row["side"] = _SIDES[decision["side"]]
    row["bearing_from_rad"], row["bearing_to_rad"] = (math.radians(angle) for angle in decision["bearing_deg"])
    row["distance_from_m"], row["distance_to_m"] = decision["distance_m"]
    for name, weight in decision["weights"].items():
        if name not in act_ids:
            raise unknown("act", name, act_ids)
        row["weights"][act_ids[name]] = weight


def _pack_phase(row: np.void, phase: dict[str, Any], act_ids: dict[str, int]) -> None:
    rate = phase["after_move_life_rate"]
    row["after_near_m"], row["down_walk_to_m"] = phase["after_move_near_m"], phase["down_walk_to_m"]
    row["after_near_f"] = [FRAMES_PER_S * rate * seconds for seconds in phase["after_move_near_s"]]
    row["after_far_f"] = [FRAMES_PER_S * rate * seconds for seconds in phase["after_move_far_s"]]
    row["down_walk_f"] = [FRAMES_PER_S * seconds for seconds in phase["down_walk_s"]]
    row["walk_act"] = next(slot for name, slot in act_ids.items() if phase["acts"][name]["kind"] == "walk")


def _pack_rules(row: np.void, boss: dict[str, Any], player: dict[str, Any], move_ids: dict[str, int]) -> None:
    body, knight, camera, start = boss["body"], player["body"], player["camera"], boss["start"]
    row["boss_hp"], row["boss_poise"] = body["hp"], body["poise"]
    row["phase_change_hp"] = body["hp"] * body["phase_change_hp_rate"]
    row["leftover_walk_f"] = [FRAMES_PER_S * seconds for seconds in body["leftover_walk_s"]]
    for key in ("min_distance_m", "surface_offset_m", "riposte_reach_m", "player_down_weight"):
        row[key] = body[key]
    row["leftover_cooldown_odds"] = body["leftover_cooldown_odds"]
    for side in ("forward", "left", "right"):
        row[f"walk_{side}_m"] = body[f"walk_{side}_m_s"] / FRAMES_PER_S
    for key, angle in (("walk_turn", "walk_turn_deg_s"), ("turn", "turn_deg_s"), ("tail_turn", "tail_turn_deg_s")):
        row[f"{key}_rad"] = math.radians(body[angle]) / FRAMES_PER_S
    for key in ("walk_dead_zone", "turn_before_walk", "turn_180_from"):
        row[f"{key}_rad"] = math.radians(body[f"{key}_deg"])
    for key in ("turn_lead", "turn_end", "stagger", "parry_stun", "riposte"):
        row[f"{key}_f"] = frames(body[f"{key}_s"])
    row["riposte_damage_f"] = frames(body["riposte_damage_at_s"])
    _pack_knight(row, knight, player)
    for key in ("distance_m", "pivot_gain", "view_gain", "pivot_height_m", "target_height_m"):
        row[f"camera_{key}"] = camera[key]
    for level, reaction in player["reactions"].items():
        row["reaction_move"][LEVELS.index(level)] = move_ids[reaction["animation"]]
        row["reaction_own_m"][LEVELS.index(level)] = reaction["own_m"]
    for key, value in player["inputs"].items():
        row[key] = value
    row["boss_pose"] = start["boss_pose"]
    poses = start["player_poses_random"]
    row["player_poses"][: len(poses)] = poses
    row["num_player_poses"] = len(poses)


def _pack_knight(row: np.void, knight: dict[str, Any], player: dict[str, Any]) -> None:
    row["player_hp"], row["stamina_max"], row["stamina_min"] = (
        knight["hp"],
        knight["stamina_max"],
        knight["stamina_min"],
    )
    row["stamina_halves"] = round(2 * knight["stamina_per_s"] / FRAMES_PER_S)
    row["run_m"] = knight["run_m_s"] / FRAMES_PER_S
    row["run_gain"], row["stop_gain"] = knight["run_gain"], knight["stop_gain"]
    row["player_turn_rad"] = math.radians(knight["turn_deg_s"]) / FRAMES_PER_S
    row["press_delay_s"] = knight["press_delay_s"]
    row["chain_roll_f"], row["move_name_f"] = frames(knight["chain_roll_s"]), frames(knight["move_name_s"])
    row["additive_up_to_level"] = knight["additive_up_to_level"]
    row["parry_window_f"] = [frames(time) for time in knight["parry_window_s"]]
    row["parry_half_arc_rad"] = math.radians(knight["parry_half_arc_deg"])
    row["partial_parry_from_f"] = frames(knight["partial_parry_from_s"])
    row["partial_parry_damage_rate"] = knight["partial_parry_damage_rate"]
    row["partial_parry_halves"] = 2 * knight["partial_parry_stamina"]
    row["lock_off_after_throw_f"] = frames(knight["lock_off_after_throw_s"])
    row["sword_reach_m"] = player["sword"]["reach_m"]
    row["sword_half_arc_rad"] = math.radians(player["sword"]["half_arc_deg"])
