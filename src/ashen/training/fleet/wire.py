"""The way from a player outside to the ingress: HTTP, with the standard library alone."""

import http.client
import json
import os
import re
import secrets
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from ashen.core.errors import UserError
from ashen.training.fleet.batch import Tag

TIMEOUT_S = 10.0
_NO_DOOR = "is no door of a fleet; give http://HOST:8420, as ashen fleet start tells it"
_LEAVE_S = 2.0


class AwayError(Exception):
    """The ingress, or the learner behind it, cannot be reached or has no room now; worth trying again."""


class FullError(AwayError):
    """The learner has more than it can learn from now."""


class IdleError(AwayError):
    """The fleet trains nothing now."""


class OtherRunError(Exception):
    """The fleet trains another run by now."""


class RunOverError(Exception):
    """The run is trained no more.

    Args:
        is_complete: it will not go on either; one that was stopped may.
    """

    def __init__(self, is_complete: bool):
        super().__init__("the training has ended" if is_complete else "the training was stopped")
        self.is_complete = is_complete


NO_TRAINING = "no training is under way"
"""What the door says where there is none."""
TRAINING, ENDED, STOPPED = "training", "ended", "stopped"
"""How a run is, by the door: one that was stopped may go on."""


RECEIPT = "Ashen-Taken"
"""Header of an answer: a receipt."""


class Receipt(NamedTuple):
    """What has become of what was sent."""

    shelf: str
    """Where it lies; another if what lay there is gone."""
    taken: int
    """How many batches the learner has taken from there."""


