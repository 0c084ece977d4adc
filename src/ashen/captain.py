"""A fleet with someone watching: its head, and those who join it."""

import os
import re
import time
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.signals import StopOnSignal
from ashen.display import say
from ashen.options.fleet import FleetJoinOptions, FleetStartOptions
from ashen.runs.folder import PLAYERS, RunFolder
from ashen.training.fleet.client import Client, player_name, recipe_here, wait_for_run
from ashen.training.fleet.cluster import (
    check_can_cluster,
    check_certificate,
    check_free,
    head_running,
    is_loopback,
    join_cluster,
    prepare_ray,
    start_again,
)
from ashen.training.fleet.wire import OtherRunError, RunOverError, Wire, make_token, read_token
from ashen.training.tables import to_table

_KEY: Final = 6
"""Characters of a run's key in the name of the folder of who plays for it: two runs may have one name."""


def lead(options: FleetStartOptions) -> int:
    """Be the head of a fleet until told to stop, or until its Ray ends.

    Returns:
        The exit code: 0 told to stop, 1 its Ray has ended.

    Raises:
        UserError: this machine cannot be, or something is in the way.
    """
    check_can_cluster()
    check_certificate(options.tls_cert, options.tls_key)
    token_file = make_token()
    check_free(options.address, options.door_port, "--door-port")
    prepare_ray(options.address)
    from ashen.training.fleet.head import door_open  # Ray is an extra, and takes a while

    say("starting Ray's head; it takes seconds, on a busy machine a minute, and gives up after two")
    with StopOnSignal() as stop, head_running(options.address, options.port, options.actors) as head:
        say("Ray's head runs; opening the door for players from outside")
        with door_open(options) as door:
            print(f"train here         ashen train RECIPE --fleet {options.address}:{options.port} --actors N")
            print(f"Linux machines     {_how_to_join(options)}")
            print(f"game PCs           ashen fleet join {door} --game")
            print(f"in the simulator   ashen fleet join {door} --client")
            print(f"look               ashen fleet status {door}")
            print(f"token              {token_file}, to be copied to the same place on machines that join", flush=True)
            while not stop() and not head.is_over:
                time.sleep(0.2)
            if not stop():
                again = start_again(f"{options.address}:{options.port}", door)
                say(f"Ray has ended here; start it again: {again}; a training then goes on with: ashen resume RUN")
            else:
                say("ending")
            head.end()  # before our own part in it, which would wait for Ray's door
            return 0 if stop() else 1


def _how_to_join(options: FleetStartOptions) -> str:
    if is_loopback(options.address):
        return "none, since only this machine reaches it; give --address HOST"
    return f"ashen fleet join {options.address}:{options.port}"


def join(options: FleetJoinOptions) -> None:
    """Play for a fleet until told to stop.

    Raises:
        UserError: the address, the token or the game is wrong.
    """
    with StopOnSignal() as stop:
        if options.game or options.client:
            _play_outside(options, stop)
        else:
            check_can_cluster()
            if not re.fullmatch(r"[^:/]+:\d+", options.address):
                raise UserError(
                    "a Linux machine joins HOST:PORT of the head's Ray; for its door give --game or --client"
                )
            read_token()
            join_cluster(options.address, options.actors or os.cpu_count() or 1, stop, say)


def _play_outside(options: FleetJoinOptions, stop: StopOnSignal) -> None:
    name = options.name or player_name()
    wire = Wire(options.address, read_token(), name, options.ca)
    try:
        _play_for_all(wire, name, options, stop)
    finally:
        wire.leave()


def _play_for_all(wire: Wire, name: str, options: FleetJoinOptions, stop: StopOnSignal) -> None:
    is_told = False
    while (about := wait_for_run(wire, stop, say, is_told)) is not None:
        try:
            _play_for(about, wire, name, options, stop)
        except OtherRunError as error:
            say(f"{error}; playing for that")
        except RunOverError as error:
            next_one = "the next one" if error.is_complete else "it to go on, or for the next one"
            say(f"{error}; waiting for {next_one}")
            is_told = True


def _play_for(about: dict[str, Any], wire: Wire, name: str, options: FleetJoinOptions, stop: StopOnSignal) -> None:
    """Play for a run until told to stop; raises OtherRunError when another is trained."""
    recipe = recipe_here(about, "game" if options.game else "sim", options.game_speed, options.scan_codes)
    folder = f"{Path(about['run']).name}-{name}-{Path(about['key']).name[:_KEY]}"
    run = _folder(options.runs_dir / PLAYERS / folder)
    if not run.config_file.is_file():
        run.write_config({"recipe": to_table(recipe), "trained_here": False, "plays_for": options.address})
    client, until = Client(wire, about, recipe, run, options.pace), f"{name} joins again"
    say(f"playing for {about['run']}; recorded fights are kept in {run.fights}")
    try:
        client.play(stop, say)
    except (OtherRunError, RunOverError):  # after which it plays or waits for others
        until = "that training goes on"
        raise
    finally:
        left = f"; {client.left} batches wait in {run.path} until {until}" if client.left else ""
        late = f", {client.late_steps:,} of them too late to be learned from" if client.late_steps else ""
        rest = f"; {client.unfinished_steps:,} more are of no whole rollout" if client.unfinished_steps else ""
        say(f"played {client.sent_steps:,} steps for {about['run']}{late}{rest}{left}")


def _folder(path: Path) -> RunFolder:
    folder = RunFolder(path)
    folder.fights.mkdir(parents=True, exist_ok=True)
    folder.checkpoints.mkdir(exist_ok=True)
    return folder
