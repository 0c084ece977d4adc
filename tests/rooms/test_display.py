import os
import subprocess
import sys
from itertools import pairwise

from rich.console import Console

from ashen.cli import main
from ashen.display import Display, match_text, say_if_cold
from ashen.display.match import match_table
from ashen.display.progress import Progress
from ashen.env import make_vec

TRAIN = {
    "kind": "train",
    "time": "2026-11-22T18:00:00.000+01:00",
    "env_step": 20_000,
    "episode": 31,
    "fights": 4,
    "faults": 0,
    "win_rate": 0.25,
    "return_mean": None,
    "length_mean_steps": 300.0,
    "steps_per_s": 2000.0,
    "entropy": 1.52345,
    "updates": 12_540.0,
    "learning_rate": 0.00015,
    "term/win": 0.1,
    "seconds/world": 1.0,
    "seconds/learning": 3.0,
}
MATCH = {
    "kind": "evaluation",
    "env_step": 20_000,
    "policy": "mine",
    "wins": 8,
    "fights": 10,
    "win_rate": 0.8,
    "win_rate_low": 0.49,
    "win_rate_high": 0.943,
    "return_mean": 1.5,
    "boss_hp_left_mean": 0.1,
    "damage_per_attack": {"Attack3000": {"shown": 1.5, "damage": 20.0}},
}
FIGURES = MATCH | {
    "fights": 12,
    "losses": 1,
    "timeouts": 1,
    "faults": 2,
    "interval": "fixed",
    "return_low": 1.2,
    "return_high": 1.8,
    "length_mean_steps": 321.0,
    "longest_boss_idle_s": 2.4,
    "kills_without_blow_share": 0.0,
    "phase_change_rate": 0.9,
    "damage_per_attack": {"Attack3000": {"shown": 1.5, "damage": 20.0}, "fall": {"shown": 0.0, "damage": 7.0}},
    "boss": "iudex",
    "fight": "full",
    "start": "fixed",
    "randomise": "none",
    "backend": "sim",
    "reward": "soulsgym",
    "seed": 3,
    "seconds": 4.0,
    "table_hash": "abc",
}


def test_a_log_gets_plain_lines(capsys):
    """Breaks if a training without a terminal says nothing, says it too often, or draws boxes into a log."""
    with Display("mine", 100_000) as display:
        for row in (TRAIN, TRAIN, MATCH):
            display.show(row)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for part in ("step 20,000 of 100,000", "steps/s 2,000", "wins 25%", "return -", "length 300  "):
        assert part in lines[0]
    assert "entropy 1.52  updates 12,540  learning_rate 0.00015  " in lines[0]
    assert "world 25%, learning 75%" in lines[0]
    assert "8 of 10 won, 80% (49%-94%)" in lines[1]


def test_a_fleet_is_told_in_a_few_words(capsys):
    """Breaks if nobody sees that a player is slow or has died, or a training alone speaks of a fleet."""
    row = {"fleet/steps_per_s/actor-0": 22.0, "fleet/steps_per_s/pc": 11.4, "fleet/waiting": 3.0}
    row |= {"fleet/staleness_mean": 2.4, "fleet/staleness_max": 7.0, "fleet/restarts": 1.0, "fleet/left_out_steps": 0.0}
    for more in (row, {}):
        with Display("mine", 100_000) as display:
            display.show(TRAIN | more)
    first, second = capsys.readouterr().err.splitlines()
    told = "fleet 2 playing at 11 to 22 steps/s, 2 updates behind (7 at most), players replaced: 1, waiting to be "
    told += "learned from: 3  "
    assert told in first and "fleet" not in second


def test_a_match_on_the_game_is_told_while_it_lasts_and_how_it_ended(capsys):
    """Breaks if nobody sees how a match between the fights of a training stands, or what was left out of it and why."""
    under_way = {"match/env_step": 9250, "match/wins": 3, "match/fights": 8, "match/faults": 1, "match/share": 0.098}
    with Display("mine", 100_000) as display:
        display.show(TRAIN | under_way)
        display.show(MATCH | {"fights": 12, "faults": 2, "sure": "better than the agent of step 5", "is_over": True})
    first, second = capsys.readouterr().err.splitlines()
    told = "match agent of step 9,250: 3 of 8 won so far, 1 interrupted and left out; matches take 10% of game time"
    assert told in first
    assert "8 of 10 won, 80% (49%-94%), 2 interrupted and left out, better than the agent of step 5" in second
    assert match_text(MATCH | {"is_over": False}) == "8 of 10 won, 80% (49%-94%), not finished"


def test_a_terminal_gets_a_table_that_stays(capsys, monkeypatch):
    """Breaks if the live table fails or loses the match when the next training row comes."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Display("mine", 100_000) as display:
        display.show(MATCH)
        display.show(TRAIN)
    shown = capsys.readouterr().err
    assert "20,000 of 100,000" in shown
    assert "8 of 10 won" in shown.split("20,000 of 100,000")[-1]


def _warning(state, message):
    return {"kind": "warning", "env_step": 20_000, "guard": "stuck", "state": state, "message": f"stuck: {message}"}


def test_warnings_stand_under_the_table_until_they_are_over(capsys, monkeypatch):
    """Breaks if a warning is not shown, does not stay, is shown twice, or stays when it is over."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Display("mine", 100_000) as display:
        display.show(TRAIN)
        display.show(_warning("begun", "on the spot 5%"))
        display.show(_warning("lasting", "on the spot 9%"))
        capsys.readouterr()
        display.show(TRAIN)
        shown = capsys.readouterr().err
        assert shown.count("warning: stuck: on the spot 9%") == 1
        assert "on the spot 5%" not in shown
        display.show(_warning("over", "over"))
        capsys.readouterr()
        display.show(TRAIN)
        assert "warning" not in capsys.readouterr().err


