"""The list of guards. From it follow what is watched, the words of a warning and docs/guards.md."""

from collections.abc import Callable
from typing import Final, NamedTuple

from ashen.training.monitors import behaviour, inputs, learner, progress, reward
from ashen.training.monitors.look import Look


class Guard(NamedTuple):
    """One way in which a training fails silently."""

    name: str
    check: Callable[[Look], str | None]
    """Says what is wrong, None if nothing is, UNCLEAR if it cannot tell; its docstring says when."""
    remedy: str
    """What to try; capitals stand for words that differ between learners, see :data:`WORDS`."""

    def remedy_for(self, algorithm: str) -> str:
        """What to try with a learner, ``"ppo"`` or ``"dqn"``."""
        text = self.remedy
        for place, words in WORDS.items():
            text = text.replace(place, words[algorithm])
        return text


WORDS: Final = {
    "RATE": {"ppo": "--ppo.learning-rate", "dqn": "--dqn.learning-rate"},
    "EXPLORING": {"ppo": "--ppo.entropy-coef", "dqn": "--dqn.epsilon-steps"},
}
# A policy that a high rate has ruined chooses one thing for certain, and no bonus for entropy moves it any more.
_EXPLORE: Final = "train anew: with a lower RATE if values warned too or it came early, else with a higher EXPLORING"
_ELSE: Final = "if exploration or one action warned too, what they say; else "
GUARDS: Final = (
    Guard("reward", reward.outweighs, "change the weights: --reward, or reward in the recipe"),
    Guard("losses", learner.not_finite, "train anew with a lower RATE"),
    Guard("values", learner.beyond_reward, "train anew with a lower RATE"),
    Guard("exploration", learner.ended_exploring, _EXPLORE),
    Guard("nothing moves", learner.nothing_moves, "raise RATE, or --ppo.learning-rate-final-share"),
    Guard("broken inputs", inputs.broken_inputs, "mend what feeds them; what was learned since is spoilt"),
    Guard("dead inputs", inputs.dead_inputs, f"{_ELSE}mend what feeds them, or choose another --encoder"),
    Guard(
        "standing still",
        behaviour.stands_still,
        f"{_ELSE}pay for coming closer (distance) or charge for time: --reward",
    ),
    Guard(
        "no attack",
        behaviour.never_attacks,
        f"{_ELSE}pay more for damage_dealt, charge less for damage_taken: --reward",
    ),
    Guard("one action", behaviour.one_action, _EXPLORE),
    Guard("stuck", behaviour.runs_against, "try --random-start, or charge for time: --reward"),
    Guard("weak hits", behaviour.weak_hits, "see that the sword is in hand; what was learned since is spoilt"),
    Guard("plateau", progress.plateau, "change one thing: RATE, EXPLORING, --reward or --encoder"),
    Guard("speed", progress.slow, "see what else runs on this machine; on the game, see its speed"),
)


def guard_table() -> str:
    """Documentation of all guards as a markdown table."""
    lines = ["| guard | warns when | try |", "|---|---|---|"]
    lines += [f"| {guard.name} | {guard.check.__doc__} | {guard.remedy} |" for guard in GUARDS]
    words = [f"{place} stands for {' or '.join(options.values())}." for place, options in WORDS.items()]
    return "\n".join(lines) + "\n\n" + "\n".join(words) + "\n"
