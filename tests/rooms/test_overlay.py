import re
from dataclasses import replace
from pathlib import Path

import pytest

import ashen
from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.coach import train_new
from ashen.core.errors import UserError
from ashen.core.tables import Fact, base_file, boss_file, load_facts, plain, player_facts, walk
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.calibrate.overlay import extended_overlay
from ashen.obs.encoders import make_encoder
from ashen.sim.pack import load_tables
from ashen.training.recipe import load_recipe

WINDOW = "phases.1.attacks.Attack3000.hits.0.window_s"
OVERLAY = f"""base = "iudex"
[overlay]
"{WINDOW}" = {{ v = [1.5, 1.62], s = "own fights", c = "M", range = [1.48, 1.53] }}
"arena.corridor_half_width_m" = {{ v = 4.5, s = "own fights", c = "M" }}
[player]
"body.press_delay_s" = {{ v = 0.03, s = "own fights", c = "M" }}
"inputs.drop_odds" = {{ v = 0.05, s = "own fights", c = "M" }}
"""


def written(path: Path, text: str = OVERLAY) -> Path:
    """The file, with a text in it."""
    path.write_text(text, encoding="utf-8")
    return path


def test_an_overlay_changes_its_numbers_and_no_others(tmp_path):
    """Breaks if a number of the base changes, one of the overlay does not, or the table hash stays."""
    path, base = written(tmp_path / "mine.toml"), boss_file("iudex")
    facts, before = dict(walk(load_facts(path))), dict(walk(load_facts(base)))
    assert {where for where in before if facts[where] != before[where]} == {WINDOW, "arena.corridor_half_width_m"}
    assert facts[WINDOW].value == [1.5, 1.62] and facts[WINDOW].range == (1.48, 1.53)
    player, player_before = dict(walk(player_facts(path))), dict(walk(player_facts(base)))
    changed = {where for where in player_before if player[where] != player_before[where]}
    assert changed == {"body.press_delay_s", "inputs.drop_odds"}
    assert base_file(path) == base and base_file(base) is None
    tables, table_hash = load_tables(path)
    assert table_hash != load_tables(base)[1]
    assert tables["arena"]["corridor_half_width_m"][0] == 4.5 and tables["rules"]["drop_odds"][0] == 0.05


def test_new_names_come_after_those_there_are(tmp_path):
    """Breaks if an id that fights were recorded with moves, or an encoder has no place for a new name."""
    path = written(tmp_path / "mine.toml", OVERLAY + '[animations]\nextra = ["Attack1501", "Attack3000", "Attack1500"]')
    base, own = boss_vocabulary(boss_file("iudex")), boss_vocabulary(path)
    assert own.names == (*base.names, "Attack1501") and own.soulsgym_count == base.soulsgym_count
    ashen_numbers = len(make_encoder("ashen", str(path)).names) - len(make_encoder("ashen").names)
    assert ashen_numbers == 3  # the name, the name as the attack before, and the time since it
    assert make_encoder("onehot74", str(path)).names == make_encoder("onehot74").names


def test_an_overlay_that_is_extended_keeps_what_it_says(tmp_path):
    """Breaks if refitting an overlay's boss, or learning a name, drops what that overlay changed before."""
    path = written(tmp_path / "mine.toml", OVERLAY + '[animations]\nextra = ["Attack1501"]')
    found = {"boss": {WINDOW: Fact([1.4, 1.52], "own fights", "M")}}
    more = written(tmp_path / "more.toml", extended_overlay(str(path), found, names=["Idle2"]))
    facts, before = dict(walk(load_facts(more))), dict(walk(load_facts(path)))
    assert {where for where in before if facts[where] != before[where]} == {WINDOW}
    assert facts[WINDOW].value == [1.4, 1.52] and player_facts(more) == player_facts(path)
    assert boss_vocabulary(more).names == (*boss_vocabulary(path).names, "Idle2")
    assert base_file(more) == boss_file("iudex")


