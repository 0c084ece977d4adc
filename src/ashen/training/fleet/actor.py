"""A player in a process of its own, which Ray starts."""

from contextlib import suppress
from dataclasses import replace

from ashen.training.fleet.batch import Batch
from ashen.training.fleet.engine import ray
from ashen.training.fleet.gatherer import Gatherer
from ashen.training.fleet.shared import Place, Reader, Writer
from ashen.training.fleet.tables import Luggage, unpack_tables
from ashen.training.recipe import Recipe


@ray.remote(num_cpus=1)
class Actor:
    """Plays its share of a recipe's fights; arguments as of :class:`Gatherer`."""

    def __init__(self, recipe: Recipe, luggage: Luggage, players: int, name: str, pace: float):
        from ashen.agents.runtime import tune_process

        tune_process(threads=1)
        self._gatherer = Gatherer(unpack_tables(recipe, luggage), players, name, pace)
        self._gatherer.record()
        self._weights, self._writers = Reader(), dict[str, Writer]()

    def play(self, weights: bytes | str, record: bool, reader: str | None) -> tuple[Batch, dict[str, Place]]:
        """A batch by these networks.

        Args:
            weights: the networks, or the block of shared memory in which the latest lie.
            record: also the next fight that starts.
            reader: who reads the batch's part out of shared memory; None has it go with the answer.

        Returns:
            The batch, and where its part lies if it does not have it.
        """
        self._gatherer.load(weights if isinstance(weights, bytes) else self._weights.hear(weights))
        batch = self._gatherer.play(record)
        if reader is not None:
            writer = self._writers.setdefault(reader, Writer(reader))
            with suppress(OSError):  # without room there it goes with the answer
                return replace(batch, part={}), writer.put(batch.part)
        return batch, {}
