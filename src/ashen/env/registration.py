"""Gymnasium ids, registered when ``ashen.env`` is imported: Gymnasium looks for no plug-ins since its version 1.0."""

ENV_IDS = {"ashen/Iudex-v0": "iudex"}
"""A change of dynamics or of observations raises the version."""


def register_envs() -> None:
    """Register every id with Gymnasium, once."""
    from gymnasium.envs.registration import register, registry

    for env_id, boss in ENV_IDS.items():
        if env_id not in registry:
            register(
                id=env_id,
                entry_point="ashen.env:FightEnv",
                vector_entry_point="ashen.env:FightVectorEnv",
                kwargs={"boss": boss},
            )
