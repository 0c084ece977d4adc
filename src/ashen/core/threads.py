"""How the threads of one operation wait for each other; set before torch is loaded, which reads it once."""

import os
from typing import Final

_TURNS: Final = 10_000
"""Of a waiting thread's loop before it sleeps: about half a millisecond, longer than from one operation to the next."""


def wait_briefly() -> None:
    """Have torch's threads on Linux sleep soon when they wait for one that another program keeps from its core.

    By GNU OpenMP's own choice a thread waits awake for thirty times as long, on the core that the other one needs: with
    two busy programs beside them, two players and a learner on two cores took up to 93 ms an update in place of 6. What
    the user has set holds. docs/scale.md has the figures.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(_TURNS))
