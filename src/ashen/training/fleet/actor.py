"""A player in a process of its own, which Ray starts."""

from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Listener

from ashen.training.fleet.batch import Batch
from ashen.training.fleet.cluster import LOOPBACK
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

    def play(self, weights: bytes, record: bool) -> Batch:
        """A batch by these networks, for a learner on any machine.

        Args:
            weights: the networks.
            record: also the next fight that starts.
        """
        self._gatherer.load(weights)
        return self._gatherer.play(record).sealed()

    def listen(self, key: bytes) -> tuple[str, int]:
        """Where a learner on this machine who knows the key can connect; :meth:`serve` then answers it."""
        self._listener = Listener((LOOPBACK[0], 0), authkey=key)
        return self._listener.address

    def serve(self) -> None:
        """Play whenever the learner asks over its connection, until it ends; steps go through shared memory."""
        with self._listener, self._listener.accept() as learner, suppress(EOFError, ConnectionError):
            while True:
                weights, record, reader = learner.recv()
                self._gatherer.load(weights if isinstance(weights, bytes) else self._weights.hear(weights))
                learner.send(self._laid_down(self._gatherer.play(record), reader))

    def _laid_down(self, batch: Batch, reader: str) -> tuple[Batch, dict[str, Place]]:
        """The batch without its part, and where that lies; whole where there is no room in shared memory."""
        writer = self._writers.setdefault(reader, Writer(reader))
        with suppress(OSError):
            return replace(batch, part={}), writer.put(batch.part)
        return batch, {}
