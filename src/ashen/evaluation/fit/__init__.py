"""Motion out of recorded fights: how far and how fast both bodies travel and turn, fitted to recordings alone."""
