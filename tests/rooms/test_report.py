"""Reports of runs of every kind: each section shows something or says why not, and a browser shows it all."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest
import torch
from report_pages import CHROMIUM, NO_CHROMIUM, assert_all_sections, assert_shown, report, sections

from ashen.agents import DQNConfig, PPOConfig
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES
from ashen.reporter import SECTIONS
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import MetricsLog, read_metrics
from ashen.training.imported import import_checkpoint
from ashen.training.joined import join
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, load_recipe
from ashen.training.relatives import relatives
from ashen.training.tables import to_table
from ashen.training.trained import trained

SMALL = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
KINDS = {
    "phase1": {"fight": "phase1"},
    "phase2": {"fight": "phase2", "algorithm": "dqn", "actions": "diary15", "skip_steps": True},
    "full": {"fight": "full"},
}
NOT_SHOWN = {
    "phase1": {"fleet", "phase-change"},
    "phase2": {"fleet", "phase-change"},
    "full": {"fleet", "phase-change"},
    "joined": {"fleet", "phase-change", "curves", "training-time"},
    "imported": {"fleet", "phase-change", "curves", "training-time", "before-hits"},
    "child": {"fleet", "phase-change"},
    "game": {"fleet", "phase-change"},
}
"""Sections that small agents, who play alone and never come to phase 2, cannot fill; one who is not hit has no hits."""


def train(runs_dir: Path, name: str, recipe: Recipe, parent: str | None = None) -> RunFolder:
    """A small run of the smallest training."""
    run, training = create_run(runs_dir, name, "x"), Training(recipe)
    origin = {}
    if parent is not None:
        own = trained(RunFolder(runs_dir / parent))
        own.hand_over(training)
        origin = {"parent": own.origin}
    run.write_config({"recipe": to_table(recipe)} | origin)
    list(training.run(run, lambda: False))
    return run


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    """A run of every kind: PPO and DQN, each fight, joined, imported, and one with a parent."""
    folder = tmp_path_factory.mktemp("runs")
    learners = {"ppo": PPOConfig(rollout_steps=32, width=16), "dqn": DQNConfig(width=16, replay_capacity=1000)}
    recipes = {name: replace(load_recipe("phase1"), **SMALL, **learners, **more) for name, more in KINDS.items()}
    runs = {name: train(folder, name, recipe) for name, recipe in recipes.items()}
    train(folder, "child", replace(recipes["full"], seed=1), parent="full")
    shutil.copytree(folder / "phase1", folder / "game")
    on_game = replace(recipes["phase1"], backend="game", num_envs=1)
    game = RunFolder(folder / "game")
    game.write_config({"recipe": to_table(on_game)})
    slow = read_metrics(game, "evaluation")[-1] | {
        "faults": 1,
        "fights": 2,
        "evaluation_share": 0.125,
        "game_speed": 3.0,
    }
    MetricsLog(game).write("evaluation", 64, 1, slow)
    join(runs["phase1"], runs["phase2"], folder, "joined")
    network = {"0.weight": torch.zeros(1, 74), "0.bias": torch.zeros(1), "2.weight": torch.zeros(20, 1)}
    network["2.bias"] = torch.tensor([float(name == "walk_back") for name in ACTION_NAMES])
    torch.save({"model_state_dict": network, "step": 1000}, folder / "agent.pth")
    import_checkpoint(folder / "agent.pth", "onehot74", "all", "phase1", folder, "imported")
    return folder


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_every_section_is_there_or_says_why_not(name, runs_dir):
    """Breaks if a kind of run has no report, or a section of it is empty without a word."""
    found = assert_all_sections(report(runs_dir, name, "--no-films"))
    assert {key for key, text in found.items() if "Not shown: " in text} <= NOT_SHOWN[name]
    assert ("It was trained on the game" in found["summary"]) == (name == "game")
    told = "1, 1 fights and 1 interrupted ones, which are left out; 12.5% of game time, fixed start, speed 3."
    assert (told in found["summary"]) == (name == "game")
    parents = {"joined": ["plays phase 1", "plays phase 2"], "child": ["full (parent)"]}
    told = found["comparison"]
    assert ("No comparison with a parent" in told) == (name not in parents)
    html = (runs_dir / name / "report.html").read_text(encoding="utf-8")
    assert all(word in html for word in parents.get(name, []))


def test_the_parent_plays_as_it_was(runs_dir, tmp_path):
    """Breaks if a run is compared with what its parent has become since, without a word, or a lost parent stops it."""
    for name in ("full", "child"):
        shutil.copytree(runs_dir / name, tmp_path / name)
    child, parent = RunFolder(tmp_path / "child"), RunFolder(tmp_path / "full")
    assert [rival.role for rival in relatives(child)] == ["parent"]
    for path in parent.checkpoints.glob("*.pt"):
        shutil.copyfile(child.checkpoints / "best.pt", path)
    assert [rival.role for rival in relatives(child)] == ["parent, at its best by now"]
    shutil.rmtree(parent.path)
    with pytest.raises(UserError, match="unknown run 'full'"):
        relatives(child)
    with pytest.raises(UserError, match="did not start from another run's agent"):
        relatives(RunFolder(runs_dir / "full"))


def test_the_fights_lie_beside_the_page(runs_dir, capsys):
    """Breaks if a fight of the page cannot be explained, or a film is made anew for nothing or kept for another."""
    html = report(runs_dir, "phase1", "--no-films", fights=2)
    assert capsys.readouterr().out.strip() == str(runs_dir / "phase1" / "report.html")
    folder = runs_dir / "phase1" / "report-fights"
    assert sorted(path.name for path in folder.iterdir()) == ["best.npz", "worst.npz"]
    assert "<video" not in html
    assert main(["explain", str(folder / "worst.npz"), "--show", "hits"]) == 0
    (folder / "best.mp4").write_bytes(b"kept")
    html = report(runs_dir, "phase1", "--no-films", fights=2)
    assert re.findall(r'<video [^>]*src="([^"]+)"', html) == ["report-fights/best.mp4"]
    assert (folder / "best.mp4").read_bytes() == b"kept"
    shutil.copyfile(folder / "worst.npz", folder / "best.npz")
    report(runs_dir, "phase1", "--no-films", fights=2)
    assert not (folder / "best.mp4").exists()


def test_a_pack_has_a_report_too(runs_dir, tmp_path, monkeypatch, capsys):
    """Breaks if the report of a pack goes into the folder it is opened in, which is gone afterwards, or names that."""
    monkeypatch.chdir(tmp_path)
    assert main(["pack", "phase1", "--runs-dir", str(runs_dir), "--fights", "2", "--out", "a.ashen"]) == 0
    capsys.readouterr()
    assert main(["report", "a.ashen", "--fights", "1", "--no-films"]) == 0
    page = tmp_path / capsys.readouterr().out.strip()
    text = page.read_text(encoding="utf-8")
    found = sections(text)
    assert list(found) == list(SECTIONS) and "Not shown" in found["curves"]
    assert re.search(r"ashen evaluate [\w-]+ --backend sim", text)


@pytest.mark.slow
def test_films_are_made_and_linked(runs_dir):
    """Breaks if the films of a report are not made, or not linked by paths that go along with the page."""
    html = report(runs_dir, "phase2")
    folder = runs_dir / "phase2"
    (film,) = re.findall(r'<video [^>]*src="([^"]+)"', html)
    assert film == "report-fights/best.mp4" and b"ftyp" in (folder / film).read_bytes()[:64]


def test_a_name_that_is_html_stays_a_name(runs_dir, tmp_path, capsys):
    """Breaks if a run's name gets into the page as HTML."""
    shutil.copytree(runs_dir / "phase1", tmp_path / "R&D 'of' a &lt;b&gt;")
    html = report(tmp_path, "R&D 'of' a &lt;b&gt;", "--no-films")
    assert "<h1>R&amp;D &#x27;of&#x27; a &amp;lt;b&amp;gt;: report</h1>" in html
    assert "R&D" not in re.sub(r"<script>.*?</script>", "", html, flags=re.S)
    out = tmp_path / "mine.html"
    out.write_text("mine", encoding="utf-8")
    assert main(["report", "phase1", "--runs-dir", str(runs_dir), "--out", str(out)]) == 2
    assert "is there already and is no report" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.parametrize("name", ["full", "joined"])
def test_a_browser_shows_it_without_network_and_without_errors(name, runs_dir, tmp_path):
    """Breaks if a chart is not drawn, the page asks the network for something, or the console shows an error."""
    page = runs_dir / name / "report.html"
    if not page.is_file():
        report(runs_dir, name, "--no-films")
    assert_shown(page, tmp_path)


def test_every_chart_is_as_plotly_wants_it(runs_dir):
    """Breaks if a chart says something that plotly does not know, which a browser passes over in silence."""
    html = report(runs_dir, "full", "--no-films")
    figures = json.loads(re.search(r'id="charts">(.*?)</script>', html, re.S)[1])
    for figure in figures:
        go.Figure({"data": figure["traces"], "layout": figure["layout"]})
    assert len(figures) == html.count('class="chart"')