class Wire:
    """Calls of the ingress.

    Args:
        address: its URL, for example ``http://10.0.0.5:8420``.
        token: the fleet's.
        player: who calls.
        ca: certificate that signs the ingress's, PEM; None trusts what this machine does.

    Raises:
        UserError: the address is none, or the certificate cannot be read.
    """

    def __init__(self, address: str, token: str, player: str = "", ca: Path | None = None):
        if not address.startswith(("http://", "https://")):
            raise UserError(f"'{address}' is no door; give http://HOST:8420, as ashen fleet start tells it")
        self.address = address.rstrip("/")
        self._check_port()
        self._player = player
        self._headers = {"Authorization": f"Bearer {token}", "Ashen-Player": quote(player)}
        self._headers["Ashen-Life"] = secrets.token_hex(8)
        self.receipt = Receipt("", 0)
        """By the latest answer to :meth:`weights` or :meth:`send`."""
        try:
            self._tls = ssl.create_default_context(cafile=ca) if address.startswith("https") else None
        except OSError as error:  # ssl's own among them
            raise UserError(f"cannot read a certificate in {ca} ({error.strerror or error}); give a PEM file") from None

    def _check_port(self) -> None:
        try:
            _ = urlsplit(self.address).port
        except ValueError as error:
            raise UserError(f"{self.address} is no address ({error})") from None

    def run(self) -> dict[str, Any]:
        """What is to be played.

        Raises:
            AwayError: nobody says so now.
            UserError: the token is wrong, another player has the name, or this is no door of a fleet.
        """
        about = self._table("/run")
        self._headers["Ashen-Run"] = about["key"]
        return about

    def status(self) -> dict[str, Any]:
        """How the fleet is; errors as of :meth:`run`."""
        return self._table("/status")

    def weights(self, have: Tag, sender: str = "") -> bytes | None:
        """Newer networks of the run, or None; errors as of :meth:`run`, OtherRunError and RunOverError.

        Args:
            have: what is there already.
            sender: whose receipt is wanted, see :meth:`send`.
        """
        return self._call(f"/weights?session={have.session}&version={have.version}&sender={sender}") or None

    def send(self, data: bytes, is_hurried: bool = False, sender: str = "") -> None:
        """Hand over a batch of the run; errors as of :meth:`weights`.

        Args:
            data: the batch.
            is_hurried: whether the player cannot wait.
            sender: under which the head counts what the learner takes, drawn by who sends.
        """
        self._call(f"/batch?hurried={int(is_hurried)}&sender={sender}", data)

    def leave(self) -> None:
        """Say that this player ends, if anybody hears it."""
        with suppress(AwayError):
            self._call("/leave", b"", _LEAVE_S)

    def _table(self, path: str) -> dict[str, Any]:
        try:
            return json.loads(self._call(path))
        except ValueError:
            raise UserError(f"{self.address} {_NO_DOOR}") from None

    def _call(self, path: str, data: bytes | None = None, timeout_s: float = TIMEOUT_S) -> bytes:
        request = urllib.request.Request(self.address + path, data, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s, context=self._tls) as answer:
                self._keep_receipt(answer.headers)
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                self._keep_receipt(error.headers)
                return self._refused(HTTPStatus(error.code), error.read(200).decode(errors="replace"))
        except http.client.InvalidURL as error:
            raise UserError(f"{self.address} is no address ({error})") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, http.client.BadStatusLine) and not isinstance(reason, OSError):
                raise UserError(f"{self.address} {_NO_DOOR}") from None  # Ray's own port, for example
            if isinstance(reason, ssl.SSLError) and reason.reason == "WRONG_VERSION_NUMBER":
                raise UserError(f"{self.address} speaks no TLS; give http://, as ashen fleet start tells it") from None
            if isinstance(reason, ssl.SSLCertVerificationError):
                why = reason.verify_message
                raise UserError(f"nobody here trusts the certificate of {self.address} ({why}); give --ca") from None
            raise AwayError(f"{self.address} cannot be reached: {reason}") from None

    def _keep_receipt(self, headers: Message) -> None:
        shelf, _, taken = headers.get(RECEIPT, "").partition(" ")
        if taken.isdecimal():
            self.receipt = Receipt(shelf, int(taken))

    def _refused(self, status: HTTPStatus, why: str) -> bytes:
        match status:
            case HTTPStatus.NOT_MODIFIED:
                return b""
            case HTTPStatus.UNAUTHORIZED:
                raise UserError(f"{self.address} does not take this token; {TOKEN_HELP}") from None
            case HTTPStatus.CONFLICT:
                raise OtherRunError(f"{self.address} trains another run now") from None
            case HTTPStatus.LOCKED:
                raise UserError(
                    f"another player called '{self._player}' is at {self.address}; give this one another --name, "
                    "or wait some seconds if it was this one, killed"
                ) from None
            case HTTPStatus.GONE:
                raise RunOverError(why == ENDED) from None
            case HTTPStatus.SERVICE_UNAVAILABLE if why == NO_TRAINING:
                raise IdleError(f"{self.address} is there, but {NO_TRAINING}") from None
            case HTTPStatus.TOO_MANY_REQUESTS:
                raise FullError(f"{self.address} has batches enough for now") from None
        raise AwayError(f"{self.address} answers {status}: {why}") from None


_TOKEN = re.compile(rb"[!-~]+")
TOKEN_HELP = "copy the file that ashen fleet start names to ~/.ray/auth_token here, or set RAY_AUTH_TOKEN"


def token_file() -> Path:
    """Where the fleet's token is kept, by Ray too."""
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")


def read_token() -> str:
    """The fleet's token, where Ray looks for it too.

    Raises:
        UserError: there is none, or what is there is no token.
    """
    path, token = token_file(), os.environ.get("RAY_AUTH_TOKEN", "").encode()
    place = "RAY_AUTH_TOKEN" if token else str(path)
    with suppress(OSError):
        token = token or path.read_bytes().strip()
    if not token:  # an empty one would let everybody in
        raise UserError(f"no token in {path}; for a fleet of this machine: ashen fleet start; of another: {TOKEN_HELP}")
    if not _TOKEN.fullmatch(token):
        raise UserError(f"{place} holds no token in plain ASCII, perhaps as an editor or a shell made it; {TOKEN_HELP}")
    return token.decode("ascii")


def make_token() -> Path:
    """The file with the fleet's token, made if there is none.

    Raises:
        UserError: there is something else in its place.
    """
    path = token_file()
    if not (os.environ.get("RAY_AUTH_TOKEN") or (path.is_file() and path.stat().st_size)):
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="utf-8")
    read_token()
    return path
