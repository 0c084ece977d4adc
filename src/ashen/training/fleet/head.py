"""What the head of a fleet keeps: the desk, and the door to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ashen.core.errors import UserError
from ashen.training.fleet.desk import NAME, Desk
from ashen.training.fleet.engine import NAMESPACE, RayError, last_line, ray, ray_running
from ashen.training.fleet.ingress import Door, open_door
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.wire import read_token


@contextmanager
def door_open(options: Any) -> Iterator[str]:
    """Desk and door on a head that runs here, with which they end; the door's URL.

    Raises:
        UserError: the door's port is taken.
    """
    certificate, key = (file and str(file.resolve()) for file in (options.tls_cert, options.tls_key))
    door = Door(options.address, options.door_port, certificate, key)
    with ray_running(FleetPlan(fleet=f"{options.address}:{options.port}")):
        ray.remote(num_cpus=0)(Desk).options(name=NAME, lifetime="detached").remote(door.url)
        try:
            open_door(door, read_token(), NAMESPACE)
        except (RuntimeError, RayError) as error:
            reason = last_line(error)
            raise UserError(
                f"cannot open a door at {door.host}:{door.port}: {reason}; start again, or give another --door-port"
            ) from None
        yield door.url
