"""What the user is to know while something works, a line each."""

import sys


def say(text: str) -> None:
    """Say something on standard error: what takes long and has begun, or what else there is to know."""
    print(f"ashen: {text}", file=sys.stderr)
