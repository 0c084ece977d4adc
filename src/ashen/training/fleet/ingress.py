"""The door for players from outside, such as game PCs: HTTP with a token, over Ray Serve. Nothing is unpickled here."""

import hmac
import json
import logging
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from ashen.training.fleet.batch import MAX_BYTES, Tag
from ashen.training.fleet.desk import NAME, TRIAL, Caller
from ashen.training.fleet.wire import NO_TRAINING, RECEIPT

APP: Final = "ashen"


@dataclass(frozen=True)
class Door:
    """Where the ingress listens."""

    host: str
    port: int
    certificate: str | None = None
    """PEM file; with its key the door speaks TLS."""
    key: str | None = None

    @property
    def url(self) -> str:
        """For those who knock."""
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}"


def open_door(door: Door, token: str, namespace: str) -> None:
    """Serve the ingress on this machine until Ray ends.

    Raises:
        RuntimeError: the port is taken.
    """
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    tls = {"ssl_certfile": door.certificate, "ssl_keyfile": door.key} if door.certificate else {}
    serve.start(http_options={"host": door.host, "port": door.port, "num_cpus": 0} | tls)
    serve.run(_Ingress.bind(token, namespace), name=APP, route_prefix="/")


@serve.deployment(ray_actor_options={"num_cpus": 0}, max_ongoing_requests=64)
class _Ingress:
    """Looks at the token, and hands on to the desk."""

    def __init__(self, token: str, namespace: str):
        self._token, self._desk = token, ray.get_actor(NAME, namespace=namespace)

    async def __call__(self, request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), self._token.encode()):
            return Response("the token is missing or wrong", 401)
        player, life, run = (request.headers.get(f"ashen-{name}", "") for name in ("player", "life", "run"))
        who = Caller(unquote(player)[:100], life, run)
        match request.method, request.url.path:
            case "GET", "/run":
                status, about = await self._desk.run.remote(who)
                return _json(about) if about else Response(NO_TRAINING, status)
            case "POST", "/leave":
                await self._desk.leave.remote(who)
                return Response()
            case "GET", "/weights":
                version = request.query_params.get("version", "")
                have = Tag(request.query_params.get("session", ""), int(version) if version.isdecimal() else -1)
                return await self._with_receipt(request, self._desk.weights.remote(who, have))
            case "POST", "/batch":
                length = request.headers.get("content-length", "")
                if not length.isdecimal() or int(length) > MAX_BYTES:
                    return Response("too large, or of unknown length", 413)
                is_hurried = request.query_params.get("hurried") == "1"
                put = self._desk.put.remote(
                    who, await request.body(), is_hurried, request.query_params.get("sender", "")
                )
                return await self._with_receipt(request, put)
            case "GET", "/status":
                nodes = [node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]]
                named = ray.util.list_named_actors(all_namespaces=True)
                trials = sorted(actor["name"].split()[1] for actor in named if actor["name"].startswith(TRIAL))
                return _json(await self._desk.status.remote() | {"machines": nodes, "trials": trials})
        return Response("no such thing here", 404)

    async def _with_receipt(self, request: Request, call: Any) -> Response:
        """The desk's answer, and what has been taken of who asks by then."""
        receipt = self._desk.receipt.remote(request.query_params.get("sender", ""))
        status, body = await call
        return Response(body, status, {RECEIPT: await receipt})


def _json(value: Any) -> Response:
    return Response(json.dumps(value), media_type="application/json")
