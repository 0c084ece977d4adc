"""Fine-tuning: how an agent is trained on with few steps, in a fight that differs from the one it knows."""

from dataclasses import replace

from ashen.training.recipe import Recipe

STEPS = 20_000


def finetuning_recipe(parent: Recipe) -> Recipe:
    """The recipe by which an agent is fine-tuned unless told otherwise: its own, with small steps close to itself.

    Few fights side by side, so that each of them ends several times in so few steps; updates are small and held back by
    the parent's policy (PPO), or begin at once and with little exploration (DQN).

    Args:
        parent: what the agent was trained by.
    """
    return replace(
        parent,
        num_envs=8,
        total_steps=STEPS,
        evaluate_every=STEPS // 4,
        evaluation_fights=100,
        final_fights=200,
        checkpoint_every=STEPS,
        record_every=STEPS // 4,
        log_every=STEPS // 10,
        ppo=replace(
            parent.ppo,
            rollout_steps=256,
            minibatch_size=512,
            learning_rate=parent.ppo.learning_rate * 0.4,
            entropy_coef=parent.ppo.entropy_coef_final,
            kl_to_parent=0.05,
        ),
        dqn=replace(
            parent.dqn,
            learning_rate=parent.dqn.learning_rate * 0.3,
            learning_starts=0,
            epsilon_start=parent.dqn.epsilon_end,
        ),
    )
