"""A match: exactly n fights on seeds fixed beforehand, played in rounds of N side by side.

A round ends when its last fight does, and only each slot's first fight counts, so quick fights are not favoured.
Fight k is played on seed k whatever N is.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ashen.core.fight import Outcome
from ashen.core.seeding import derive_seed
from ashen.evaluation.damage import DamageWatch
from ashen.evaluation.exploits import IdleWatch, shows_blow
from ashen.evaluation.incidents import Incidents
from ashen.evaluation.policies import Policy
from ashen.evaluation.sequential import SureWhen
from ashen.runs.fight_journal import FightJournal
from ashen.runs.fights import FightRecord, Tape


@dataclass(frozen=True)
class FightResult:
    """What one fight came to."""

    outcome: Outcome
    fight_return: float
    """Sum of rewards."""
    length_steps: int
    """Steps of 0.1 s."""
    boss_hp_left: float
    """Share of the boss's hit points, 0..1."""
    reached_phase2: bool
    attacks: dict[str, int]
    """How often each boss attack was shown."""
    damage: dict[str, float]
    """Hit points the player lost to each boss attack, throws being ``ThrowAtk``, and to a ``fall``; ``unexplained``
    is what neither explains, which the simulator does not know."""
    longest_boss_idle_s: float
    """Longest time the boss neither moved nor attacked."""
    ended_in_blow: bool
    """Whether one of the player's last two animations was a blow; a boss killed without one died of something else."""


class Moment(NamedTuple):
    """One step of the first fight of a round, for somebody who watches."""

    before: Any
    """FIGHT_STATE record that was decided in."""
    mask: Any  # bool [A]
    action: int
    scores: Any  # float32 [A]
    terms: Any  # float32 [K], of the reward
    reward: float
    after: Any
    """FIGHT_STATE record that came of it."""
    outcome: Outcome


def fight_seeds(seed: int, fights: int, first: int = 0) -> list[int]:
    """The seeds of a match's fights from number ``first`` on, [fights]; a longer match begins with the same fights."""
    return [derive_seed(seed, "fight", number) for number in range(first, first + fights)]


def wins_of(results: Sequence[FightResult]) -> tuple[int, int]:
    """Fights won and fights that count: those that ended in a fault do not."""
    outcomes = [result.outcome for result in results]
    return outcomes.count(Outcome.WIN), len(outcomes) - outcomes.count(Outcome.FAULT)


def match_facts(env: Any, policy: Policy) -> dict[str, Any]:
    """What a record says of the environment and the policy: names behind its numbers, and the table hash."""
    return {
        "table_hash": env.backend.table_hash,
        "action_names": list(env.action_names),
        "term_names": list(env.reward.names),
        "policy": policy.name,
        "score_kind": policy.score_kind,
    }


def play_match(
    env: Any,
    policy: Policy,
    seeds: Sequence[int],
    *,
    record: Callable[[FightRecord], object] | None = None,
    journal: FightJournal | None = None,
    facts: dict[str, Any] | None = None,
    first: int = 0,
    sure_when: SureWhen | None = None,
    progress: Callable[[Sequence[FightResult]], object] | None = None,
    watch: Callable[[Moment], object] | None = None,
) -> list[FightResult]:
    """Play one fight on each seed.

    Args:
        env: a vector environment of ashen, used by nobody else meanwhile; its size is the size of a round.
        policy: who plays.
        seeds: one a fight.
        record: called with the record of every fight, in order.
        journal: keeps the fight under way on disk; only for an environment of one fight, and with ``record``.
        facts: what is to stand in the records' ``meta`` besides what a match knows.
        first: number of the first of these fights in their match, for the records.
        sure_when: stop after a round once it gives an answer; None: play all.
        progress: called whenever a fight ends with all results so far, in the order of the seeds.
        watch: called with every step of each round's first fight.

    Returns:
        One result a fight, in the order of the seeds.
    """
    results: list[FightResult] = []
    for begin in range(0, len(seeds), env.num_envs):
        fights: dict[int, tuple[FightResult, FightRecord | None]] = {}
        known = None if record is None else (facts or {}) | {"fight_number": first + begin}
        with closing(_Round(env, policy, seeds[begin : begin + env.num_envs], known, journal, watch)) as played:
            for slot, ending in played.play():
                fights[slot] = ending
                if progress is not None:
                    progress([*results, *(fights[ended][0] for ended in sorted(fights))])
            for slot in sorted(fights):
                result, fight = fights[slot]
                results.append(result)
                if record is not None and fight is not None:
                    record(fight)
            if journal is not None:
                journal.end()
        if sure_when is not None and sure_when.answer(*wins_of(results)):
            break
    return results


