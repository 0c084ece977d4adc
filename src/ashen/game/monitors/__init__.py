"""What fails on the game without an exception, looked for in every step."""
