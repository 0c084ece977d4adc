"""Options of ashen fleet."""

import os
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import tyro

from ashen.core.errors import SettingError, UserError
from ashen.options.parse import check_counts
from ashen.runs.folder import MOST_LETTERS, default_runs_dir, is_plain
from ashen.training.effects import check_game_options


@dataclass(frozen=True)
class FleetStartOptions:
    """Be the head of a fleet: where trainings run, and others join. Runs until Ctrl-C; needs Linux and Ray.

    It listens on this machine alone unless --address is given. Whoever joins needs the fleet's token. Its Ray ends with
    it, however it ends; a training under way saves then, and goes on with ashen resume RUN when the head is back.
    """

    address: str = "127.0.0.1"
    """This machine's address, as the others see it."""
    port: int = 6379
    """Of Ray, for Linux machines that join."""
    actors: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Players that may play here too."""
    door_port: int = 8420
    """For game PCs and others that are no node of Ray's."""
    tls_cert: Path | None = None
    """Certificate for that door, PEM; with --tls-key it speaks https."""
    tls_key: Path | None = None
    """The certificate's key."""

    def __post_init__(self) -> None:
        check_counts(self, "actors", least=0)
        for name in ("port", "door_port"):
            if not 0 < getattr(self, name) < 2**16:
                raise SettingError(FleetStartOptions, name, getattr(self, name), "must lie in 1..65535")
        if self.port == self.door_port:
            raise UserError(f"--port and --door-port are both {self.port}; Ray and the door need one each")


@dataclass(frozen=True)
class FleetJoinOptions:
    """Play for the trainings of a fleet until Ctrl-C: ashen fleet join ADDRESS.

    ADDRESS is HOST:PORT of a head's Ray for a Linux machine, or with --game or --client its door, http://HOST:PORT.
    """

    address: tyro.conf.Positional[str]
    """As ashen fleet start told it."""
    game: bool = False
    """Play on the real game, which runs on this machine."""
    client: bool = False
    """Play in the simulator, through the door, from any machine."""
    actors: int | None = None
    """Players that may play here, on a Linux machine; as many as it has cores if not given."""
    name: str | None = None
    """What this player is called; the machine's name if not given."""
    game_speed: float = 3.0
    """How many times faster than real the game runs, 1..3."""
    scan_codes: bool = True
    """Press the game's keys by place, which no keyboard layout moves; else by letter, as SoulsGym itself does."""
    pace: float = 0.0
    """With --client: steps of 0.1 s a second, at most, of all its fights together; a game makes 22. Rates that are
    shown count decisions, which span about four of them. 0: as fast as it can."""
    ca: Path | None = None
    """Certificate that signs the head's, PEM, if this machine does not trust it anyway."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs, in which recorded fights and batches on their way are kept."""

    def __post_init__(self) -> None:
        if self.actors is not None:
            check_counts(self, "actors")
        _check_ca(self)
        if self.game and self.client:
            raise UserError("--game plays on the real game and --client in the simulator; give one of them")
        if self.actors is not None and (self.game or self.client):
            raise UserError(
                "--actors is of Linux machines that join HOST:PORT; through the door each command is a player"
            )
        if not self.game:
            check_game_options(self, "--game")
        if self.name is not None and not is_plain(self.name):
            rule = f"cannot be a player's name; give a plain one, such as a folder's, of at most {MOST_LETTERS} letters"
            raise SettingError(FleetJoinOptions, "name", self.name, rule)
        if not 0.0 <= self.pace < inf:
            raise SettingError(FleetJoinOptions, "pace", self.pace, "must be at least 0")
        if self.pace and not self.client:
            raise UserError(
                "--pace is of --client alone; a game has its own, and actors of Linux machines get it of ashen train"
            )


@dataclass(frozen=True)
class FleetStatusOptions:
    """Who plays for whom in a fleet, and how fast: ashen fleet status [ADDRESS]."""

    address: tyro.conf.Positional[str] = "http://127.0.0.1:8420"
    """Of the head's door."""
    ca: Path | None = None
    """Certificate that signs the head's, PEM, if this machine does not trust it anyway."""
    json: bool = False
    """Print one JSON object instead of lines."""

    def __post_init__(self) -> None:
        _check_ca(self)


def _check_ca(options: FleetJoinOptions | FleetStatusOptions) -> None:
    if options.ca and options.address.startswith("http://"):
        raise UserError(f"{options.address} does not speak TLS; leave out --ca, or give https://HOST:8420")
