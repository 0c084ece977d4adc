from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from ashen import make_vec
from ashen.agents import DQNConfig, PPOConfig
from ashen.core.errors import UserError
from ashen.core.tables import boss_file
from ashen.options.training import read_train_options
from ashen.recipes import recipe_files
from ashen.rewards import make_reward
from ashen.scout import read_sweep_options
from ashen.training.effects import without_idle
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, check_learns, env_options, load_recipe, make_agent_for, run_label
from ashen.training.start import run_config
from ashen.training.sweep.plan import Plan
from ashen.training.sweep.space import Search
from ashen.training.tables import from_table, to_table, to_toml


@dataclass(frozen=True)
class Inner:
    """A sub-table."""

    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    """A table with every kind of field a recipe has."""

    count: int = 1
    name: str = "x"
    flag: bool = False
    choice: Literal["a", "b"] = "a"
    weights: str | dict[str, float] = "preset"
    actions: str | tuple[str, ...] = "all"
    limit: float | None = None
    ends: tuple[float, float] | None = None
    inner: Inner = Inner()


def test_a_table_becomes_a_config_and_comes_back():
    """Breaks if a value of the right type is refused, or changed."""
    table = {
        "count": 3,
        "name": "y",
        "flag": True,
        "choice": "b",
        "weights": {"win": 1},
        "actions": ["a", "b"],
        "limit": 2,
        "ends": [-1, 2.5],
        "inner": {"rate": 1},
    }
    config = from_table(Outer, table, "here")
    assert config == Outer(3, "y", True, "b", {"win": 1.0}, ("a", "b"), 2.0, (-1.0, 2.5), Inner(1.0))
    assert from_table(Outer, to_table(config), "here") == config
    assert from_table(Outer, to_table(Outer()), "here") == Outer()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"cuont": 1}, "unknown key 'cuont' in here; did you mean 'count'"),
        ({"inner": {"rat": 1}}, r"unknown key 'rat' in here \[inner\]; did you mean 'rate'"),
        ({"count": 1.5}, "count = 1.5 does not fit; it takes a whole number"),
        ({"count": True}, "count = true does not fit; it takes a whole number"),
        ({"flag": "yes"}, 'flag = "yes" does not fit; it takes true or false'),
        ({"choice": "c"}, "unknown choice 'c'"),
        ({"weights": {"win": "much"}}, "weights"),
        ({"inner": 3}, "inner = 3"),
        ({"limit": "none"}, 'limit = "none" does not fit; it takes a number'),
        ({"ends": [1.0]}, r"ends = \[1.0\]"),
    ],
)
def test_wrong_keys_and_types_are_told_in_one_line(table, message):
    """Breaks if a mistake in a recipe is a traceback, is accepted, or does not say where it is."""
    with pytest.raises(UserError, match=message) as caught:
        from_table(Outer, table, "here")
    assert "here" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reward_may_change_a_preset(tmp_path):
    """Breaks if docs/add-a-reward-term.md's way to a term of one's own is refused, in a file or as an option."""
    own = tmp_path / "own.toml"
    own.write_text('reward = { preset = "soulsgym", roll = -0.1 }', encoding="utf-8")
    for words in ([str(own)], ["--reward", "preset", "soulsgym", "roll", "-0.1"]):
        recipe = read_train_options(words).recipe
        assert from_table(Recipe, to_table(recipe), "config.json") == recipe
        weights = make_vec(num_envs=1, **env_options(recipe)).reward.weights
        assert weights == make_reward("soulsgym").weights | {"roll": -0.1}


@pytest.mark.parametrize("name", recipe_files())
def test_every_recipe_loads_and_says_what_it_is_for(name):
    """Breaks if a shipped recipe has a wrong key, or no first line for the list."""
    recipe = load_recipe(name)
    assert recipe.num_envs <= recipe.total_steps
    assert recipe_files()[name].read_text(encoding="utf-8").startswith("# ")
    assert from_table(Recipe, to_table(recipe), "config.json") == recipe


def test_command_line_beats_recipe_beats_defaults(tmp_path):
    """Breaks if an option does not override the recipe's file, or the file the defaults."""
    file = tmp_path / "mine.toml"
    file.write_text('fight = "phase2"\nseed = 4\n[ppo]\nepochs = 7\nwidth = 32\n', encoding="utf-8")
    options = read_train_options([str(file), "--seed", "5", "--ppo.epochs", "9", "--name", "n"])
    recipe = options.recipe
    assert (recipe.fight, recipe.seed, recipe.ppo.epochs, recipe.ppo.width) == ("phase2", 5, 9, 32)
    assert recipe.algorithm == Recipe().algorithm
    assert options.name == "n"
    assert run_label(recipe) == "iudex-phase2"
    assert read_train_options(["--reward", "win", "3", "death", "-1"]).recipe.reward == {"win": 3.0, "death": -1.0}


@pytest.mark.parametrize("name", ["double_dqn", "dueling_ddqn", "enhanced_dueling", "rainbow"])
def test_recipes_of_dqn_differ_in_its_switches_alone(name):
    """Breaks if one of them trains longer, sees or is paid more, or has another learning rate than the plain one."""
    plain, other = load_recipe("dqn"), load_recipe(name)
    assert replace(other, dqn=plain.dqn) == plain
    switches = ("double", "dueling", "prioritised", "n_step", "noisy", "distributional")
    assert replace(other.dqn, **{switch: getattr(plain.dqn, switch) for switch in switches}) == plain.dqn
    assert other.dqn != plain.dqn


