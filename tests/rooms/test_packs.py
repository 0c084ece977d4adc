import contextlib
import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from small_packs import AGENTS, made, packed

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE
from ashen.env import make_vec
from ashen.runs.folder import RunFolder
from ashen.runs.pack_file import CARD, DESCRIPTION, WEIGHTS, pack_bytes, parts_of
from ashen.training.contenders import find_contender
from ashen.training.find_run import find_run
from ashen.training.joined import join
from ashen.training.packs.unpacking import unpack
from ashen.training.trained import trained

WEAK_BOSS = """base = "iudex"
[overlay]
"body.hp" = { v = 400.0, s = "test", c = "G" }
"""


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    """Runs of every kind of agent, and ``pair``, which joins two."""
    folder = tmp_path_factory.mktemp("runs")
    for name, changes in AGENTS.items():
        made(folder, name, **changes)
    join(RunFolder(folder / "ppo"), RunFolder(folder / "dqn"), folder, "pair")
    return folder


@pytest.fixture(scope="module")
def pack(runs_dir):
    """The pack of the run ``ppo``."""
    return packed(RunFolder(runs_dir / "ppo"))


def decisions(run):
    """What a run's agent does and values in some states, some of them in phase 2."""
    contender = find_contender(str(run.path), run.path.parent)
    env = make_vec(**contender.env_options, num_envs=8)
    policy, rng = contender.make_policy(env), np.random.default_rng(0)
    env.reset(seed=0)
    policy.begin(np.arange(8, dtype=np.uint64))
    states = np.repeat(env.states, 5)[:8].astype(FIGHT_STATE)
    states["phase"] = 1 + np.arange(8) % 2
    obs = rng.normal(size=(8, len(env.encoder.names))).astype(np.float32)
    mask = rng.random((8, len(env.action_names))) < 0.5
    mask[:, 0] = True
    decision = policy.act(states, obs, mask)
    values = policy.value(obs, mask) if hasattr(policy, "value") else np.zeros(0)
    return decision.actions.tolist(), decision.scores.tobytes(), values.tobytes()


@pytest.mark.parametrize("name", [*AGENTS, "pair"])
def test_a_packed_agent_decides_as_its_run_does(name, runs_dir):
    """Breaks if a packed agent's scores or values differ in a bit from its run's, or if two packs of a run differ."""
    run = RunFolder(runs_dir / name)
    data = packed(run)
    assert packed(run) == data
    assert decisions(unpack(data, "it.ashen")) == decisions(run)
    assert packed(unpack(data, "it.ashen")) != b"" and parts_of(data, "it")[CARD].startswith(b"# it\n")


def test_half_a_pack_plays_alike(runs_dir):
    """Breaks if 16 bits round more than weight matrices, or save no room."""
    run = RunFolder(runs_dir / "ppo")
    whole, half = (unpack(packed(run, half=half), "it.ashen") for half in (False, True))
    networks = [trained(it).checkpoint["agent"]["network"] for it in (whole, half)]
    for name, tensor in networks[0].items():
        assert torch.equal(networks[1][name], tensor.half().float() if tensor.ndim > 1 else tensor), name
    assert len(packed(run, half=True)) < len(packed(run)) - 5000


def test_a_pack_says_what_it_was(runs_dir, pack):
    """Breaks if the evaluation, tables, encoder, lineage or rule is not told, or a path of this machine is."""
    said = json.loads(parts_of(pack, "it")[DESCRIPTION])
    facts = said["agents"]["agent"]
    assert said["evaluation"]["fights"] == 1 and said["evaluation"]["win_rate_low"] >= 0.0
    assert said["evaluation"]["command"] == "ashen evaluate it.ashen --fights 1 --seed 1000"
    assert facts["tables"]["both"] == said["evaluation"]["table_hash"]
    assert (facts["name"], facts["mask"], len(facts["actions"])) == ("ppo", "only valid actions", 20)
    assert facts["lineage"]["created_at"] == "2026-01-01T00:00:00+00:00"
    assert len({column[0] for column in facts["encoder"]["columns"]}) == len(facts["encoder"]["columns"]) > 100
    pair = json.loads(parts_of(packed(RunFolder(runs_dir / "pair")), "it")[DESCRIPTION])
    assert pair["switch"] == "phase" and [facts["name"] for facts in pair["agents"].values()] == ["ppo", "dqn"]
    assert str(runs_dir) not in json.dumps([said, pair])


