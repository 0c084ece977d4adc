import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
import ashen

env = ashen.make_vec("iudex", num_envs=2)
for _ in range(3):
    arrays = [np.ones(2_000_000) for _ in range(5)]
    del arrays
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
arrays = [np.ones(2_000_000) for _ in range(5)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives memory back at every step")
def test_memory_that_a_step_frees_is_there_for_the_next():
    """Breaks if an environment leaves glibc to give freed memory back: 20,000 page faults here for 80 MB."""
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, encoding="utf-8", check=True)
    assert int(done.stdout) < 200
