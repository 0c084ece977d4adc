"""The search for better settings: spaces, the study's memory, and real small sweeps."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.evaluation.compare import compare
from ashen.recipes import recipe_files
from ashen.runs.folder import RunFolder, run_names
from ashen.runs.metrics import read_metrics
from ashen.scout import tell
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint
from ashen.training.recipe import Recipe, load_recipe, recipe_of
from ashen.training.sweep.crew import run_trials
from ashen.training.sweep.plan import Plan
from ashen.training.sweep.space import Search, default_space, read_space, with_values
from ashen.training.sweep.study import MIN_FOR_IMPORTANCE, Study
from ashen.training.tables import to_toml

SMALL = Recipe(
    fight="phase1",
    num_envs=2,
    total_steps=128,
    evaluate_every=32,
    evaluation_fights=1,
    final_fights=1,
    checkpoint_every=64,
    ppo=PPOConfig(rollout_steps=16, width=16),
)
SPACE = {"ppo.learning_rate": Search(1e-4, 1e-2, log=True), "ppo.width": Search(choices=(16, 32))}
PLAN = Plan(SMALL, SPACE, "return_mean")
SPACE_TOML = "[ppo]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }\nwidth = { choices = [16, 32] }\n"


@pytest.fixture
def study(tmp_path: Path):
    """A new study."""
    study = Study(tmp_path / "mine.db", PLAN)
    yield study
    study.close()


def a_file(folder: Path, text: str) -> Path:
    """A TOML file."""
    path = folder / "space.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", recipe_files())
def test_the_shipped_spaces_fit_every_recipe(name: str):
    """Breaks if a shipped space names a field that is gone or changes nothing, or an end that is refused."""
    recipe = load_recipe(name)
    space = default_space(recipe)
    assert {f"{recipe.algorithm}.learning_rate", f"{recipe.algorithm}.width"} <= set(space)
    assert ("dqn.epsilon_steps" in space) == (recipe.algorithm == "dqn" and not recipe.dqn.noisy)


def test_a_space_is_read(tmp_path: Path):
    """Breaks if ranges and choices are read wrongly, or whole ends make a field of fractions whole."""
    text = "num_envs = { low = 2, high = 8 }\nreward = { choices = ['diary', 'soulsgym'] }\n"
    text += "[ppo]\nclip = { low = 1, high = 2 }\ntarget_kl = { low = 0.01, high = 0.1, log = true }\n"
    space = read_space(a_file(tmp_path, text), SMALL)
    assert space == {
        "num_envs": Search(2, 8),
        "reward": Search(choices=("diary", "soulsgym")),
        "ppo.clip": Search(1.0, 2.0),
        "ppo.target_kl": Search(0.01, 0.1, log=True),
    }
    assert [type(space[name].low) for name in ("num_envs", "ppo.clip")] == [int, float]
    weights, text = replace(SMALL, reward={"win": 1.0}), "reward.win = { low = 1, high = 2 }"
    assert read_space(a_file(tmp_path, text), weights) == {"reward.win": Search(1.0, 2.0)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no field to search"),
        ("[ppo]\nclip = 3", r"ppo\.clip = 3 is nothing to search"),
        ("[ppo]\nclp = { low = 0.1, high = 0.3 }", "unknown key 'clp'.*did you mean 'clip'"),
        ("[ppo]\nclip = { low = 0.1, hgh = 0.3 }", r"unknown key 'hgh' in .*ppo\.clip; did you mean 'high'"),
        ("[ppo]\nclip = { low = 0.1 }", r"ppo\.clip: write \{ low"),
        ("[ppo]\nclip = { low = 0.1, high = 0.3, choices = [1] }", r"ppo\.clip: write \{ low"),
        ("[ppo]\nclip = { low = 0.3, high = 0.1 }", "low = 0.3 must lie below high = 0.1"),
        ("[ppo]\nclip = { low = 0, high = 0.1, log = true }", "low = 0 must lie above 0"),
        ("[ppo]\nclip = { low = -1.0, high = 0.1 }", "clip = -1 must be at least"),
        ("[ppo]\nwidth = { low = 1.5, high = 3 }", "width = 1.5 does not fit; it takes a whole number"),
        ("[ppo]\nwidth = { choices = [16, 'wide'] }", 'width = "wide" does not fit; it takes a whole number'),
        (
            "[dqn]\nwidth = { low = 16, high = 32 }",
            r"dqn\.width changes nothing without algorithm = \"dqn\"; leave it out",
        ),
        ("seed = { low = 1, high = 3 }", "seed must be the same in all trials"),
        ("reward.win = { low = 1, high = 3 }", r"reward\.win does not exist, for the recipe's reward is 'soulsgym'"),
    ],
)
def test_a_wrong_space_is_told_in_one_line(tmp_path: Path, text: str, message: str):
    """Breaks if a mistake in a space is a traceback, is accepted, or does not say where it is."""
    with pytest.raises(UserError, match=message) as caught:
        read_space(a_file(tmp_path, text), SMALL)
    assert "space.toml" in str(caught.value)


def test_returns_in_searched_rewards_are_refused():
    """Breaks if trials are ranked by returns that each reward counts differently."""
    with pytest.raises(UserError, match="returns in different rewards"):
        Plan(SMALL, {"reward": Search(choices=("diary", "soulsgym"))}, "return_mean")


def test_trials_that_tie_have_no_best(study: Study, capsys: pytest.CaptureFixture[str]):
    """Breaks if one of many trials that all came to the same is called the best and written as a recipe."""
    for score in (-1.0, -1.0):
        study.complete(study.ask().number, score)
    tell(study)
    assert (
        "no best trial: all 2 completed trials came to return of a fight -1; begin another --study"
        in capsys.readouterr().out
    )
    assert not list(study.file.parent.glob("*.toml"))
    study.complete(study.ask().number, -0.5)
    tell(study)
    assert "best    mine-002\n" in capsys.readouterr().out


def test_a_plan_comes_back_from_json():
    """Breaks if a resumed sweep searches something else than it began with."""
    plan = Plan(replace(load_recipe("diary"), actions=("nothing", "light_attack")), SPACE, "win_rate", "diary")
    back = Plan.from_json(plan.as_json(), "here")
    assert back == plan and back.recipe_name == plan.recipe_name


@pytest.mark.parametrize("name", recipe_files())
def test_a_recipe_written_as_toml_is_the_same_recipe(name: str, tmp_path: Path):
    """Breaks if the best recipe's file gives another training than the best trial's."""
    file = tmp_path / "best.toml"
    for changes in (
        {},
        {"reward": {"win": 1.0, "death": -0.5}, "actions": ("nothing", "light_attack"), "boss": 'a"\\b'},
    ):
        recipe = replace(load_recipe(name), **changes)
        file.write_text(to_toml(recipe), encoding="utf-8")
        assert load_recipe(str(file)) == recipe


def test_trials_lie_in_the_space_and_have_seeds_of_their_own(study: Study):
    """Breaks if a value is drawn outside its range, or all trials share one lucky seed."""
    trials = [study.ask() for _ in range(8)]
    recipes = [PLAN.trial_recipe(trial.number, trial.values) for trial in trials]
    assert all(1e-4 <= recipe.ppo.learning_rate <= 1e-2 for recipe in recipes)
    assert {recipe.ppo.width for recipe in recipes} == {16, 32}
    assert 1 <= sum(recipe.ppo.learning_rate < 1e-3 for recipe in recipes) <= 7
    assert len({recipe.seed for recipe in recipes}) == 8
    assert PLAN.varied(trials[0].values) == with_values(SMALL, trials[0].values, "here")
    assert PLAN.varied(trials[0].values).seed == SMALL.seed


def test_what_does_worse_than_the_median_is_pruned(tmp_path: Path):
    """Breaks if pruning is off, begins before there is a median or in a trial's first third, or prunes the better."""
    study = Study(tmp_path / "long.db", replace(PLAN, recipe=replace(SMALL, total_steps=192)))  # six matches
    for score in (0.0, 1.0, 2.0, 3.0, 4.0):
        trial = study.ask().number
        assert all(study.report(trial, match, score) for match in (1, 2))
        study.complete(trial, score)
    worse, better = study.ask().number, study.ask().number
    assert study.report(worse, 1, 1.0)
    assert not study.report(worse, 2, 1.0)
    assert study.report(better, 2, 3.0)
    study.prune(worse)
    study.complete(better, 9.0)
    assert study.ended == 7
    assert [(trial.number, trial.score) for trial in study.best(2)] == [(better, 9.0), (4, 4.0)]
    study.close()


