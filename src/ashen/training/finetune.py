"""Fine-tuning: how an agent is trained on with few steps, in a fight that differs from the one it knows."""

from dataclasses import replace

from ashen.training.recipe import Recipe

STEPS = 20_000


def finetuning_recipe(parent: Recipe) -> Recipe:
    """The recipe by which an agent is fine-tuned unless told otherwise: its own, with small steps close to itself.

    Few fights side by side, so that each of them ends several times in so few steps. PPO uses each step more often, but
    may move only half as far in an update and is held back by the parent's policy; DQN begins at once, with little
    exploration and a lower learning rate.

    Args:
        parent: what the agent was trained by.
    """
    return replace(
        parent,
        num_envs=1 if parent.is_on_game else 8,
        total_steps=STEPS,
        evaluate_every=STEPS // 4,
        evaluation_fights=100,
        final_fights=200,
        checkpoint_every=STEPS,
        record_every=STEPS // 4,
        log_every=STEPS // 10,
        ppo=replace(
            parent.ppo,
            rollout_steps=128,
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
