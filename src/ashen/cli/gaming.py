"""The verbs that are about the real game alone."""

from collections.abc import Sequence


def unstick(words: Sequence[str]) -> int:
    """Put back what a crashed run left in the real game; returns 1 if something could not be."""
    from ashen.game.keeper import the_keeper
    from ashen.options.gaming import UnstickOptions
    from ashen.options.parse import parse

    parse(UnstickOptions, "unstick", words)
    keeper = the_keeper()
    failed = keeper.unstick()
    keeper.close()
    if failed is None:
        print("the game does not run, so nothing is stuck")
        return 0
    for name, reason in failed.items():
        print(f"could not put back {name}: {reason}")
    if not failed:
        print("the game is as it was: its own speed, all flags, gravity, no key held")
    return 1 if failed else 0
