"""Ray, which starts and watches players: on this machine alone, or a fleet's."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ashen.core.errors import UserError
from ashen.training.fleet.cluster import check_answers, check_token
from ashen.training.fleet.node import NO_RAY
from ashen.training.fleet.plan import FleetPlan

try:
    import ray
    from ray.exceptions import GetTimeoutError as GetTimeoutError
    from ray.exceptions import RayError as RayError
except ModuleNotFoundError:
    raise UserError(NO_RAY) from None

NAMESPACE: Final = "ashen"
_STORE_BYTES: Final = 256 * 2**20
"""Of shared memory, which only Ray itself uses."""


@contextmanager
def ray_running(plan: FleetPlan) -> Iterator[None]:
    """Ray, on this machine alone or joined to a fleet's; shut down at the end.

    Raises:
        UserError: there is no fleet at that address, or it does not know our token.
    """
    ours = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    quiet = {"logging_level": "critical", "log_to_driver": False, "namespace": NAMESPACE}
    if plan.fleet is not None:
        check_answers(plan.fleet)  # Ray would try for a minute
        check_token(plan.fleet)
    try:
        if plan.fleet is None:
            # Players are what is counted, not cores.
            own = {"num_cpus": plan.actors, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
            ray.init(address="local", _node_ip_address="127.0.0.1", **own, **quiet)
        else:
            ray.init(address=plan.fleet, **quiet)
    except Exception as error:  # Ray tells of a start that took too long by no class of its own
        if plan.fleet is None:
            why = f"{last_line(error)}; if other programs keep this machine busy, wait for them"
            raise UserError(f"cannot start Ray on this machine: {why}") from None
        how = (
            "perhaps it has another token than this machine, or this machine has not joined it; see: ashen fleet status"
        )
        raise UserError(f"cannot join the fleet at {plan.fleet}: {last_line(error)}; {how}") from None
    for number, handler in ours.items():  # Ray has put its own in their place
        signal.signal(number, handler)
    try:
        yield
    finally:
        ray.shutdown()


def last_line(error: BaseException) -> str:
    """What an error of Ray's says in its last line; the others are for Ray's makers."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__
