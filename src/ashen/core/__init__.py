"""Floor 1: the words everything else is written in. Knows facts and shapes; never a rule of the fight, never torch."""
