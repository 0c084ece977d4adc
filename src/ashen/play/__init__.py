"""Floor 5, face: the simulated fight for a human, in a window at the game's speed. Recorded as an agent's fights are.

``bindings`` lists keys and buttons, ``devices`` reads them, ``controls`` turns them into actions, ``pace`` tells when a
step is due, ``bout`` is one fight, ``kept`` is where its record goes, ``window`` draws, ``game`` is the loop.
"""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # standard output is for the paths of records
