"""Judges a policy: builds the environment, plays the match, sums it up. For the command and for training."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from ashen.core.seeding import derive_seed
from ashen.env import make_vec
from ashen.env.view import View
from ashen.env.worlds import fought_boss
from ashen.evaluation.match import FightResult, Moment, fight_seeds, play_match
from ashen.evaluation.policies import Policy
from ashen.evaluation.sequential import SureWhen
from ashen.evaluation.summary import summarise
from ashen.runs.fight_journal import FightJournal
from ashen.runs.fights import FightRecord

MATCH_ENVS = 64
"""Fights side by side, unless told otherwise."""
SURE_WHEN_ENVS = 20
"""The same when the match may stop early: it is looked at after each round."""


def judge(
    make_policy: Callable[[Any], Policy],
    env_options: dict[str, Any],
    *,
    fights: int,
    seed: int,
    random_start: bool = False,
    randomise: str = "none",
    num_envs: int | None = None,
    first: int = 0,
    sure_when: SureWhen | None = None,
    closed_cliff: bool = False,
    record: Callable[[FightRecord], object] | None = None,
    journal: FightJournal | None = None,
    facts: dict[str, Any] | None = None,
    progress: Callable[[Sequence[FightResult]], object] | None = None,
    watch: Callable[[Any, Moment], object] | None = None,
) -> dict[str, Any]:
    """Play a match and sum it up.

    Args:
        make_policy: gives the policy for the environment it is to play in.
        env_options: of :func:`ashen.make_vec`: boss, fight, encoder, reward, actions, skip_steps, backend, game_speed,
            scan_codes, real_boss.
        fights: how many fights; with ``sure_when`` the most there may be.
        seed: the match's seed; each fight has its own from it.
        random_start: start from random poses, else from the fixed one.
        randomise: ``none``, ``facts`` or ``wide``; the bosses are drawn by the match's seed.
        num_envs: fights side by side; changes the speed, not the fights.
        first: number of the first of these fights in the match, which may go on another time.
        sure_when: stop as soon as it gives an answer; None: play all.
        closed_cliff: wall the arena all round.
        record: called with the record of every fight.
        journal: keeps the fight under way on disk; only for fights one by one that are recorded.
        facts: what is to stand in the records besides what is known here.
        progress: called when the match begins, and whenever a fight ends, with all results so far.
        watch: called with the environment and every step; fights are then fought one by one.

    Returns:
        The figures of :func:`~ashen.evaluation.summary.summarise`, then ``seconds, table_hash, boss, fight, start,
        randomise, seed, reward, policy, backend``, and on the game ``game_speed``.
    """
    begin, progress = time.perf_counter(), progress or (lambda _: None)
    one_by_one = watch is not None or (num_envs is None and env_options.get("backend") == "game")
    side_by_side = 1 if one_by_one else num_envs or (SURE_WHEN_ENVS if sure_when else MATCH_ENVS)
    varied = {"randomise": randomise, "randomise_seed": derive_seed(seed, "randomise")}
    world = _world(env_options, random_start)
    env = make_vec(**env_options, **varied, num_envs=min(fights, side_by_side), random_start=random_start, seed=seed)
    with closing(env):
        if closed_cliff:
            env.close_cliff()
        policy, seeds = make_policy(env), fight_seeds(seed, fights, first)
        known = world | {"encoder": env_options["encoder"]} | varied | (facts or {})
        recording = {"record": record, "journal": journal, "facts": known, "first": first}
        seen = None if watch is None else partial(watch, env)
        progress([])  # not before: the game may be missing, or the policy not fit
        results = play_match(env, policy, seeds, **recording, sure_when=sure_when, progress=progress, watch=seen)
    figures = summarise(results, full_fight=env_options["fight"] == "full", sure_when=sure_when)
    asked = {"randomise": randomise, "seed": seed, "seconds": time.perf_counter() - begin}
    return figures | {"table_hash": env.backend.table_hash, "policy": policy.name} | asked | world


def check_fits(make_policy: Callable[[Any], Policy], env_options: dict[str, Any]) -> None:
    """Refuse a policy that cannot play in a world, before the world is opened: the game must run for that.

    Args:
        make_policy: gives the policy for the environment it is to play in.
        env_options: as of :func:`judge`.

    Raises:
        UserError: it cannot.
    """
    seen = ("boss", "encoder", "actions", "skip_steps", "reward")
    make_policy(View(**{name: env_options[name] for name in seen if name in env_options}))


def _world(env_options: dict[str, Any], random_start: bool) -> dict[str, Any]:
    """What is fought, where and how."""
    world = {key: env_options[key] for key in ("boss", "fight", "reward")} | {"boss": fought_boss(env_options)}
    world |= {"start": "random" if random_start else "fixed", "backend": env_options.get("backend", "sim")}
    return world | ({"game_speed": env_options["game_speed"]} if world["backend"] == "game" else {})


def first_fight(
    make_policy: Callable[[Any], Policy],
    env_options: dict[str, Any],
    seed: int,
    randomise: str = "none",
    progress: Callable[[Sequence[FightResult]], object] | None = None,
) -> FightRecord:
    """The record of a match's first fight from the fixed start; arguments as of :func:`judge`."""
    records: list[FightRecord] = []
    facts = {"kind": "evaluation", "env_step": 0}
    told = {"record": records.append, "facts": facts, "progress": progress}
    judge(make_policy, env_options, fights=1, seed=seed, randomise=randomise, **told)
    return records[0]
