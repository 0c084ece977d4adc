"""The real door to a real desk, in this process and without Ray's."""

import asyncio
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import uvicorn
from fleet_at_work import free_port
from starlette.requests import Request

from ashen.agents.acting import acting_state
from ashen.training.fleet.batch import Tag
from ashen.training.fleet.desk import Desk
from ashen.training.fleet.plan import FleetPlan, share_of
from ashen.training.fleet.tables import pack_tables
from ashen.training.fleet.weights import packed
from ashen.training.player import Player
from ashen.training.recipe import Recipe, make_agent_for
from ashen.training.tables import to_table

with warnings.catch_warnings():  # Ray Serve is behind pydantic
    warnings.simplefilter("ignore")
    from ashen.training.fleet.ingress import _Ingress

TOKEN = "token"


class OpenDoor:
    """A desk whose door is open.

    Args:
        port: where it listens on this machine.
    """

    def __init__(self, port: int):
        self.port, self.address = port, f"http://127.0.0.1:{port}"
        self._desk = Desk(self.address)
        options = {"log_level": "error", "lifespan": "off", "interface": "asgi3"}
        self._server = uvicorn.Server(uvicorn.Config(self._app, "127.0.0.1", port, **options))
        self._door = object.__new__(_Ingress.func_or_class)
        self._door._token, self._door._desk = TOKEN, _Actor(self._desk)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        answer = await self._door(Request(scope, receive))
        await answer(scope, receive, send)

    def serve(self, is_open: threading.Event) -> None:
        """Answer until told to end."""
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve(is_open))

    async def _serve(self, is_open: threading.Event) -> None:
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.01)
        is_open.set()
        await serving

    def end(self) -> None:
        """Have it end."""
        self._server.should_exit = True

    def ask(self, name: str, *words: Any) -> Any:
        """Call the desk as the learner does."""
        return asyncio.run_coroutine_threadsafe(getattr(self._desk, name)(*words), self._loop).result(60.0)

    def train(self, recipe: Recipe, run: str = "a", key: str = "key") -> None:
        """Be a learner that has just begun."""
        player = Player(share_of(recipe, 1, "learner", "life"))
        about = {"run": run, "key": key, "recipe": to_table(recipe), "luggage": pack_tables(recipe)}
        about |= {"players": FleetPlan().actors, "inputs": list(player.env.encoder.names)}
        self.ask("open", about | {"actions": list(player.env.action_names)})
        self._state = acting_state(make_agent_for(player.recipe, player.env))
        self.publish(0, key)

    def publish(self, version: int, key: str = "key") -> None:
        """Give out networks of this version."""
        tag = Tag("session", version)
        self.ask("publish", key, packed(self._state, tag), tag)


class _Actor:
    """The desk as Ray hands it out."""

    def __init__(self, desk: Desk):
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=getattr(self._desk, name))


@contextmanager
def door_here(port: int | None = None) -> Iterator[OpenDoor]:
    """A door that closes with the block, at a port or where one is free."""
    door, is_open = OpenDoor(port or free_port()), threading.Event()
    thread = threading.Thread(target=door.serve, args=(is_open,))
    thread.start()
    try:
        assert is_open.wait(60.0)
        yield door
    finally:
        door.end()
        thread.join()
