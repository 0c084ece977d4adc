import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ashen.core.errors import UserError
from ashen.runs.files import write_bytes
from ashen.runs.folder import create_run
from ashen.training.checkpoints import (
    BEST,
    KEEP,
    latest_checkpoint,
    load_checkpoint,
    save_best,
    save_checkpoint,
)
from ashen.training.whole import best_checkpoint


@pytest.fixture
def run(tmp_path):
    """An empty run folder."""
    return create_run(tmp_path, "run", "x")


def test_a_checkpoint_comes_back_as_it_was(run):
    """Breaks if tensors or plain data change on the way through the file."""
    state = {"agent": {"weights": torch.arange(6.0), "steps": 3, "rng": {"state": 2**100}}, "best": [0.5, -1.0]}
    checkpoint = load_checkpoint(save_checkpoint(run, 1000, state))
    assert checkpoint["env_step"] == 1000
    assert checkpoint["best"] == [0.5, -1.0]
    assert torch.equal(checkpoint["agent"]["weights"], torch.arange(6.0))
    assert checkpoint["agent"]["rng"]["state"] == 2**100


def test_what_no_reader_takes_is_no_checkpoint(run):
    """Breaks if a checkpoint gets its name, and may push out an older one, that nothing could go on from."""
    save_checkpoint(run, 10, {"agent": {}})
    with pytest.raises(TypeError, match="tensors and plain data only"):
        save_checkpoint(run, 20, {"agent": {}, "number": np.float64(1.0)})
    assert load_checkpoint(latest_checkpoint(run))["env_step"] == 10


def test_a_truth_value_of_numpys_can_be_read(run):
    """Breaks if checkpoints are lost that an older ashen wrote while a later fight was recorded."""
    assert load_checkpoint(save_checkpoint(run, 20, {"agent": {}, "flag": np.bool_(True)}))["flag"] is True


def test_only_the_newest_and_the_best_are_kept(run):
    """Breaks if old checkpoints fill the disk, or if the best one is rotated away."""
    save_best(run, 5, {"agent": {}})
    for step in (10, 20, 30, 40, 50):
        save_checkpoint(run, step, {"agent": {}})
    assert len(list(run.checkpoints.iterdir())) == KEEP + 1
    assert load_checkpoint(latest_checkpoint(run))["env_step"] == 50
    assert best_checkpoint(run)[1]["env_step"] == 5
    (run.checkpoints / BEST).unlink()
    assert best_checkpoint(run)[0] == latest_checkpoint(run)


def test_damaged_foreign_and_missing_checkpoints_are_told(run):
    """Breaks if a bad checkpoint is a traceback, or if code in one could run."""
    with pytest.raises(UserError, match="holds no checkpoint"):
        latest_checkpoint(run)
    path = save_checkpoint(run, 1, {"agent": {"weights": torch.zeros(1000)}})
    whole = path.read_bytes()
    for damage in (whole[:2000], b"", b"not a checkpoint"):
        path.write_bytes(damage)
        with pytest.raises(UserError, match="damaged"):
            load_checkpoint(path)
    torch.save({"schema_version": 1, "agent": run}, path)
    with pytest.raises(UserError, match="damaged"):
        load_checkpoint(path)
    torch.save({"schema_version": 0}, path)
    with pytest.raises(UserError, match="schema 0"):
        load_checkpoint(path)


@pytest.mark.skipif(os.name == "nt", reason="limits of file sizes are POSIX")
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_write_cut_short_leaves_the_old_file(tmp_path, is_killed):
    """Breaks if a process that dies, or runs out of room, in the middle of a write spoils the older file."""
    path = tmp_path / "file"
    write_bytes(path, b"old" * 1000)
    code = f"""
import resource, signal
from pathlib import Path
from ashen.runs.files import write_bytes
signal.signal(signal.SIGXFSZ, signal.{"SIG_DFL" if is_killed else "SIG_IGN"})
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
write_bytes(Path({str(path)!r}), b"new" * 100_000)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode != 0
    assert path.read_bytes() == b"old" * 1000
    assert len(list(tmp_path.iterdir())) == (2 if is_killed else 1)