def test_rainbow_s_distributions_span_what_its_reward_can_pay():
    """Breaks if the range is guessed, is another reward's, or replaces one that was set."""
    recipe = load_recipe("rainbow")
    for reward, own, expected in (
        ("soulsgym", None, (-1.7, 1.7)),
        ("diary", None, (-2.3, 7.4)),
        ("diary", (-9.0, 9.0), (-9.0, 9.0)),
    ):
        chosen = replace(recipe, reward=reward, dqn=replace(recipe.dqn, value_range=own, width=8))
        agent = make_agent_for(chosen, make_vec(**env_options(chosen), num_envs=1))
        support = agent.online.support
        assert (float(support[0]), float(support[-1])) == pytest.approx(expected)
        assert len(support) == 51


def test_the_best_recipe_s_file_leaves_out_what_changes_nothing(tmp_path):
    """Breaks if a sweep over settings without effect ends in a recipe that cannot be trained by."""
    recipe = load_recipe("rainbow")
    file = tmp_path / "best.toml"
    file.write_text(to_toml(without_idle(replace(recipe, dqn=replace(recipe.dqn, epsilon_steps=9)))), encoding="utf-8")
    assert load_recipe(str(file)) == recipe


def test_a_sweep_takes_settings_that_its_space_gives_an_effect(tmp_path):
    """Breaks if an option is refused for a switch that the trials have yet to choose, or taken where none will."""
    space = tmp_path / "space.toml"
    space.write_text("[dqn]\nprioritised = { choices = [true, false] }\n", encoding="utf-8")
    words = ["dqn", "--dqn.priority-alpha", "0.7"]
    assert read_sweep_options([*words, "--space", str(space)]).recipe.dqn.priority_alpha == pytest.approx(0.7)
    with pytest.raises(UserError, match=r"--dqn.priority-alpha changes nothing without --dqn.prioritised"):
        read_sweep_options(words)


def test_a_run_keeps_the_full_path_of_its_boss(tmp_path, monkeypatch):
    """Breaks if a run whose recipe names a table near the caller can be gone on with from his folder alone."""
    monkeypatch.chdir(tmp_path)
    Path("own.toml").write_text(boss_file("iudex").read_text(encoding="utf-8"), encoding="utf-8")
    Path("mine.toml").write_text('boss = "own.toml"\nnum_envs = 2', encoding="utf-8")
    recipe = load_recipe("mine.toml")
    kept = run_config(Training(recipe))["recipe"]
    assert (kept["boss"], kept["real_boss"]) == (str((tmp_path / "own.toml").resolve()), "")
    assert kept == to_table(recipe) | {"boss": kept["boss"]}


def test_smoke_is_a_recipe():
    """Breaks if `train --smoke` is anything but the recipe of that name."""
    assert read_train_options(["--smoke"]) == read_train_options(["smoke"])
    with pytest.raises(UserError, match="and 'phase1' is another; leave one of the two out"):
        read_train_options(["phase1", "--smoke"])


def test_counts_must_be_positive():
    """Breaks if a recipe that could never end or never be judged is accepted."""
    with pytest.raises(UserError, match="total_steps = 0 must be at least 1"):
        from_table(Recipe, {"total_steps": 0}, "mine.toml")


def test_trainings_that_end_before_their_first_update_are_refused():
    """Breaks if a training or a fork too short to learn begins, or one that learns in its last step is refused."""
    ppo = Recipe(num_envs=2, total_steps=127, ppo=PPOConfig(rollout_steps=64))
    check_learns(ppo)  # 64 steps of two fights
    with pytest.raises(UserError, match=r"after 128 steps \(--ppo.rollout-steps 64 x --num-envs 2\).* 126;"):
        check_learns(replace(ppo, total_steps=126))
    check_learns(replace(ppo, total_steps=1128), 1000)
    with pytest.raises(UserError, match="and there are 28;"):
        check_learns(replace(ppo, total_steps=1028), 1000)
    dqn = Recipe(algorithm="dqn", num_envs=1, total_steps=500, dqn=DQNConfig(learning_starts=500, batch_size=32))
    check_learns(dqn)
    check_learns(dqn, 499)
    with pytest.raises(UserError, match=r"after 500 steps \(--dqn.learning-starts 500\), and there are 499;"):
        check_learns(replace(dqn, total_steps=499))


def test_the_latest_trial_of_a_sweep_must_learn():
    """Breaks if what a sweep may draw is judged by the recipe alone, or by a trial that begins early."""
    recipe = Recipe(num_envs=2, total_steps=128, ppo=PPOConfig(rollout_steps=16))
    space = {"ppo.rollout_steps": Search(8, 64), "num_envs": Search(choices=(2, 1)), "ppo.clip": Search(0.1, 0.3)}
    latest = Plan(recipe, space, "win_rate").latest
    assert latest == replace(recipe, ppo=replace(recipe.ppo, rollout_steps=64))
    check_learns(latest)