def test_an_overlay_stands_where_a_boss_stands(tmp_path):
    """Breaks if an overlay's boss cannot be fought, varied or seen by the encoders."""
    path = str(written(tmp_path / "mine.toml"))
    for randomise in ("none", "facts"):
        env = ashen.make_vec(path, fight="full", num_envs=2, encoder="ashen", randomise=randomise, seed=0)
        own, _ = env.reset()
        assert own.shape == env.reset()[0].shape
    plain_obs, _ = ashen.make_vec("iudex", fight="full", num_envs=2, encoder="ashen", seed=0).reset()
    own_obs, _ = ashen.make_vec(path, fight="full", num_envs=2, encoder="ashen", seed=0).reset()
    assert (plain_obs != own_obs).any(), "the encoder does not know of the other walls"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            OVERLAY.replace("corridor_half_width_m", "corridor_half_widht_m"),
            "unknown number 'arena.corridor_half_widht_m'.*'arena.corridor_half_width_m'",
        ),
        (OVERLAY + '"body.run_m_s" = 4.1', "has no source"),
        (OVERLAY + '"body.run_m_s" = "fast"', "must be a number with its source"),
        (OVERLAY.replace('"iudex"', '"iudx"'), "did you mean 'iudex'"),
        (OVERLAY.replace('"iudex"', '"other.toml"'), "no boss table at"),
        (OVERLAY.replace('"iudex"', '"mine.toml"'), "is an overlay too"),
        (OVERLAY.replace("[overlay]", "[overlays]"), "unknown key 'overlays'"),
        ("overlay = 3\n" + OVERLAY.partition("\n[overlay]")[0], "must be tables of numbers"),
        (OVERLAY + "[animations]\nsoulsgym = []", "holds new names and nothing else"),
        (OVERLAY + "[animations]\nextra = [1501]", "holds new names and nothing else"),
        (OVERLAY + f"[animations]\nextra = {[f'X{number}' for number in range(16)]}", "49 animations, at most 48"),
    ],
)
def test_a_broken_overlay_is_told_in_one_line(text, message, tmp_path):
    """Breaks if a mistake in an overlay passes, or its message does not say what and where."""
    with pytest.raises(UserError, match=message):
        load_tables(written(tmp_path / "mine.toml", text))


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("arena.corridor_half_width_m", "nan", "is no finite number"),
        ("arena.corridor_half_width_m", '"wide"', "is no finite number"),
        ("arena.wall_radius_m", "-5.0", "must be at least 0"),
        ("arena.open_half_width_deg", "200", "must be at least 0 and at most 180"),
        ("body.hp", "-5.0", "must be at least 1"),
        ("body.hp", "[5.0, 6.0]", "must be a number, as in its base"),
        ("body.stagger_s", "-0.1", "must be at least 0 and at most 3600"),
        ("body.leftover_cooldown_odds", "1.5", "must be at least 0 and at most 1"),
        ("phases.1.decisions.0.weights.A20", "-1", "must be at least 0"),
        ("phases.1.decisions.0.distance_m", "[9.0, 3.0]", "ends before it begins"),
        ("phases.1.attacks.Attack3000.hits.0.damage", "-90.0", "must be at least 0"),
        (WINDOW, "[1.9, 1.6]", "ends before it begins"),
        (WINDOW, "[1.6]", "must be a list of 2 numbers, as in its base"),
        ("phases.1.attacks.Attack3000.motion_s_m", "[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]", "needs rows whose times rise"),
        ("phases.1.attacks.Attack3000.motion_s_m", "[[0.0, 0.0], [0.3, 1.0]]", "must be rows of 3 numbers, as in its"),
        ("phases.1.attacks.Attack3000.turn_s_deg_s", "[[0.5, 0.2, 90.0]]", "has a row that ends before it begins"),
        ("phases.1.attacks.Attack3000.stretch", "[1.0, 2.0]", "must be a list of rows"),
    ],
)
def test_an_impossible_number_is_told_by_its_key_and_file(where, value, message, tmp_path):
    """Breaks if a number that no fight can have passes, or its message does not name file and key."""
    text = f'base = "iudex"\n[overlay]\n"{where}" = {{ v = {value}, s = "own fights", c = "M" }}'
    with pytest.raises(UserError, match=message) as told:
        load_tables(written(tmp_path / "mine.toml", text))
    assert f"mine.toml, [overlay]: {where} = " in str(told.value)


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        (r"(\nhp = \{ v = )[\d.]+", r"\g<1>0.0"),
        (r"(window_s = \{ v = \[)[\d.]+", r"\g<1>99.0"),
        (r"(wall_radius_m = .* range = \[)", r"\g<1>-"),
    ],
)
def test_an_impossible_number_of_a_whole_table_is_told(pattern, wrong, tmp_path):
    """Breaks if only overlays are looked through, or ranges are not."""
    text, count = re.subn(pattern, wrong, boss_file("iudex").read_text(encoding="utf-8"), count=1)
    assert count == 1
    with pytest.raises(UserError, match=r"mine\.toml: (body|arena|phases)\."):
        load_tables(written(tmp_path / "mine.toml", text))


