"""Encode whole fights: recorded dictionaries or recorded FIGHT_STATE rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ashen.core.compiled import njit
from ashen.core.errors import UserError
from ashen.core.fight import NO_ACTION, NUM_ACTIONS
from ashen.obs.dictionary import rows_from
from ashen.obs.encoders import Encoder, empty_observation, make_encoder
from ashen.obs.features import MEASURED
from ashen.obs.memory import forget, remember
from ashen.obs.write import write


def encode(
    observations: Sequence[Mapping[str, Any]],
    encoder: str = "ashen",
    boss: str = "iudex",
    actions: ArrayLike | None = None,
) -> NDArray[np.float32]:
    """Encode the consecutive SoulsGym dictionaries of one fight.

    Args:
        observations: T dictionaries, 0.1 s apart, from the start of the fight.
        encoder: name of the encoder.
        boss: name or table of the boss.
        actions: [T], 0..19; ``actions[t]`` led to ``observations[t]``, so ``actions[0]`` is not read. None if unknown.

    Returns:
        float32 [T, D].

    Raises:
        UserError: unknown encoder or boss, a dictionary without a key, or actions of another length or range.
    """
    chosen = make_encoder(encoder, boss)
    if chosen.is_dictionary:
        raise UserError("encoder 'dict' is the dictionary itself; choose ashen, onehot74 or raw26")
    return encode_rows(remembered(rows_from(observations), chosen, actions), chosen)


def remembered(rows: NDArray[Any], encoder: Encoder, actions: ArrayLike | None = None) -> NDArray[Any]:
    """Fill in place the memory fields of one fight's consecutive FIGHT_STATE rows [T]; returns them."""
    taken = np.full(len(rows), NO_ACTION, np.int64) if actions is None else np.array(actions, np.int64)
    if len(taken) != len(rows):
        raise UserError(f"{len(taken)} actions for {len(rows)} observations; give one for each")
    if np.any((taken[1:] < NO_ACTION) | (taken[1:] >= NUM_ACTIONS)):
        raise UserError(f"actions must lie in 0..{NUM_ACTIONS - 1}, or be {NO_ACTION} if unknown")
    _remember_all(rows, taken, encoder.facts)
    return rows


def encode_rows(rows: NDArray[Any], encoder: Encoder) -> NDArray[np.float32]:
    """Encode FIGHT_STATE rows [T] whose memory fields are filled, as recorded ones are. Returns float32 [T, D]."""
    out = empty_observation(encoder, len(rows))
    room = np.zeros(1, MEASURED)
    _write_all(rows, encoder.facts, encoder.runs, room, room.view(np.float32), out)
    return out


@njit
def _remember_all(rows, actions, facts):
    for t in range(len(rows)):
        if t == 0:
            forget(rows[0], facts[0])
        else:
            remember(rows[t - 1], rows[t], actions[t], facts[0])


@njit
def _write_all(rows, facts, runs, room, values, out):
    for t in range(len(rows)):
        write(rows[t], facts[0], runs, room[0], values, out[t])
