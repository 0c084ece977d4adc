"""A fleet's machines, its head and Linux nodes that join, and what is looked at before Ray is asked to do anything."""

import errno
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ashen.core.errors import UserError
from ashen.training.fleet.node import NO_RAY, OF_DRIVERS, Node, node_running
from ashen.training.fleet.wire import TOKEN_HELP, read_token

TRY_AGAIN_S: Final = 5.0
"""Between two attempts of a node to join."""
LOOPBACK: Final = ("127.0.0.1", "localhost")
_INLINE_BYTES: Final = 256 * 2**20
_SETTINGS: Final = {
    "RAY_AUTH_MODE": "token",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # a machine that plays too is slow to open its door
    "RAY_SERVE_LOG_TO_STDERR": "0",  # what it does is in its files
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # nothing of Ray's own is printed, such as alarm when a machine has left
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # what comes after the end is a mistake, and no reason to start again
    "RAY_worker_niceness": "0",  # players are no background work
    "RAY_task_events_report_interval_ms": "0",  # for a page that is not shown, and five seconds at every end
    # Batches and networks go from process to process and not through Ray's store: when a store has gone, Ray ends
    # whoever looks into it, also the learner.
    "RAY_max_direct_call_object_size": str(_INLINE_BYTES),
    "RAY_task_rpc_inlined_bytes_limit": str(_INLINE_BYTES),
}
_WRONG_TOKEN: Final = "InvalidAuthToken"
_IS_UP: Final = "/ray.rpc.NodeInfoGcsService/CheckAlive"
"""A call of Ray's head that changes nothing. Source: src/ray/protobuf/gcs_service.proto."""
_ANSWER_S: Final = 10.0
_KNOCK_S: Final = 1.0
_FRAME_BYTES: Final = 9
_HTTP2_SETTINGS: Final = b"\x04"
"""Kind of the frame with which Ray's head begins to talk. Source: RFC 9113, 6.5."""


