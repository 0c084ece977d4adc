"""The search for better settings, with Optuna: the only room that knows it."""
