"""The report of a run that was trained on the game, over a fake one."""

import re

import pytest

from ashen.cli import main
from ashen.reporter import SECTIONS

OPTIONS = {"fight": "phase1", "total-steps": 60, "evaluate-every": 60, "evaluation-fights": 1, "final-fights": 1}
OPTIONS |= {"log-every": 60, "world-steps-per-s": 0}
OPTIONS |= {"ppo.rollout-steps": 30, "ppo.minibatch-size": 15, "ppo.width": 16}


@pytest.mark.slow
@pytest.mark.game
def test_a_run_of_the_game_has_a_report(elsewhere, tmp_path):
    """Breaks if a run of the game, whose fights have no dice, cannot be reported on, or the simulator passes for it."""
    elsewhere()
    words = [word for name, value in OPTIONS.items() for word in (f"--{name}", str(value))]
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", "game", "--backend", "game", "--name", "a", *words, *folder]) == 0
    assert main(["report", "a", "--fights", "1", "--no-films", *folder]) == 0
    html = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="([\w-]+)">', html) == list(SECTIONS)
    assert "It was trained on the game" in html
    shown = {key for key, text in re.findall(r'<section id="([\w-]+)">(.*?)</section>', html, re.S) if "chart" in text}
    assert shown >= {"curves", "attacks", "arena", "training-time", "comparison", "scores"}
