"""How the threads of torch wait for each other."""

import os
import subprocess
import sys

import pytest

from ashen.core.threads import wait_briefly

SPIN, POLICY = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"
_LOADS_TORCH = "from ashen.cli import main; main(['recipes']); import torch"


@pytest.mark.skipif(sys.platform != "linux", reason="torch has another OpenMP there")
def test_threads_wait_briefly():
    """Fails if the command sets it after torch was loaded, which reads it then, or if torch reads something else."""
    settings = {name: value for name, value in os.environ.items() if name not in (SPIN, POLICY)}
    command = [sys.executable, "-c", _LOADS_TORCH]
    settings |= {"OMP_DISPLAY_ENV": "verbose"}
    said = subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stderr
    assert f"{SPIN} = '10000'" in said


@pytest.mark.parametrize(("name", "value"), [(SPIN, "7"), (POLICY, "ACTIVE")])
def test_what_the_user_has_set_holds(name, value, monkeypatch):
    """Fails if ashen overrules how somebody wants threads to wait."""
    monkeypatch.delenv(SPIN, raising=False)
    monkeypatch.delenv(POLICY, raising=False)
    monkeypatch.setenv(name, value)
    wait_briefly()
    assert os.environ.get(SPIN) == (value if name == SPIN else None)
