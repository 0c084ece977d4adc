import sys
from pathlib import Path

import torch

# worlds.py and small.py are shared by the tests of this folder; a package named tests would clash with SoulsGym's.
sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)  # the networks are tiny: a second thread only costs
