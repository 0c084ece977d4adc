"""The verbs on the game, over a fake one."""

from pathlib import Path

import pytest

import ashen
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.game.options import expected_s, expected_training_s
from ashen.options.training import read_train_options
from ashen.training.recipe import env_options

pytestmark = pytest.mark.game


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("full --backend game", "--num-envs 256 must be 1, .* on the game"),
        ("game --backend game --randomise facts", "--randomise facts must be none on the game"),
        ("game --backend game --phase2-starts 0.5", "--phase2-starts 0.5 must be 0 on the game"),
        ("game --backend game --game-speed 4", r"--game-speed 4.0 must lie in 1\.\.3"),
    ],
)
def test_what_the_game_cannot_do_is_told(words, message):
    """Breaks if a setting of the simulator is silently left out on the game, or the user is not told what to set."""
    with pytest.raises(UserError, match=message):
        read_train_options(words.split())


def test_the_recipe_says_where_it_is_fought():
    """Breaks if a run's folder does not say that it was trained on the game, at which speed or how keys are pressed."""
    recipe = read_train_options(["game", "--backend", "game", "--game-speed", "2", "--no-scan-codes"]).recipe
    assert env_options(recipe).items() >= {"backend": "game", "game_speed": 2.0, "scan_codes": False}.items()
    recipe = read_train_options(["game"]).recipe
    assert (recipe.backend, recipe.scan_codes) == ("sim", True)
    with pytest.raises(UserError, match="did you mean 'game'"):
        ashen.make_vec(backend="gaem")
    with pytest.raises(UserError, match="num_envs = 2 must be 1 on the game"):
        ashen.make_vec(backend="game", num_envs=2)


def test_two_hundred_fights_take_forty_minutes():
    """Breaks if the estimate before a match on the game is far from what it takes."""
    assert expected_s(200, "phase1", 3.0) == pytest.approx(40 * 60)


def test_a_training_takes_as_long_as_its_fights():
    """Breaks if the hours told before a training are not those of as many fights: 300 steps each, 75 decisions."""
    assert expected_training_s(60_000, False, "phase1", 3.0) == pytest.approx(40 * 60)
    assert expected_training_s(15_000, True, "phase1", 3.0) == pytest.approx(40 * 60)


def test_the_page_says_what_is_estimated():
    """Breaks if the hour told in docs/windows.md is not that of the estimate, or its rows do not agree."""
    page = (Path(__file__).parents[2] / "docs" / "windows.md").read_text(encoding="utf-8")
    fights = [3600.0 / expected_s(1, fight, 3.0) for fight in ("phase1", "full")]
    decisions = [3600.0 / expected_training_s(1, True, fight, 3.0) for fight in ("phase1", "full")]
    assert "| fights | {:,.0f} | {:,.0f} |".format(*fights) in page
    steps = [(300 * count, 300 * count / 3600.0) for count in fights]
    assert "| steps of 0.1 s | " + " | ".join(f"{all_:,.0f}, {each:.0f} a second" for all_, each in steps) in page
    assert "waits pass by themselves | {:,.0f} | {:,.0f} |".format(*decisions) in page
    hours = [37_000 / each for each in decisions]
    assert "37,000 decisions | {:.1f} hours of phase 1, {:.1f} hours of full fights".format(*hours) in page


def test_unstick_frees_the_game(elsewhere, monkeypatch, capsys):
    """Breaks if the verb does not reach the game, or takes a game that does not run for something to mend."""
    from ashen.game import keeper

    elsewhere({"fault": "found_paused"})
    own = keeper.Keeper(print)
    monkeypatch.setattr(keeper, "the_keeper", lambda: own)
    assert main(["unstick"]) == 0
    assert "the game is as it was" in capsys.readouterr().out
    elsewhere({"fault": "no_process"})
    assert main(["unstick"]) == 0
    assert capsys.readouterr() == ("the game does not run, so nothing is stuck\n", "")


def test_nothing_is_announced_on_a_game_that_is_not_there(elsewhere, capsys):
    """Breaks if fights and minutes on the game are announced before anybody has looked for it."""
    elsewhere({"fault": "no_process"})
    assert main(["evaluate", "random-valid", "--backend", "game", "--fights", "2"]) == 2
    said = capsys.readouterr().err
    assert (
        said == "ashen: the game: Process DarkSoulsIII.exe not open; start Dark Souls III, offline, and load the save\n"
    )


def test_matches_on_the_game_are_few():
    """Breaks if a training on the game plays the simulator's matches, which would take it days, or overrules words."""
    sim, game = (read_train_options(["game", *more]).recipe for more in ([], ["--backend", "game"]))
    assert (sim.evaluate_every, sim.evaluation_fights) == (2_000, 100)
    assert (game.evaluate_every, game.evaluation_fights, game.final_fights) == (9_250, 20, 50)
    assert read_train_options(["game", "--backend=game", "--final-fights", "3"]).recipe.final_fights == 3


def test_a_match_says_what_the_game_did_besides(tmp_path, capsys):
    """Breaks if faults of a match, or names that no table knows, are told nowhere."""
    pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
    from fake_game.home import at_home

    with at_home() as home:
        home.fake.fault("boss_animation", name="Roar", after_ticks=400, for_ticks=30)
        home.fake.fault("read_error", after_ticks=600)
        assert main(["evaluate", "random-valid", "--backend", "game", "--fight", "phase1", "--fights", "2"]) == 0
    said = capsys.readouterr().err
    assert "went wrong on the game: memory (1 times)" in said
    assert "shown by the game and in no table: boss Roar (" in said
