"""What the tests of the fleet share: a player in this process."""

import pytest
from small_fleet import SMALL, TAG

from ashen.agents.acting import acting_state
from ashen.training.fleet.gatherer import Gatherer
from ashen.training.fleet.weights import packed


@pytest.fixture
def gathered():
    """Plays a batch of a recipe and returns it, with who played it."""

    def play(recipe=SMALL, players=2, **options):
        gatherer = Gatherer(recipe, players, "one", **options)
        gatherer.record()
        gatherer.load(packed(acting_state(gatherer.agent), TAG))
        return gatherer.play().sealed(), gatherer

    return play
