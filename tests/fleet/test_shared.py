"""Memory that processes of one machine share."""

import errno
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from fleet_at_work import shared_names, wait_until

from ashen.training.fleet.shared import Reader, Writer

pytestmark = pytest.mark.fleet


@pytest.fixture
def ends():
    """A writer whose arrays one reader takes, and the reader."""
    reader = Reader()
    writer = Writer(reader.name)
    yield writer, reader
    writer.close()
    reader.clear()


def test_arrays_come_back_as_they_were(ends):
    """Breaks if values, shapes or types change, if arrays lie over each other, or if what was read changes with the
    next that is written; also when a block becomes too small.
    """
    writer, reader = ends
    rng = np.random.default_rng(0)
    kept = []
    for rows in (3, 2, 5_000, 0):
        arrays = {
            "obs": rng.random((rows, 7), np.float32),
            "flags": rng.random((rows, 3)) < 0.5,
            "records": np.zeros(rows, [("x_m", np.float32), ("step", np.int32)]),
            "numbers": np.asfortranarray(rng.integers(0, 9, (rows, 2))),
        }
        kept.append((arrays, reader.get(writer.put(arrays))))
    for arrays, back in kept:
        assert back.keys() == arrays.keys()
        for name, values in arrays.items():
            assert back[name].dtype == values.dtype
            np.testing.assert_array_equal(back[name], values)


def test_a_message_is_heard_in_whole_while_others_replace_it():
    """Breaks if a reader takes half of one message and half of the next for one, or hears an older one than the
    latest.
    """
    writer, reader, over = Writer(), Reader(), threading.Event()
    block = writer.say(bytes([0]) * 300_000)

    def talk():
        number = 0
        while not over.is_set():
            number += 1
            writer.say(bytes([number % 256]) * (200_000 + number % 100_000))

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        assert all(len(set(reader.hear(block))) == 1 for _ in range(300))
    finally:
        over.set()
        talker.join()
    writer.say(b"last")
    assert reader.hear(block) == b"last"
    reader.close()
    writer.close()


def test_names_do_not_outlive_their_use(ends):
    """Breaks if memory is left on the machine when a training has ended."""
    writer, reader = ends
    (place,) = writer.put({"obs": np.ones(3)}).values()
    reader.get({"obs": place})
    many = Writer()
    block = many.say(b"all")
    many.close()
    assert _is_gone(place.block) and _is_gone(block)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="memory of this system is given page by page")
def test_memory_that_runs_out_is_told(ends, monkeypatch):
    """Breaks if a machine with little memory to share kills whoever writes there, leaves a name for a block that
    was not to be had, or if nothing can be written any more when there is room again.
    """
    writer, reader = ends
    made = []

    def nothing_left(file, begin, size):
        made.append(size)
        raise OSError(errno.ENOSPC, "no space left")

    before = shared_names()
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", nothing_left)
        with pytest.raises(OSError, match="no space left"):
            writer.put({"obs": np.ones(1000)})
    assert made and made[0] >= 8000 and shared_names() <= before
    assert reader.get(writer.put({"obs": np.ones(1000)}))["obs"].sum() == 1000


def test_a_writer_that_is_killed_leaves_no_name():
    """Breaks if a learner that is killed leaves its networks in the machine's memory for good."""
    code = (
        "import time; from ashen.training.fleet.shared import Writer\n"
        "writer = Writer(); print(writer.say(b'networks'), flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        block = process.stdout.readline().decode().strip()
        reader = Reader()
        assert reader.hear(block) == b"networks"
        reader.close()
        process.kill()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as meanwhile:
        wait_until(lambda: _is_gone(block), meanwhile)
        meanwhile.communicate(b"\n")


def test_what_was_not_read_goes_with_its_reader(ends):
    """Breaks if a player that ends with a batch on the way, its first or a larger one, leaves it in memory for good."""
    writer, reader = ends
    (first,) = writer.put({"obs": np.ones(3)}).values()
    reader.clear()
    assert _is_gone(first.block)
    writer.close()
    (second,) = writer.put({"obs": np.ones(3)}).values()
    assert reader.get({"obs": second})["obs"].sum() == 3
    (larger,) = writer.put({"obs": np.ones(3000)}).values()
    reader.clear()
    assert _is_gone(larger.block)


def _is_gone(block):
    code = (
        "import sys; from multiprocessing.shared_memory import SharedMemory; from ashen.training.fleet import shared\n"
        "memory = SharedMemory(sys.argv[1]); shared._leave(memory)"
    )
    return subprocess.run([sys.executable, "-c", code, block], capture_output=True, check=False).returncode != 0