@pytest.mark.parametrize("is_whole", [False, True])
def test_an_overlay_goes_along(is_whole, tmp_path):
    """Breaks if a pack forgets the numbers of the boss it was trained against, or needs the files they came from."""
    from ashen.core.tables import boss_file

    weak, own = tmp_path / "weak.toml", tmp_path / "own.toml"
    weak.write_text(WEAK_BOSS.replace('"iudex"', '"own.toml"' if is_whole else '"iudex"'), encoding="utf-8")
    own.write_text(boss_file("iudex").read_text(encoding="utf-8"), encoding="utf-8")
    run = made(tmp_path, "ppo", boss=str(weak), **AGENTS["ppo"])
    data = packed(run)
    whole = packed(made(tmp_path, "whole", boss=str(own), **AGENTS["ppo"]))
    weak.unlink(), own.unlink()
    for pack, hp in ((data, 400.0), (whole, 1037.0)):
        contender = find_contender(str(unpack(pack, "it.ashen").path), tmp_path)
        env = make_vec(**contender.env_options)
        env.reset(seed=0)
        assert env.states["boss_max_hp"][0] == hp


class Bomb:
    """A pickle that tells when it is opened."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


def rewritten(pack, **changes):
    """A pack with other parts; ``described`` changes what it says of itself."""
    parts = parts_of(pack, "it")
    if "described" in changes:
        said = json.loads(parts[DESCRIPTION])
        changes.pop("described")(said)
        parts[DESCRIPTION] = json.dumps(said).encode()
    return pack_bytes(parts | {{"weights": WEIGHTS, "description": DESCRIPTION}[k]: v for k, v in changes.items()})


def zipped(names):
    """A zip of some files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in names:
            file.writestr(name, content)
    return data.getvalue()


def test_code_in_a_pack_is_refused_and_never_run(pack, tmp_path):
    """Breaks if a pickle is opened, wherever in a pack it stands, or is not called one."""
    mark, saved = tmp_path / "it ran", io.BytesIO()
    torch.save({"x": Bomb(mark)}, saved)
    bomb = pickle.dumps(Bomb(mark))
    for data in (bomb, saved.getvalue(), rewritten(pack, weights=bomb), rewritten(pack, weights=saved.getvalue())):
        with pytest.raises(UserError, match="a pickle, which could run code"):
            unpack(own_sha(data), "it.ashen")
    with_more = zipped([*parts_of(pack, "it").items(), ("checkpoints/best.pt", saved.getvalue())])
    with pytest.raises(UserError, match=r"holds 'checkpoints/best\.pt', a pickle"):
        unpack(with_more, "it.ashen")
    assert not mark.exists()


def own_sha(data):
    """A pack that tells the right hash of whatever weights it holds; other bytes stay."""
    from hashlib import sha256

    try:
        weights = parts_of(data, "it")[WEIGHTS]
    except UserError:
        return data
    return rewritten(
        data, described=lambda said: said["agents"]["agent"].update(weights_sha256=sha256(weights).hexdigest())
    )


@pytest.mark.parametrize("name", ["../pack.json", "/pack.json", "C:\\pack.json", "phase1/../pack.json", "more.txt"])
def test_only_known_names_are_read(name, pack, tmp_path):
    """Breaks if a part can be written outside of the temporary folder, or something unknown is let in."""
    with pytest.raises(UserError, match=r"which no pack has|is no pack, or a damaged one"):
        unpack(zipped([*parts_of(pack, "it").items(), (name, b"x")]), "it.ashen")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_and_bombs_are_refused(pack):
    """Breaks if a part hides behind another, or a small file unfolds to more than a pack can be."""
    parts = [*parts_of(pack, "it").items()]
    with pytest.raises(UserError, match=r"holds card\.md twice"):
        unpack(zipped([*parts, (CARD, b"x")]), "it.ashen")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts:
            file.writestr(name, content if name != CARD else b"x" * 2_000_000)
    with pytest.raises(UserError, match=r"holds a card\.md of more than 1 MB"):
        unpack(bomb.getvalue(), "it.ashen")