def test_a_base_can_lie_beside_its_overlay(tmp_path):
    """Breaks if a base is not looked for relative to the overlay."""
    written(tmp_path / "boss.toml", boss_file("iudex").read_text(encoding="utf-8"))
    path = written(tmp_path / "mine.toml", OVERLAY.replace('"iudex"', '"boss.toml"'))
    assert plain(load_facts(path)["arena"])["corridor_half_width_m"] == 4.5


@pytest.mark.slow
@pytest.mark.parametrize("base", ["iudex", "boss.toml"])
def test_a_run_keeps_its_overlay(base, tmp_path, capsys):
    """Breaks if a run cannot be judged or gone on with once the user's overlay, or its base, is gone."""
    own = written(tmp_path / "boss.toml", boss_file("iudex").read_text(encoding="utf-8"))
    overlay = written(tmp_path / "mine.toml", OVERLAY.replace('"iudex"', f'"{base}"'))
    small = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
    boss = "iudex" if base == "iudex" else str(own)
    recipe = replace(load_recipe("phase1"), boss=boss, **small, ppo=PPOConfig(rollout_steps=32, width=16))
    table_hash = load_tables(overlay)[1]
    train_new(recipe, tmp_path, "kept", overlay)
    overlay.unlink()
    own.unlink()
    (tmp_path / "kept").rename(tmp_path / "moved")
    capsys.readouterr()
    assert main(["evaluate", "moved", "--fights", "1", "--json", "--runs-dir", str(tmp_path)]) == 0
    assert table_hash in capsys.readouterr().out
    assert main(["resume", "moved", "--runs-dir", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--overlay", "none.toml"], "none.toml; give the path of a TOML file, as ashen calibrate --out writes it"),
        (["--overlay", "nosuch"], "nosuch; give the path of a TOML file"),
        (["--overlay", "iudex.toml"], "is no overlay, it has no base"),
        (
            ["--overlay", "mine.toml", "--boss", "iudex.toml"],
            "mine.toml changes iudex, but the boss is iudex.toml; go with --boss iudex, or calibrate anew with",
        ),
        (["--overlay", "theirs.toml"], "iudex.toml, but the boss is iudex; go with --boss "),
    ],
)
def test_an_overlay_that_cannot_be_trained_with(words, message, tmp_path, monkeypatch, capsys):
    """Breaks if a mistake makes a run folder, or is told in more than a line."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "mine.toml")
    written(tmp_path / "theirs.toml", OVERLAY.replace('"iudex"', '"iudex.toml"'))
    written(tmp_path / "iudex.toml", boss_file("iudex").read_text(encoding="utf-8"))
    assert main(["train", "smoke", *words, "--runs-dir", "runs"]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()
