"""The boss's numbers out of one's own recorded fights: what the game showed refits what was inferred or guessed."""