def test_less_is_better_where_it_is(tmp_path: Path):
    """Breaks if a sweep for boss HP left looks for the agent that leaves most."""
    study = Study(tmp_path / "less.db", replace(PLAN, metric="boss_hp_left_mean"))
    for score in (0.5, 0.1, 0.9):
        study.complete(study.ask().number, score)
    assert [trial.score for trial in study.best(2)] == [0.1, 0.5]
    study.close()


def test_importance_is_that_of_what_matters(study: Study):
    """Breaks if importance is told of too few trials, or of the wrong setting."""
    for _ in range(MIN_FOR_IMPORTANCE):
        assert study.importances() == {}
        trial = study.ask()
        study.complete(trial.number, trial.values["ppo.learning_rate"])
    shares = study.importances()
    assert list(shares) == ["ppo.learning_rate", "ppo.width"]
    assert sum(shares.values()) == pytest.approx(1.0)


def test_importance_is_not_made_up_where_all_trials_are_alike(study: Study):
    """Breaks if trials that all lost give importances, or a warning."""
    for _ in range(MIN_FOR_IMPORTANCE):
        study.complete(study.ask().number, 0.0)
    assert study.importances() == {}


def test_a_study_goes_on_where_it_was_left(tmp_path: Path):
    """Breaks if a resumed study forgets its plan, a trial under way or its reports, or draws the same trials again."""
    file = tmp_path / "mine.db"
    study = Study(file, PLAN)
    done, cut = study.ask(), study.ask()
    study.complete(done.number, 1.0)
    study.report(cut.number, 1, 0.5)
    study.close()
    again = Study(file)
    assert (again.plan, again.name, again.ended) == (PLAN, "mine", 1)
    assert again.take_up() == [cut]
    assert again.report(cut.number, 1, 0.5)  # the match was played again after the last checkpoint
    again.complete(cut.number, 2.0)
    assert again.best(1)[0].values == cut.values
    assert again.ask().values not in (done.values, cut.values)
    again.close()


