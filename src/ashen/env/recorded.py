"""A recorded fight as its agent met it, or as that of an environment would have: what was seen, decided and paid."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, NO_ACTION, NOTHING, Outcome
from ashen.env.actions import action_ids
from ashen.env.vector import FightVectorEnv
from ashen.env.view import View
from ashen.obs.encode import encode_rows, remembered


class Decisions(NamedTuple):
    """What was decided in one fight, T' times: every step, or with ``skip_steps`` those that leave a choice."""

    obs: NDArray[np.float32]  # [T', D]
    mask: NDArray[np.bool_]  # [T', A]
    actions: NDArray[np.int64]  # [T'], 0..A-1; NO_ACTION where what was done had no effect, or nothing else was valid
    rewards: NDArray[np.float32]  # [T'], up to the next decision


class Episode(NamedTuple):
    """What the agent of a recorded fight saw, did and was paid; T' decisions, without the steps nobody was asked in."""

    obs: NDArray[np.float32]  # [T' + 1, D]; the last one is how the fight ended
    masks: NDArray[np.bool_]  # [T' + 1, A]; of the end it is not recorded, and all true
    actions: NDArray[np.int64]  # [T'], 0..A-1
    rewards: NDArray[np.float32]  # [T'], up to the next decision


def episode_of(
    view: View,
    states: NDArray[Any],
    actions: NDArray[np.integer],
    masks: NDArray[np.bool_],
    rewards: NDArray[np.float32],
) -> Episode:
    """Turn a recorded fight back into what its own agent met.

    Args:
        view: of the encoder it saw through.
        states: FIGHT_STATE [T + 1] of the whole fight, memory fields filled.
        actions: [T], the agent's own; NO_ACTION in steps that the environment waited.
        masks: [T, A], over the agent's actions.
        rewards: [T].
    """
    asked = actions != NO_ACTION
    return Episode(
        obs=view.observe(states[np.append(asked, True)]),
        masks=np.concatenate([masks[asked], np.ones((1, masks.shape[1]), np.bool_)]),
        actions=actions[asked].astype(np.int64),
        rewards=np.add.reduceat(rewards, np.flatnonzero(asked)),
    )


def paid(view: View, states: NDArray[Any], actions: NDArray[np.integer], outcome: Outcome) -> NDArray[np.float32]:
    """What a view's reward pays in every step of a recorded fight, term by term.

    Args:
        view: of the reward, against the boss of the fight.
        states: FIGHT_STATE [T + 1] of the whole fight.
        actions: [T], 0..19; NO_ACTION in steps that the environment waited.
        outcome: how the fight ended.

    Returns:
        [T, K], named by ``view.reward.names``.
    """
    return view.reward.score(states, outcome, view.encoder.facts["arena"], actions)


def decisions_of(
    env: FightVectorEnv,
    skip_steps: bool,
    states: NDArray[Any],
    actions: NDArray[np.int64],
    masks: NDArray[np.bool_],
    outcome: Outcome,
) -> Decisions:
    """Turn a recorded fight into decisions.

    Args:
        env: whose encoder, reward and actions count.
        skip_steps: whether it waits while only doing nothing is valid.
        states: FIGHT_STATE [T + 1] of the whole fight.
        actions: [T], 0..19; what was done in ``states[t]``.
        masks: [T, 20], the valid actions there.
        outcome: how the fight ended.

    Raises:
        UserError: an action that had an effect is not among the environment's.
    """
    has_choice = masks[:, :NOTHING].any(axis=1)
    asked = has_choice.copy() if skip_steps else np.ones(len(actions), np.bool_)
    asked[0] = True
    taken = np.where(asked, actions, NO_ACTION)
    rows = remembered(states.copy(), env.encoder, np.append(NO_ACTION, taken))
    terms = env.reward.score(states, outcome, env.encoder.facts["arena"], taken)
    ids = action_ids(env.action_names)
    mask = masks[:, ids]
    mask[~mask.any(axis=1)] = True  # as in a fight: a mask is never empty
    place = np.full(len(ACTION_NAMES), NO_ACTION)
    place[ids] = np.arange(len(ids))
    counts = asked & has_choice & masks[np.arange(len(actions)), actions]
    if np.any(foreign := counts & (place[actions] == NO_ACTION)):
        name = ACTION_NAMES[int(actions[foreign][0])]
        raise UserError(f"does {name}, which is not among the recipe's actions; give --actions all")
    return Decisions(
        obs=encode_rows(rows[:-1], env.encoder)[asked],
        mask=mask[asked],
        actions=np.where(counts & (mask.sum(axis=1) > 1), place[actions], NO_ACTION)[asked],
        rewards=np.add.reduceat(terms.sum(axis=1), np.flatnonzero(asked)).astype(np.float32),
    )
