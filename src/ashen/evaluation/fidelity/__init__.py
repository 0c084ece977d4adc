"""Is the simulator like the game? Every figure measured on the real game, measured again here, with its error."""
