"""A head with a locked door: who is let in, and a sweep whose trials run on its machines."""

import datetime
import ipaddress
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from fleet_at_work import fleet_in, wait_until
from small_fleet import SMALL

from ashen.agents import DQNConfig
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, run_names
from ashen.runs.metrics import read_metrics
from ashen.training.fleet.wire import Wire
from ashen.training.tables import to_table, to_toml

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
pytestmark = pytest.mark.fleet
SEARCHED = replace(
    SMALL, num_envs=2, total_steps=128, evaluate_every=32, evaluation_fights=1, final_fights=1, dqn=DQNConfig()
)
SPACE = "[ppo]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }\n"


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of this machine and its key."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed; Ray brings it")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, whose = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
    )
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.UTC)
    draft = x509.CertificateBuilder().subject_name(whose).issuer_name(whose).public_key(key.public_key())
    draft = draft.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    draft = draft.add_extension(here, critical=False)
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    own = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *own))
    return files


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A head whose door speaks TLS."""
    with fleet_in(tmp_path_factory.mktemp("fleet"), actors=2) as fleet:
        fleet.tls = self_signed(fleet.folder, "ours")
        fleet.start()
        yield fleet


def test_who_is_let_in(fleet, monkeypatch, capsys):
    """Breaks if the door cannot be reached over TLS, or if whoever is not trusted or not known gets in, hangs, or gets
    more than a line.
    """
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(fleet.folder / ".ray" / "auth_token"))
    ours, other = ["--ca", str(fleet.tls[0])], ["--ca", str(self_signed(fleet.folder, "other")[0])]
    assert main(["fleet", "status", fleet.door, *ours]) == 0
    assert "no training yet" in capsys.readouterr().out
    status, join = ["fleet", "status", fleet.door], ["fleet", "join", fleet.door, "--client"]
    strangers = [(status, "certificate"), (join, "certificate"), ([*status, *other], "certificate")]
    for words, message in strangers:
        assert main(words) == 2
        said = capsys.readouterr().err
        assert message in said and "give --ca" in said and said.count("\n") == 1
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    for words in ([*status, *ours], [*join, *ours]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "does not take this token; copy the file" in said and said.count("\n") == 1
    fleet.environment["RAY_AUTH_TOKEN"] = "0" * 64
    words = ["train", "smoke", "--fleet", f"127.0.0.1:{fleet.port}", "--actors", "1", "--runs-dir", str(fleet.runs)]
    train = fleet.run(*words, name="train")
    del fleet.environment["RAY_AUTH_TOKEN"]
    assert train.wait(300.0) == 2
    said = fleet.said("train")
    assert "does not take this token; copy the file" in said and said.count("\n") == 1 and not fleet.runs.exists()


def test_a_second_training_leaves_no_run(fleet):
    """Breaks if a training that a busy fleet sends away leaves a run that has not begun."""
    words = ["--fleet", f"127.0.0.1:{fleet.port}", "--runs-dir", str(fleet.runs), "--name"]
    first = fleet.run("train", "dqn", *words, "first", name="first")
    wait_until(lambda: "waiting for players" in fleet.said("first"), first)
    second = fleet.run("train", "dqn", *words, "second", name="second")
    assert second.wait(300.0) == 2, fleet.said("second")
    said = fleet.said("second")
    assert "the fleet trains first; it trains one run at a time" in said and said.count("\n") == 1
    assert run_names(fleet.runs) == ["first"]
    first.send_signal(signal.SIGINT)
    assert first.wait(300.0) == 0, fleet.said("first")


def test_actors_without_room_are_told(fleet):
    """Breaks if a training waits without a word for machines that cannot join, or does not say how to have room."""
    words = ["--fleet", f"127.0.0.1:{fleet.port}", "--actors", "3", "--runs-dir", str(fleet.runs), "--name", "crowded"]
    crowded = fleet.run("train", "dqn", *words, name="crowded")
    how = "no machine can join it; start it for more: ashen fleet start --actors 3"
    wait_until(lambda: f"the fleet has cores for 2 of 3 actors now; {how}" in fleet.said("crowded"), crowded)
    crowded.send_signal(signal.SIGINT)
    assert crowded.wait(300.0) == 0, fleet.said("crowded")


@pytest.mark.parametrize("token", ["\ufeff" + "0" * 64, "ab\ncd", "ключ"], ids=["BOM", "two lines", "no ASCII"])
def test_a_token_in_another_form_is_said(tmp_path, monkeypatch, token, capsys):
    """Breaks if a token that an editor or a shell has changed is a traceback, blamed on the address, or replaced."""
    file = tmp_path / "auth_token"
    file.write_bytes(token.encode())
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    for words in (["join", "http://127.0.0.1:1", "--client"], ["start"]):
        assert main(["fleet", *words]) == 2
        said = capsys.readouterr().err
        assert f"{file} holds no token in plain ASCII" in said and said.count("\n") == 1
    assert file.read_bytes() == token.encode()


def test_a_wrong_certificate_is_said_before_there_is_a_head(tmp_path, capsys):
    """Breaks if a head says that its door is open which can never speak TLS."""
    files = (*self_signed(tmp_path, "ours"), *self_signed(tmp_path, "other"), tmp_path / "none.pem")
    for certificate, key in ((files[0], files[3]), (files[1], files[1]), (files[4], files[1])):
        assert main(["fleet", "start", "--tls-cert", str(certificate), "--tls-key", str(key)]) == 2
        said = capsys.readouterr().err
        assert f"cannot speak TLS with {certificate} and {key}" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:port", "is no address"),
        ("http://127.0.0.1:99999", "is no address .*0-65535"),
        ("127.0.0.1:8420", "is no door; give http://HOST:8420"),
        ("https://127.0.0.1:1", "cannot read a certificate in .*; give a PEM file"),
    ],
)
def test_what_cannot_be_called_is_said(tmp_path, address, message):
    """Breaks if a wrong address or certificate is a traceback, or tried for ever."""
    with pytest.raises(UserError, match=message):
        Wire(address, "token", "ein Spieler: 勇者", tmp_path / "none.pem").status()


@pytest.mark.slow
def test_a_sweep_runs_on_a_fleet(fleet, tmp_path):
    """Breaks if trials on a fleet are no ordinary runs, or one that was stopped does not go on."""
    pytest.importorskip("optuna", reason="Optuna is not installed: python bootstrap.py test installs it")
    recipe, space = tmp_path / "small.toml", tmp_path / "space.toml"
    recipe.write_text(to_toml(SEARCHED), encoding="utf-8")
    space.write_text(SPACE, encoding="utf-8")
    words = ["sweep", str(recipe), "--space", str(space), "--workers", "2", "--metric", "return_mean"]
    words += ["--fleet", f"127.0.0.1:{fleet.port}", "--runs-dir", str(tmp_path / "runs")]
    for trials, more in (("2", []), ("3", ["--resume"])):
        assert fleet.run(*words, "--trials", trials, *more, name="sweep").wait(300.0) == 0, fleet.said("sweep")
    names = run_names(tmp_path / "runs")
    assert names == [f"sweep-small-{number:03d}" for number in range(3)]
    assert all(len(read_metrics(RunFolder(tmp_path / "runs" / name), "evaluation")) == 4 for name in names)
    assert not list((tmp_path / "runs").glob(".*")) and "best    sweep-small-00" in fleet.said("sweep")


def test_a_trial_on_another_machine_is_handed_over(tmp_path):
    """Breaks if a machine that does not see the folder of all runs keeps what its trial has made, or begins anew what
    had been stopped.
    """
    from ashen.training.fleet import trials

    machine, run = trials._Trial.__ray_metadata__.modified_class, RunFolder(tmp_path / "mine-000")
    for is_stopped in (True, False):
        asked = {"recipe": to_table(SEARCHED), "recipe_name": "small"}
        words = (asked, tmp_path / "elsewhere", run.name, "mark", trials._packed(run.path))
        trial = machine(*words)
        for kind, said in iter(trial.listen, None):
            if kind == "ended":
                break
            if said["kind"] == "evaluation":
                trial.answer(True)
                if is_stopped:
                    trial.stop()
        assert said[0] == 0
        trials._unpack(said[1], run.path)
        assert bool(read_metrics(run, "final")) is not is_stopped
    assert "resumed at step" in run.log_file.read_text(encoding="utf-8")
    assert not (tmp_path / "elsewhere").exists()
