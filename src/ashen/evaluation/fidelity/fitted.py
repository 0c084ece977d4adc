"""What the guesses of phase 1 were fitted to."""

FITTED_TO = {
    "length_steps": "fight length, random play (steps)",
    "return_mean": "return, random play, default reward",
    "return_sd": "its standard deviation",
    "reward_per_step_phase1": "reward per step, random play, phase 1",
    "batch_sd": "its deviation over 1,000 steps",
    "boss_hp_dealt": "share of the boss dealt",
    "fall_share": "share of fights that end in a fall",
    "attacks_per_1000_steps": "boss attacks per 1,000 steps",
    "wrong_strikes": "recorded hits and misses",
}
"""Targets of tools/fit_guesses.py, each with the name of its row."""