def test_a_log_gets_each_warning_once(capsys):
    """Breaks if a training without a terminal hides a warning, or repeats it with every row."""
    with Display("mine", 100_000) as display:
        for row in (TRAIN, _warning("begun", "on the spot [5%]"), TRAIN, _warning("over", "over")):
            display.show(row)
    lines = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert lines == ["warning: stuck: on the spot [5%]", "warning: stuck: over"]


def test_a_match_is_readable(capsys):
    """Breaks if a figure of a match is missing, is given by its key alone, or fights with a fault seem to count."""
    Console(width=130).print(match_table(FIGURES))
    shown = capsys.readouterr().out
    for told in (
        match_text(FIGURES),
        "8 of 10 fights that count: 80.0%",
        "between 49.0% and 94.3%, 95 % sure",
        "1 broken off after 300 s; they count as not won",
        "2 that a fault of the game ended; no other line counts them",
        "90.0% of the fights",
        "32.1 s of the game",
        "1.500 a fight under the reward soulsgym (95 % interval 1.200 to 1.800)",
        "iudex, full, from the fixed start, in the simulator; seed 3, tables abc",
        "shown 1.50 times a fight, cost 20 HP a fight",
    ):
        assert told in shown
    assert "_" not in shown
    assert [line.split("│")[2].strip() for line in shown.splitlines() if "falls" in line] == ["cost 7 HP a fight"]


def test_a_match_that_ends_unsure_says_how_unsure():
    """Breaks if a match that was to be sure within some points ends without being so, and nobody is told."""
    unsure = MATCH | {"sure": None}
    assert match_text(unsure) == "8 of 10 won, 80% (49%-94%), known within 22.7 points only"
    assert match_text(unsure | {"is_over": False}) == "8 of 10 won, 80% (49%-94%), not finished"


def test_the_time_left_is_told_with_the_match_after_it(capsys):
    """Breaks if the time left seems to be all before a match, or goes by a row in which code was compiled."""
    with Display("mine", 100_000, final_fights=200) as display:
        display.show(TRAIN | {"env_step": 10_000, "steps_per_s": 50.0})
        display._next_line_s = 0.0
        display.show(TRAIN)
    first, second = capsys.readouterr().err.splitlines()
    assert "left soon known, then the final match of 200 fights" in first
    assert "left 0:00:40, then the final match of 200 fights" in second


def _work(progress):
    progress.match("mine fights 3 times", 3, ["and more"])([])
    progress.match("mine fights 3 times", 3, ["and more"])([1, 2])
    progress.show("filming to [x].mp4", 1, 9)


def test_a_log_is_told_what_begins_and_no_more(capsys):
    """Breaks if work is silent where there is no terminal, tells each step there, or gets into standard output."""
    with Progress() as progress:
        assert capsys.readouterr().err == ""  # mistakes are still to be found
        _work(progress)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "ashen: mine fights 3 times\nashen: and more\nashen: filming to [x].mp4\n")


def test_a_terminal_sees_how_far_it_is(capsys, monkeypatch):
    """Breaks if loading is silent in a terminal, if the moving line tells no count, or gets into standard output."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with Progress() as progress:
        assert "loading" in capsys.readouterr().err
        _work(progress)
        progress.end()
        told = capsys.readouterr().err
        assert "mine fights 3 times" in told and "0 of 3" in told and "ashen: and more" in told
        assert "filming to [x].mp4" in told and "1 of 9" in told
        progress.show("the rest", 0, 1)
    assert capsys.readouterr() == ("", "ashen: the rest\n")


def test_only_the_first_compilation_is_announced(capsys, tmp_path):
    """Breaks if a first fight compiles in silence, or if warm starts are told that it takes a minute."""
    homes = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"), str(tmp_path))
    code = "import ashen.evaluation.judge; from ashen.display import say_if_cold; say_if_cold()"
    said = subprocess.run([sys.executable, "-c", code], env=os.environ | homes, capture_output=True, text=True).stderr
    assert said.startswith("ashen: compiling the fight")
    env = make_vec("iudex", fight="phase1", num_envs=1)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    say_if_cold()
    assert capsys.readouterr().err == ""


def test_a_watched_fight_is_a_line_a_step(capsys):
    """Breaks if --watch leaves out steps, values or what was paid, or mixes fights side by side."""
    words = ["evaluate", "random-valid", "--fight", "phase1", "--fights", "2", "--watch"]
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    lines = [line for line in said if line[:4].strip().isdigit()]
    steps = [int(line[:4]) for line in lines]
    ends = [place for place, step in enumerate(steps) if step == 1] + [len(steps)]
    assert len(ends) == 3
    assert all(steps[start:end] == list(range(1, end - start + 1)) for start, end in pairwise(ends))
    assert "Idle" in lines[0] and "1037 HP" in lines[0] and " xxxxxxxxxxxxxxxxxxxx " in lines[0]
    assert lines[-1].split()[-3::2] == ["death", "loss"]
    assert sum(line.startswith("step, of player and boss") for line in said) == 2
    assert main([*words, "--json"]) == 2
