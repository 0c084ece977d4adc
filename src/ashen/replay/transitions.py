"""The stored transition: one packed record, so that sampling is one gather and saving is one array."""

import numpy as np


def transition_dtype(obs_dim: int, num_actions: int) -> np.dtype:
    """Record of one transition over one or more steps.

    Fields:
        obs [D], action: where it began and what was done.
        n_return: discounted sum of the rewards on the way.
        discount: weight of the value of ``next_obs``: gamma^k after k steps, 0 after termination.
        next_obs [D], next_mask [A]: where it led and which actions were valid there.

    Args:
        obs_dim: D, numbers in an observation.
        num_actions: A.
    """
    return np.dtype(
        [
            ("obs", np.float32, (obs_dim,)),
            ("next_obs", np.float32, (obs_dim,)),
            ("n_return", np.float32),
            ("discount", np.float32),
            ("action", np.int32),
            ("next_mask", np.bool_, (num_actions,)),
        ],
        align=True,
    )
