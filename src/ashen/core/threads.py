"""How the threads of one operation wait for each other; set before torch is loaded, which reads it once."""

import os
from typing import Final

_TURNS: Final = 10_000
"""Of a waiting thread's loop before it sleeps."""


def wait_briefly() -> None:
    """Have torch's threads on Linux sleep soon when they wait for one that another program keeps from its core.

    By GNU OpenMP's own choice, 300,000 turns, a thread waits awake on the core that the other one needs: beside two
    busy programs a learner with two players came to half the speed. What the user has set holds. docs/scale.md has the
    figures, also of what it costs a quiet machine.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(_TURNS))