def prepare_ray(address: str | None) -> None:
    """Set what Ray reads when it is imported, here and in all processes started from here.

    Whoever knows no token is sent away, nothing is told to Ray's makers, and a fleet of this machine alone listens on
    this machine alone.

    Args:
        address: ``HOST`` or ``HOST:PORT`` of the fleet; None for this machine alone.
    """
    is_alone = address is None or is_loopback(address)
    os.environ.update(
        _SETTINGS | (OF_DRIVERS if address else {}) | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0" if is_alone else "1"}
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine itself can reach ``HOST`` or ``HOST:PORT``."""
    return address.partition(":")[0] in LOOPBACK


def check_can_cluster() -> None:
    """Whether this machine can be part of a cluster.

    Raises:
        UserError: Ray's clusters are for Linux.
    """
    if sys.platform != "linux":
        raise UserError(
            "Ray's clusters run on Linux only; join from here as a player: ashen fleet join ADDRESS --game, or --client"
        )


@contextmanager
def head_running(host: str, port: int, players: int) -> Iterator[Node]:
    """The head of a cluster, on which so many may play.

    Raises:
        UserError: it does not start.
    """
    words = [
        "--head",
        f"--node-ip-address={host}",
        f"--port={port}",
        "--include-dashboard=false",
        f"--num-cpus={players}",
    ]
    check_free(host, port, "--port")
    with node_running(words) as head:
        while not head.has_started:
            if head.is_over:
                why = f"{head.last_words()}; if other programs keep this machine busy, wait for them"
                raise UserError(f"Ray's head does not start: {why}")
            time.sleep(0.2)
        yield head


def join_cluster(address: str, players: int, should_stop: Callable[[], bool], tell: Callable[[str], None]) -> None:
    """Be a node of a cluster until told to stop; joins again when the head was away.

    Args:
        address: of the head, ``HOST:PORT``.
        players: that may play here.

    Raises:
        UserError: Ray is missing, the head is for its own machine alone or has another token, or that is no head.
    """
    if is_loopback(address):
        check_answers(address)
        raise UserError(
            f"the head at {address} is for its own machine, which plays anyway: ashen train RECIPE --actors N; "
            "for others start it with an address that they reach: ashen fleet start --address HOST"
        )
    prepare_ray(address)
    while not should_stop():
        with suppress(OSError):  # who is away is told below
            _check_is_ray(address)
        tell(f"joining {address}")
        with node_running([f"--address={address}", f"--num-cpus={players}"]) as node:
            while not (should_stop() or node.is_over or node.has_started):
                time.sleep(0.2)
            if node.has_started:
                tell(f"joined {address}; actors that may play here: {players}")
            while not should_stop() and not node.is_over:
                time.sleep(0.2)
            reason = "" if should_stop() else node.last_words()
        if _WRONG_TOKEN in reason:
            raise UserError(f"{address} does not take this token; {TOKEN_HELP}")
        ends_s = time.monotonic() + TRY_AGAIN_S
        if not should_stop():
            tell(f"{address} is away ({reason}); trying again every {TRY_AGAIN_S:g} s")
        while not should_stop() and time.monotonic() < ends_s:
            time.sleep(0.2)


def check_free(host: str, port: int, option: str) -> None:
    """Whether this machine can listen there.

    Raises:
        UserError: it cannot; ``option`` is what sets the port.
    """
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
    except OSError as error:
        raise UserError(f"{host} is no address of this machine ({error.strerror}); give one by --address") from None
    if _answers(host, port):
        raise UserError(f"something is at {host}:{port} already, perhaps a fleet; end it, or give another {option}")


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Whether a door can speak TLS with these, or is to speak without.

    Raises:
        UserError: it cannot.
    """
    if (certificate is None) != (key is None):
        raise UserError("a certificate and its key belong together; give both --tls-cert and --tls-key, or neither")
    if certificate is None or key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except OSError as error:  # ssl's own among them
        reason = error.strerror or error
        raise UserError(
            f"cannot speak TLS with {certificate} and {key} ({reason}); give a certificate and its key, two PEM files "
            "without a password"
        ) from None


def check_answers(address: str) -> None:
    """Whether a fleet's Ray is at ``HOST:PORT``.

    Raises:
        UserError: nobody is, or something else.
    """
    try:
        _check_is_ray(address)
    except (OSError, OverflowError) as error:
        raise UserError(f"nobody answers at {address} ({error}); is it up? {start_again(address)}") from None


def check_token(address: str) -> None:
    """Whether the fleet's Ray at ``HOST:PORT`` takes this machine's token; Ray itself would say at length that it does
    not, after a run was made.

    Raises:
        UserError: it does not, or there is none.
    """
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return
    try:
        import grpc  # Ray brings it
    except ModuleNotFoundError:
        raise UserError(NO_RAY) from None
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        call = channel.unary_unary(_IS_UP)
        try:
            call(b"", timeout=_ANSWER_S, metadata=[("authorization", f"Bearer {read_token()}")])
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                raise UserError(f"{address} does not take this token; {TOKEN_HELP}") from None


def has_gone(address: str) -> bool:
    """Whether nobody listens at ``HOST:PORT`` any more; a network that is away for a while is no such thing."""
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        probe.settimeout(_KNOCK_S)
        return probe.connect_ex((host, int(port))) == errno.ECONNREFUSED


def start_again(address: str, door: str = "") -> str:
    """The command that starts a head whose Ray was at ``HOST:PORT``, and its door at that URL."""
    host, _, port = address.partition(":")
    words = f"ashen fleet start --address {host} --port {port}"
    words += f" --door-port {door.rpartition(':')[2]}" if door else ", with the --door-port that it had, if any"
    return words + (" --tls-cert FILE --tls-key FILE" if door.startswith("https") else "")


def _check_is_ray(address: str) -> None:
    """Raises UserError if something else is there, which Ray would try to talk with for ever; OSError if nothing is."""
    if os.environ.get("RAY_USE_TLS", "0") != "0":  # behind which nothing can be told apart
        return
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), _ANSWER_S) as call:
        call.sendall(b"GET / HTTP/1.0\r\n\r\n")  # what waits for a word gets one
        begin = call.recv(_FRAME_BYTES)
    if begin[3:4] != _HTTP2_SETTINGS:
        raise UserError(
            f"no fleet's Ray is at {address}, but something else, perhaps its door; give HOST:6379, as ashen fleet "
            f"start tells it; players join the door: ashen fleet join http://{address} --game, or --client"
        )


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