def test_damage_is_told(pack):
    """Breaks if a pack that is cut short or has a bit flipped plays, or ends in a traceback."""
    rng, whole = np.random.default_rng(0), decisions(unpack(pack, "it.ashen"))
    for length in (0, 1, 100, len(pack) // 2, len(pack) - 1):
        with pytest.raises(UserError, match="damaged"):
            unpack(pack[:length], "it.ashen")
    for place in rng.integers(len(pack), size=60).tolist():
        flipped = bytearray(pack)
        flipped[place] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(UserError):  # dates and attributes of the zip mean nothing
            assert decisions(unpack(bytes(flipped), "it.ashen")) == whole


CHANGES = {
    "schema": (lambda said: said.update(schema_version=2), "has schema 2, this ashen reads 1"),
    "format": (lambda said: said.update(format="x"), "has no readable pack.json"),
    "nobody": (lambda said: said.update(agents={}), "does not say who plays"),
    "rule": (lambda said: said.update(switch="distance"), "unknown rule 'distance'"),
    "name": (lambda said: said.update(name="../x"), "which is no plain name"),
    "no name": (lambda said: said.pop("name"), "pack.json is not whole"),
    "boss": (lambda said: agent(said)["recipe"].update(boss="gundyr"), "unknown boss 'gundyr' in it.ashen"),
    "path": (lambda said: agent(said)["recipe"].update(boss="x.toml"), "unknown boss 'x.toml' in it.ashen"),
    "actions": (lambda said: agent(said)["actions"].pop(), "other actions: it has 19, here there are 20; new: nothing"),
    "column": (
        lambda said: agent(said)["encoder"]["columns"].pop(3),
        "another encoder ashen: it has 209, here there are 210; new: boss_hp_share",
    ),
    "order": (
        lambda said: agent(said)["encoder"]["columns"].reverse(),
        "another encoder ashen: it has 210, here there are 210; number 0 is",
    ),
    "scale": (
        lambda said: agent(said)["encoder"]["columns"][6].__setitem__(5, 0.5),
        "number 6, distance_m, is scaled or bounded otherwise",
    ),
    "setting": (lambda said: agent(said)["recipe"].update(encodr="ashen"), "unknown key 'encodr' in it.ashen"),
    "width": (lambda said: agent(said)["recipe"]["ppo"].update(width=32), "does not fit its own recipe"),
    "huge": (lambda said: agent(said)["recipe"]["ppo"].update(width=10**9), "does not fit its own recipe"),
    "weights": (lambda said: agent(said).update(weights_sha256="0"), "is not what pack.json tells of"),
}


def agent(said):
    """The agent of a description."""
    return said["agents"]["agent"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_pack_that_does_not_fit_is_refused_with_the_difference(change, pack):
    """Breaks if a pack of another ashen, encoder, boss or recipe plays, or the difference is not named in one line."""
    changed, message = CHANGES[change]
    with pytest.raises(UserError) as refused:
        unpack(rewritten(pack, described=changed), "it.ashen")
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_weights_that_are_no_numbers_are_refused(pack):
    """Breaks if a network with NaN plays."""
    from safetensors.torch import load, save

    tensors = load(parts_of(pack, "it")[WEIGHTS])
    tensors["network.policy.0.bias"][0] = float("nan")
    with pytest.raises(UserError, match="numbers that are not finite"):
        unpack(own_sha(rewritten(pack, weights=save(tensors))), "it.ashen")


def test_other_tables_are_told_and_fought(pack, tmp_path, capsys):
    """Breaks if a pack of other tables is refused, or its win rate is not called doubtful."""
    file = tmp_path / "old.ashen"
    file.write_bytes(rewritten(pack, described=lambda said: agent(said)["tables"].update(both="0", boss="1")))
    assert main(["evaluate", str(file), "--fights", "1", "--json"]) == 0
    said = capsys.readouterr()
    assert "was made with tables 0, here they are" in said.err and "the boss's numbers differ" in said.err
    assert "than its card says, 0% of 1 fights (full, fixed start)" in said.err
    assert json.loads(said.out)["fights"] == 1


@pytest.mark.slow
def test_every_command_takes_a_pack(runs_dir, tmp_path, capsys, monkeypatch):
    """Breaks if a command that takes a run's agent takes no pack, or a pack replaces itself or another file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path / "runs"))
    assert main(["pack", str(runs_dir / "ppo"), "--fights", "2", "--out", "one.ashen"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert (
        said[0].startswith("result  ")
        and said[0].endswith(" (full fight, fixed start)")
        and said[1].startswith("pack    one.ashen (")
    )
    (tmp_path / "mine.ashen").write_text("mine", encoding="utf-8")
    assert main(["pack", "one.ashen", "--fights", "1", "--out", "mine.ashen"]) == 2
    assert "mine.ashen is there already and is no pack" in capsys.readouterr().err
    packed = (tmp_path / "one.ashen").read_bytes()
    for words in ([], ["--out", str(tmp_path / "one.ashen")]):
        assert main(["pack", "one.ashen", "--fights", "1", *words]) == 2
        assert "one.ashen is what the pack is made of, and would be written over" in capsys.readouterr().err
    assert (tmp_path / "one.ashen").read_bytes() == packed
    assert main(["evaluate", "one.ashen", "--fights", "2", "--seed", "1000", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    told = json.loads(parts_of((tmp_path / "one.ashen").read_bytes(), "one")[DESCRIPTION])["evaluation"]
    assert figures["policy"] == "one"
    assert {name for name, value in told.items() if figures.get(name) != value} == {"command"}
    assert main(["film", "one.ashen", "--out", "one.png"]) == 0
    assert main(["explain", "one.ashen", "--out", "one.txt"]) == 0
    assert main(["join", "one.ashen", "one.ashen", "--name", "pair", "--fights", "1"]) == 0
    small = ["--total-steps", "64", "--evaluation-fights", "1", "--final-fights", "1", "--ppo.rollout-steps", "8"]
    assert main(["finetune", "one.ashen", "--name", "tuned", *small]) == 0
    parent = RunFolder(tmp_path / "runs" / "tuned").read_config()["parent"]
    assert (parent["run"], parent["pack"], parent["checkpoint_step"]) == ("one", "one.ashen", 64)
    capsys.readouterr()
    for words, message in (
        (["resume", "one.ashen"], "a new one starts from it: ashen train RECIPE --parent PACK"),
        (["fork", "one.ashen"], "a new one starts from it: ashen train RECIPE --parent PACK"),
        (["fights", "one.ashen"], "it holds no recorded fights; give the run that it was made of"),
        (["runs", "tag", "one.ashen", "bad"], "it has no tags and no trash"),
        (["runs", "trash", "one.ashen"], "it has no tags and no trash"),
        (["pack", "one.ashen", "--out", "one.zip"], "end its name in .ashen"),
        (["film", "one.ashen", "--which", "best"], "has no recorded fights to choose from"),
        (["evaluate", "none.ashen"], "cannot read none.ashen"),
        (["plot", "one.ashen"], "one.ashen is a pack, one file of an agent: it holds no curves"),
        (["compare", "one.ashen"], "one.ashen is a pack, one file of an agent: it holds no curves"),
        (["calibrate", "--from", "one.ashen"], "unknown run 'one.ashen'"),
    ):
        assert main(words) == 2
        assert message in capsys.readouterr().err


def test_the_shipped_pack_plays(tmp_path):
    """Breaks if the shipped pack is not whole, was made with other tables, or wins less than its card says."""
    run = find_run("iudex-full", tmp_path)
    contender = find_contender("iudex-full", tmp_path)
    assert contender.pack["doubt"] == "" and contender.env_options["fight"] == "full"
    assert contender.env_step > 1_000_000 and run.name == "iudex-full"