class _Round:
    """N fights side by side, one on each seed; slots beyond the seeds play along unseen.

    Args:
        env: of N.
        policy: who plays.
        seeds: of the fights.
        facts: what their records say besides what is known here, with the first one's number; None: no records.
        journal: keeps the fight under way, if it is one and recorded.
        watch: called with every step of the first fight.
    """

    def __init__(
        self,
        env: Any,
        policy: Policy,
        seeds: Sequence[int],
        facts: dict[str, Any] | None,
        journal: FightJournal | None,
        watch: Callable[[Moment], object] | None,
    ):
        self._env, self._policy, self._fights, self._watch = env, policy, len(seeds), watch
        self._seeds = [*seeds, *(derive_seed(seeds[0], "spare", slot) for slot in range(env.num_envs - len(seeds)))]
        self._facts, self._journal, self._incidents = facts, journal, Incidents(env.backend)
        self._tape = None if facts is None else Tape()
        self._began: dict[str, str] = {}
        env.keep_waits(True)  # a blow that lands during a wait is not seen at its end
        self._damage = DamageWatch(env.num_envs, env.backend.boss_vocabulary, env.backend.player_vocabulary)
        self._idle = IdleWatch(env.num_envs, env.backend.boss_vocabulary)
        self._returns = np.zeros(env.num_envs)

    def play(self) -> Iterator[tuple[int, tuple[FightResult, FightRecord | None]]]:
        """Play to the last fight's end; yields each fight as it ends, by its slot."""
        env = self._env
        obs, info = env.reset(seed=self._seeds)
        self._policy.begin(np.array(self._seeds, np.uint64))
        self._incidents.fight_begins()
        if self._journal is not None:
            self._began = self._journal.begin(self._meta(0))
        reached = env.states["phase"] == 2
        ended: set[int] = set()
        while len(ended) < self._fights:
            before, mask = env.states.copy(), info["action_mask"]
            decision = self._policy.act(before, obs, mask)
            obs, rewards, terminated, truncated, info = env.step(decision.actions)
            after = env.final_states
            self._returns += rewards
            if self._watch is not None and 0 not in ended:
                chosen, terms = (int(decision.actions[0]), decision.scores[0]), info["reward_terms"][0]
                came = after[0], Outcome(int(info["outcome"][0]))
                self._watch(Moment(before[0], mask[0], *chosen, terms, float(rewards[0]), *came))
            for earlier, later in pairwise((before, *(wait.states for wait in env.waits), after)):
                self._damage.watch(earlier, later)
                self._idle.watch(earlier, later)
            reached |= after["phase"] == 2
            if self._tape is not None:
                parts = (decision.actions, mask, info["reward_terms"], rewards, decision.scores)
                rows = self._tape.add(before, *parts, env.waits)
                if self._journal is not None:
                    self._journal.add(rows, after)
            for slot in np.flatnonzero((terminated | truncated)[: self._fights]).tolist():
                if slot not in ended:
                    ended.add(slot)
                    yield slot, self._finish(slot, after[slot], Outcome(int(info["outcome"][slot])), reached[slot])

    def _finish(self, slot: int, final: Any, outcome: Outcome, reached: bool) -> tuple[FightResult, FightRecord | None]:
        result = FightResult(
            outcome=outcome,
            fight_return=float(self._returns[slot]),
            length_steps=int(final["step"]),
            boss_hp_left=float(final["boss_hp"] / final["boss_max_hp"]),
            reached_phase2=bool(reached),
            attacks=self._damage.attacks(slot),
            damage=self._damage.lost(slot),
            longest_boss_idle_s=float(self._idle.longest_s[slot]),
            # A player who is struck in the very step of his last blow shows that already.
            ended_in_blow=any(
                shows_blow(int(final[shown]), self._env.backend.player_vocabulary)
                for shown in ("player_animation", "previous_player_animation")
            ),
        )
        if self._tape is None:
            return result, None
        meta = self._meta(slot) | {"outcome": outcome.name}
        if outcome == Outcome.FAULT:
            meta["incident"] = self._incidents.first()
        return result, self._tape.cut(slot, final, meta)

    def close(self) -> None:
        """A fight that is still under way does not go on, and the journal, if there is one, keeps it as it is."""
        if self._journal is not None:
            self._journal.give_up(self._incidents.first())

    def _meta(self, slot: int) -> dict[str, Any]:
        """What is known of a fight before it begins."""
        own = {"seed": self._seeds[slot], "nth_of_seed": 0, "fight_number": self._facts["fight_number"] + slot}
        return match_facts(self._env, self._policy) | self._facts | own | self._began