def test_studies_that_cannot_be_used_are_told(tmp_path: Path, study: Study):
    """Breaks if a foreign, missing or busy file is a traceback, is overwritten, or gets Optuna's tables."""
    with pytest.raises(UserError, match="another sweep is at work"):
        Study(study.file)
    with pytest.raises(UserError, match="go on with it by --resume"):
        Study(study.file, PLAN)
    with pytest.raises(UserError, match=r"no study .*none\.db to go on with"):
        Study(tmp_path / "none.db")
    with pytest.raises(UserError, match=r"end its name in \.db"):
        Study(tmp_path / "mine.txt", PLAN)
    (tmp_path / "text.db").write_text("text", encoding="utf-8")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE things (name)")
    other.close()
    for name in ("text.db", "other.db"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(UserError, match="is no study"):
            Study(tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(UserError, match="a file is in the way"):
        Study(tmp_path / "text.db" / "mine.db", PLAN)


def test_a_sweep_without_optuna_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Breaks if the missing extra is a traceback, or costs a file."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    for module in ("study", "crew"):
        monkeypatch.delitem(sys.modules, f"ashen.training.sweep.{module}")
    assert main(["sweep", "smoke", "--runs-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "ashen sweep needs Optuna" in said and "python bootstrap.py sweep, or: pip install optuna" in said
    assert list(tmp_path.iterdir()) == []


def words_of(folder: Path, trials: int, *more: str) -> list[str]:
    """What to say to sweep the small recipe in a folder."""
    recipe = folder / "small.toml"
    recipe.write_text(to_toml(SMALL), encoding="utf-8")
    words = ["sweep", str(recipe), "--trials", str(trials), "--workers", "2", "--metric", "return_mean"]
    return [*words, "--space", str(a_file(folder, SPACE_TOML)), "--runs-dir", str(folder / "runs"), *more]


@pytest.mark.slow
def test_a_sweep_ends_goes_on_and_tells_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Breaks if trials are no ordinary runs, if --resume does not add to them, or the best recipe is another."""
    assert main(words_of(tmp_path, 2)) == 0
    assert main(words_of(tmp_path, 3, "--resume")) == 0
    said = capsys.readouterr()
    runs = [RunFolder(tmp_path / "runs" / f"sweep-small-{number:03d}") for number in range(3)]
    assert run_names(tmp_path / "runs") == [run.name for run in runs]
    scores = [read_metrics(run, "final")[0]["return_mean"] for run in runs]
    assert all(len(read_metrics(run, "evaluation")) == 4 for run in runs)
    assert {run.read_config()["recipe_name"] for run in runs} == {str(tmp_path / "small.toml")}
    best = runs[scores.index(max(scores))]
    assert f"best    {best.name}\n" in said.out
    recipe = load_recipe(str(tmp_path / "runs" / "sweep-small-best.toml"))
    assert recipe == replace(recipe_of(best), seed=SMALL.seed)
    assert len(compare(runs, "return_mean")["groups"]) == 3
    for words, message in (
        (words_of(tmp_path, 3), "go on with it by --resume"),
        (words_of(tmp_path, 3, "--resume", "--num-envs", "4"), "was begun with other settings"),
        (words_of(tmp_path, 3, "--study", str(tmp_path / "sweep-small.db")), "has runs of an older sweep-small"),
    ):
        assert main(words) == 2
        assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_trial_that_fails_does_not_end_the_sweep(tmp_path: Path):
    """Breaks if one bad trial loses the others, or is counted as a good one."""
    study = Study(tmp_path / "mine.db", PLAN)
    (tmp_path / "mine-000").mkdir()  # is in the way
    news = list(run_trials(study, tmp_path, 2, 2, lambda: False))
    study.close()
    ends = {one.run: one for one in news if one.state in ("completed", "failed")}
    assert ends["mine-001"].state == "completed"
    assert ends["mine-000"].state == "failed"
    assert "already a run 'mine-000'" in ends["mine-000"].reason


@pytest.mark.slow
def test_a_killed_trial_is_told_and_stays_to_go_on_with(tmp_path: Path):
    """Breaks if a worker killed from outside hangs the sweep, or its trial is settled as if it had ended."""
    study = Study(tmp_path / "mine.db", replace(PLAN, recipe=replace(SMALL, total_steps=1_000_000)))
    news = run_trials(study, tmp_path, 1, 1, lambda: False)
    while next(news).state != "matched":
        pass
    for worker in multiprocessing.active_children():
        worker.kill()
    with pytest.raises(UserError, match="process of mine-000 was ended from outside"):
        list(news)
    assert [trial.number for trial in study.take_up()] == [0]
    study.close()


@pytest.mark.slow
def test_ctrl_c_saves_all_trials_and_says_how_to_go_on(tmp_path: Path):
    """Breaks if Ctrl-C loses a trial under way, ends with an error, or it goes not on from where it is said to be."""
    words = words_of(tmp_path, 2, "--total-steps", "4000", "--evaluate-every", "500")
    own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"process_group": 0}
    command = [sys.executable, "-m", "ashen", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **own_group) as sweep:
        line = ""
        while "small-000" not in line or "step 500" not in line:  # the other trial may be long before it
            line = sweep.stderr.readline()
            assert sweep.poll() is None
        # The whole group gets it, as from a terminal.
        sweep.send_signal(signal.CTRL_BREAK_EVENT) if os.name == "nt" else os.killpg(sweep.pid, signal.SIGINT)
        said = sweep.communicate()[1]
    assert sweep.returncode == 0, said
    assert "Traceback" not in said
    assert "stopped and saved; go on with: ashen sweep" in said
    first = RunFolder(tmp_path / "runs" / "sweep-small-000")
    stands = load_checkpoint(latest_checkpoint(first))["env_step"]
    assert f"{first.name}: stopped at step {stands:,}\n" in said
    assert read_metrics(first, "final") == []
    assert main([*words, "--resume"]) == 0
    assert [row["env_step"] for row in read_metrics(first, "evaluation")] == list(range(500, 4001, 500))
    assert len(read_metrics(first, "final")) == 1
