"""Ports and addresses of a fleet that were mixed up: each ends with a line."""

import socketserver
import threading

import pytest
from fleet_at_work import free_port

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.training.fleet.cluster import check_answers
from ashen.training.fleet.wire import Wire

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")

from fleet_door import TOKEN, door_here

pytestmark = pytest.mark.fleet
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""With which a server of HTTP/2 begins to talk, as Ray's head does."""


@pytest.fixture
def ray_port():
    """Of what begins to talk as Ray's head does."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(SETTINGS)
            self.request.recv(1000)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_door_is_no_ray(ray_port, tmp_path, monkeypatch, capsys):
    """Breaks if a training that was given the door's port hangs, says more than a line, or leaves an empty run."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    check_answers(f"127.0.0.1:{ray_port}")
    with door_here() as door:
        words = ["--runs-dir", str(tmp_path / "runs"), "--fleet", f"127.0.0.1:{door.port}"]
        assert main(["train", "dqn", *words]) == 2
    said = capsys.readouterr().err
    assert "no fleet's Ray is at" in said and f"ashen fleet join {door.address} --game" in said
    assert said.count("\n") == 1 and not (tmp_path / "runs").exists()


def test_a_head_for_its_own_machine_is_not_joined(ray_port, monkeypatch, capsys):
    """Breaks if a Linux machine tries for ever to join a head that no other machine can reach, or is told of one that
    is not there.
    """
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    assert main(["fleet", "join", f"127.0.0.1:{ray_port}"]) == 2
    assert "start it with an address that they reach" in capsys.readouterr().err
    assert main(["fleet", "join", f"127.0.0.1:{free_port()}"]) == 2
    assert "nobody answers at 127.0.0.1" in capsys.readouterr().err


def test_a_head_that_is_not_up_is_told_with_how_to_start_it():
    """Breaks if the advice would start it at another port."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=f"start --address 127.0.0.1 --port {address.partition(':')[2]}"):
        check_answers(address)


def test_ray_is_no_door(ray_port, tmp_path, monkeypatch, capsys):
    """Breaks if a player that was given Ray's port prints its bytes for ever, or leaves a folder."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    words = ["fleet", "join", f"http://127.0.0.1:{ray_port}", "--client", "--runs-dir", str(tmp_path / "runs")]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "is no door of a fleet; give http://HOST:8420" in said and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_door_without_tls_says_so():
    """Breaks if whoever knocks with https where http is spoken tries for ever."""
    with door_here() as door, pytest.raises(UserError, match="speaks no TLS; give http://"):
        Wire(door.address.replace("http", "https"), TOKEN).run()
