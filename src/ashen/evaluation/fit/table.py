"""A boss's table whose motion is what recorded fights show. Clocks, hits and decisions stay the table's own."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ashen.evaluation.fit.attacks import Trace, attack_traces, fit_attack, forget_stretches
from ashen.evaluation.fit.moves import fit_moves
from ashen.evaluation.fit.speeds import fit_speeds
from ashen.evaluation.recording import Recording


def fitted_table(fights: Sequence[Recording], table: np.void, forget: bool = False) -> np.void:
    """A copy of a table with the motion of some fights.

    Fitted are the root motion, lunges and turning of every attack seen, the speeds of walking and of turning on the
    spot, the player's running, and the way of each of his moves seen.

    Args:
        fights: recordings, at least one.
        table: the packed TABLE record.
        forget: what becomes of motion that these fights do not show. False keeps the table's. True keeps nothing: in
            the phases seen, an attack moves as the mean of the attacks seen; a move or a speed is zero.

    Returns:
        The new TABLE record.
    """
    new = np.array([table])[0]
    fit_speeds(new["rules"], fights, table, forget)
    traces: dict[tuple[int, int], list[Trace]] = defaultdict(list)
    for fight in fights:
        for trace in attack_traces(fight, table):
            traces[trace.phase, trace.attack].append(trace)
    for (phase, attack), of_attack in traces.items():
        fit_attack(new["attacks"][phase - 1, attack], of_attack)
    moves = fit_moves(new["moves"], fights, table)
    if forget:
        for phase in {phase for phase, _ in traces}:
            _take_mean(new["attacks"][phase - 1], [attack for seen_in, attack in traces if seen_in == phase])
        new["moves"]["travel"][np.setdiff1d(np.arange(len(new["moves"])), list(moves))] = 0.0
    return new


def _take_mean(attacks: NDArray[np.void], seen: list[int]) -> None:
    """Let all attacks of a phase but those seen move as those do on average."""
    means = {key: attacks[key][seen].mean(axis=0) for key in ("forward_m", "left_m", "turn_rad")}
    for attack in np.setdiff1d(np.flatnonzero(attacks["name_end_f"]), seen):
        forget_stretches(attacks[attack])
        for key, mean in means.items():
            attacks[key][attack] = mean
