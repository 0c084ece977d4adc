"""The way from a player outside to the ingress: HTTP, with the standard library alone."""

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.training.fleet.batch import Tag

TIMEOUT_S = 10.0


class AwayError(Exception):
    """The ingress, or the learner behind it, cannot be reached or has no room now; worth trying again."""


class Wire:
    """Calls of the ingress.

    Args:
        address: its URL, for example ``http://10.0.0.5:8420``.
        token: the fleet's.
        player: who calls.
        ca: certificate that signs the ingress's, PEM; None trusts what this machine does.
    """

    def __init__(self, address: str, token: str, player: str = "", ca: Path | None = None):
        self.address, self._headers = address.rstrip("/"), {"Authorization": f"Bearer {token}", "Ashen-Player": player}
        self._tls = ssl.create_default_context(cafile=ca) if address.startswith("https") else None

    def run(self) -> dict[str, Any]:
        """What is to be played.

        Raises:
            AwayError: nobody says so now.
            UserError: the token is wrong.
        """
        return json.loads(self._call("/run"))

    def status(self) -> dict[str, Any]:
        """How the fleet is; errors as of :meth:`run`."""
        return json.loads(self._call("/status"))

    def weights(self, have: Tag) -> bytes | None:
        """Newer networks, or None; errors as of :meth:`run`."""
        return self._call(f"/weights?session={have.session}&version={have.version}") or None

    def send(self, data: bytes) -> None:
        """Hand over a batch; errors as of :meth:`run`."""
        self._call("/batch", data)

    def _call(self, path: str, data: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.address + path, data, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._tls) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 304:
                    return b""
                if error.code == 401:
                    raise UserError(f"{self.address} does not take this token; {TOKEN_HELP}") from None
                raise AwayError(
                    f"{self.address} answers {error.code}: {error.read(200).decode(errors='replace')}"
                ) from None
        except ssl.SSLCertVerificationError as error:
            raise UserError(f"{self.address} shows a certificate nobody here trusts ({error.verify_message})") from None
        except (OSError, ValueError) as error:
            if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
                raise UserError(f"{self.address} shows a certificate that nobody here trusts; give its --ca") from None
            raise AwayError(f"{self.address} cannot be reached: {error}") from None


TOKEN_HELP = "copy the file that ashen fleet start names to ~/.ray/auth_token here, or set RAY_AUTH_TOKEN"


def read_token() -> str:
    """The fleet's token, where Ray looks for it too.

    Raises:
        UserError: there is none.
    """
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise UserError(f"no token in {path}; {TOKEN_HELP}") from None
