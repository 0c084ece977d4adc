"""The verb that makes several machines one fleet."""

from collections.abc import Callable, Sequence

from ashen.core.errors import UserError, unknown


def fleet(words: Sequence[str]) -> int | None:
    """Start a fleet, join one, or look at it."""
    action, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else ("--help", words)
    if action == "--help":
        print(HELP, end="")
        raise SystemExit
    if action not in _ACTIONS:
        raise unknown("word", action, _ACTIONS, "ashen fleet")
    return _ACTIONS[action](rest)


HELP = """usage: ashen fleet start|join|status [OPTIONS]

Several machines play, one learns.

  start                be the head, on the machine that trains: ashen train RECIPE --fleet ADDRESS --actors N
  join ADDRESS         play for it on a Linux machine; with --game on the real game, with --client in the simulator
  status [ADDRESS]     who plays for whom, and how fast

ashen fleet start --help, and so on, tells their options. Without a fleet, ashen train RECIPE --actors N plays with N
processes on this machine.
"""


def _start(words: Sequence[str]) -> int:
    from ashen.options.fleet import FleetStartOptions
    from ashen.options.parse import parse

    options = parse(FleetStartOptions, "fleet start", words)
    from ashen.captain import lead

    return lead(options)


def _join(words: Sequence[str]) -> None:
    from ashen.options.fleet import FleetJoinOptions
    from ashen.options.parse import parse

    options = parse(FleetJoinOptions, "fleet join", words)
    if options.game:
        _require_game()
    from ashen.captain import join

    join(options)


def _require_game() -> None:
    """Miss the game now, and not when a training begins; one that a crash left stuck is made playable."""
    from ashen.game.keeper import the_keeper

    keeper = the_keeper()
    is_there = keeper.unstick() is not None
    keeper.close()
    if not is_there:
        raise UserError("the game does not run; start Dark Souls III, offline, and load the save")


def _status(words: Sequence[str]) -> None:
    from ashen.options.fleet import FleetStatusOptions
    from ashen.options.parse import parse

    options = parse(FleetStatusOptions, "fleet status", words)
    from ashen.lookout import show_status

    show_status(options)


_ACTIONS: dict[str, Callable[[Sequence[str]], int | None]] = {"start": _start, "join": _join, "status": _status}
