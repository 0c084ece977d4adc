"""Floor 2, instrument: what an agent sees. FIGHT_STATE rows -> numbers. Never knows the simulator, rewards or torch.

``facts`` packs the tables encoders need; ``memory`` fills the memory fields of FIGHT_STATE; ``features`` computes every
named quantity of a row once; ``encoders`` lists which features make an observation; ``write`` runs that list;
``dictionary`` translates SoulsGym's own observation to FIGHT_STATE and back; ``encode`` serves recorded fights.
"""

from ashen.obs.encode import encode
from ashen.obs.encoders import ENCODER_NAMES, Encoder, encoder_table, make_encoder

__all__ = ["ENCODER_NAMES", "Encoder", "encode", "encoder_table", "make_encoder"]
