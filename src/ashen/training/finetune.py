"""Fine-tuning: how an agent is trained on with few steps, in a fight that differs from the one it knows."""

from dataclasses import replace
from typing import Any, Literal

from ashen.env.worlds import ONLY_ON_GAME
from ashen.training.recipe import Recipe

STEPS = 20_000
_ROLLOUT = 1_024
"""Steps of all fights together between two updates of PPO."""


def finetuning_recipe(parent: Recipe, backend: Literal["sim", "game"] | None = None) -> Recipe:
    """The recipe by which an agent is fine-tuned unless told otherwise: its own, with small steps close to itself.

    Few fights side by side, so that each of them ends several times in so few steps. PPO uses each step more often, but
    may move only half as far in an update and is held back by the parent's policy; DQN begins at once, with little
    exploration and a lower learning rate. On the game, where a fight takes ten seconds or more, matches are short.

    Args:
        parent: what the agent was trained by.
        backend: where it is to be fine-tuned; None: where it was trained.
    """
    is_on_game = (backend or parent.backend) == "game"
    world: dict[str, Any] = ONLY_ON_GAME if is_on_game else {"num_envs": 8, "real_boss": ""}
    return replace(
        parent,
        **world,
        backend="game" if is_on_game else "sim",
        total_steps=STEPS,
        evaluate_every=STEPS // (2 if is_on_game else 4),
        evaluation_fights=30 if is_on_game else 100,
        final_fights=50 if is_on_game else 200,
        checkpoint_every=STEPS,
        record_every=STEPS // 4,
        log_every=STEPS // 10,
        ppo=replace(
            parent.ppo,
            rollout_steps=_ROLLOUT // int(world["num_envs"]),
            epochs=10,
            minibatch_size=512,
            clip=parent.ppo.clip * 0.5,
            entropy_coef=parent.ppo.entropy_coef_final,
            kl_to_parent=0.02,
        ),
        dqn=replace(
            parent.dqn,
            learning_rate=parent.dqn.learning_rate * 0.3,
            learning_starts=0,
            epsilon_start=parent.dqn.epsilon_end,
        ),
    )
