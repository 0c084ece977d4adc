"""Recipes are measured without loss, and their pages say what was measured."""

import importlib.util
import json
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from ashen.core.errors import UserError
from ashen.recipes import recipe_files

ROOT = Path(__file__).parents[2]


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    """tools/measure_recipe.py as a module."""
    return _tool("measure_recipe")


@pytest.fixture(scope="module")
def write() -> ModuleType:
    """tools/write_recipes.py as a module."""
    return _tool("write_recipes")


def _head(measure: ModuleType, *words: str) -> dict:
    return measure.facts(measure.parse(measure.make_parser(), ["smoke", *words]))


def _match(wins: int) -> dict:
    rates = {"win_rate": wins / 100, "win_rate_low": wins / 100 - 0.05, "win_rate_high": wins / 100 + 0.04}
    return {"fight": "full", "start": "fixed", "wins": wins, "fights": 100, "phase_change_rate": 0.9} | rates


def _seed(seed: int, win_rates: list[float], wins: int, returns: list[float]) -> dict:
    """A seed with a match every 1,000 steps and half minute."""
    curve = [
        {"env_step": 1000 * number, "minutes": 0.5 * number, "win_rate": rate, "return_mean": paid}
        for number, (rate, paid) in enumerate(zip(win_rates, returns, strict=True), 1)
    ]
    marks = {"2 min": {"as trained": None}, "end": {"as trained": _match(wins) | {"return_mean": returns[-1]}}}
    learner = [{"share": share, "env_step": 1, "minutes": 0.1, "entropy": share + seed} for share in (0.5, 1.0)]
    row = {"seed": seed, "commit": "abc", "wall_s": 60.0 * (seed + 1), "env_steps": 3000}
    return row | {"curve": curve, "learner": learner, "marks": marks}


@pytest.fixture
def measured(measure) -> dict:
    """Three seeds of the recipe smoke, made up."""
    seeds = [
        _seed(0, [0.2, 0.6, 0.95], 90, [0.0, 4.0, 10.0]),
        _seed(1, [0.0, 0.1, 0.51], 50, [0.0, 6.0, 9.5]),
        _seed(2, [0.3, 0.5, 0.4], 70, [3.0, 2.0, 1.0]),
    ]
    return _head(measure, "--minutes", "2", "--fights", "100") | {"date": "2026-01-01", "seeds": seeds}


def test_milestones_are_medians_over_seeds_with_ranges(write, measured):
    """Breaks if a milestone takes a rate that only equals the bar, or a seed that never came there is left out."""
    rows = {row[0]: row[1:] for row in write.milestone_rows(measured["seeds"])}
    # Above 10 %: at 1,000, 3,000 (its 10 % at 2,000 are not above) and 1,000 steps.
    assert rows["win rate above 10 %"] == ["1,000 (1,000 to 3,000)", "0.5 (0.5 to 1.5)", "3 of 3"]
    assert rows["win rate above 50 %"] == ["3,000 (2,000 to never)", "1.5 (1.0 to never)", "2 of 3"]
    assert rows["win rate above 90 %"] == ["never (3,000 to never)", "never (1.5 to never)", "1 of 3"]
    assert rows["win rate above 99 %"] == ["never", "never", "0 of 3"]


def test_milestones_of_the_return_go_by_its_own_way(write, measured):
    """Breaks if the way is not from the first match to the best one, or a return that only fell counts as arrived."""
    rows = {row[0]: row[1:] for row in write.milestone_rows(measured["seeds"])}
    # Half way: 5 of 10 at 3,000; 4.75 of 9.5 at 2,000; the third only fell.
    assert rows["return half way from the first match to the best"][0] == "3,000 (2,000 to never)"


def test_milestones_without_a_figure_are_left_out(write, measured):
    """Breaks if a fight that has no phase change gets rows of it, all never."""
    assert not any("phase" in row[0] for row in write.milestone_rows(measured["seeds"]))


def test_recipes_page_gives_medians_intervals_and_all_seeds(write, measured):
    """Breaks if a median, its interval, a seed, a mark before the first agent, or the command is wrong or missing."""
    page = write.recipes_page({"smoke": measured})
    overview = next(line for line in page.splitlines() if line.startswith("| [smoke]"))
    assert "| 70.0 (65.0 to 74.0) | 90.0, 50.0, 70.0 |" in overview
    assert "| 3,000 | 2.0 (1.0 to 3.0) |" in overview
    assert "| 2 min | as trained |  | no agent yet |" in page
    assert "python tools/measure_recipe.py smoke --seeds 3 --minutes 2 --fights 100\n" in page
    assert "full, fixed start" in page
    open_ones = page.split("## Not measured yet")[1]
    assert set(open_ones.split(":")[0].split(", ")) >= {"\n\ndiary", "full", "rainbow"}
    assert "smoke" not in open_ones


def test_normal_page_keeps_what_was_written_by_hand(write, measured):
    """Breaks if writing the tables changes the words around them, or twice is not the same as once."""
    page = "before\n<!-- milestones: x -->\nstale\n<!-- end -->\nafter\n"
    new = write.normal_page(page, {"smoke": measured})
    assert new.startswith("before\n")
    assert new.endswith("<!-- end -->\nafter\n")
    assert "stale" not in new
    assert "| entropy | 1.5 (0.5 to 2.5) | 2 (1 to 3) |" in new
    assert write.normal_page(new, {"smoke": measured}) == new


def test_minutes_are_told_of_trainings_alone(write, measured):
    """Breaks if minutes of trainings that shared the machine stand in a table, or those of one alone do not."""
    marks = "<!-- milestones: x -->\n<!-- end -->\n"
    for jobs, heads in ((1, "| env steps | minutes | seeds |"), (2, "| env steps | seeds |")):
        page = write.normal_page(marks, {"smoke": measured | {"jobs": jobs}})
        assert f"| milestone {heads}\n" in page
        assert ("| 1,000 (1,000 to 3,000) | 0.5 (0.5 to 1.5) |" in page) == (jobs == 1)
        assert ("2 trainings shared the machine" in page) == (jobs == 2)
    overview = next(line for line in page_lines(write, measured | {"jobs": 2}) if line.startswith("| [smoke]"))
    assert "| 3,000 | 2 side by side |" in overview and "2.0 (1.0 to 3.0)" not in overview


def page_lines(write: ModuleType, measured: dict) -> list[str]:
    """The page of all recipes."""
    return write.recipes_page({"smoke": measured}).splitlines()


def test_a_seed_that_fell_far_below_the_others_is_told(write, measured):
    """Breaks if a seed that diverged hides in medians and ranges, or one that was only a little worse is accused."""
    assert write.fallen_text(measured) == "", "the last matches won 95, 51 and 40 %"
    fallen = measured["seeds"][2]
    fallen["curve"][-1]["win_rate"] = 0.25
    fallen["learner"][-1] |= {"td_error": 21.0}
    for seed in measured["seeds"][:2]:
        seed["learner"][-1] |= {"td_error": 2.0}
    said = "**Seed 2 ended far below the others**: its last match on the way won 25.0 %, the others' 95.0, 51.0 %, "
    said += "its own best 50.0 %. It had diverged: td_error 21 at the end, over ten times what the others showed. "
    assert write.fallen_text(measured) == said + "The agent that is kept is that of its best match.\n\n"
    assert said in "\n".join(page_lines(write, measured))


def test_how_far_updates_went_is_told(write, measured):
    """Breaks if the ranges leave out a seed, or take in the end, where the learning rate is nearly 0."""
    for seed, clipped in zip(measured["seeds"], (0.3, 0.2, 0.4), strict=True):
        for row, value in zip(seed["learner"], (clipped, 0.0), strict=True):
            row |= {"clip_fraction": value, "approx_kl": value / 100}
    page = write.normal_page("<!-- updates: x -->\nstale\n<!-- end -->\n", {"smoke": measured})
    assert "| smoke | 1 | 1,024 | 0.0005 | 0.2 to 0.4 | 0.002 to 0.004 |" in page and "stale" not in page


def test_a_curve_is_drawn(write, measured, tmp_path):
    """Breaks if a recipe without phase changes, or with few matches, cannot be drawn."""
    write.draw("smoke", measured, tmp_path / "smoke.png")
    assert (tmp_path / "smoke.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("page", ["recipes.md", "what-normal-training-looks-like.md"])
def test_the_pages_say_what_was_measured(write, page):
    """Breaks if docs/recipes/*.json, a recipe or the tool changed and tools/write_recipes.py was not run."""
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == write.pages(ROOT / "docs")[page]


def test_the_page_of_few_steps_says_what_was_measured():
    """Breaks if docs/ablation or the tool changed and tools/ablate_game.py was not run."""
    ablate, page = _tool("ablate_game"), ROOT / "docs" / "game.md"
    text = page.read_text(encoding="utf-8")
    assert ablate.page(text, ablate.read_kept()) == text


def test_variants_are_words_that_a_training_takes(measure):
    """Breaks if a variant of the ablation names an option that is gone, so that it fails after hours."""
    ablate = _tool("ablate_game")
    settings = {}
    for name, (_, words) in ablate.VARIANTS.items():
        options = measure.parse(measure.make_parser(), ["game", "--", *words.split()])
        settings[name] = json.dumps(measure.facts(options)["settings"], sort_keys=True)
    assert len(set(settings.values())) == len(settings)


def test_what_is_measured_is_of_shipped_recipes():
    """Breaks if a recipe is renamed or removed and its figures stay."""
    assert {file.stem for file in (ROOT / "docs" / "recipes").glob("*.*")} <= set(recipe_files())


def test_words_after_two_dashes_go_to_the_training(measure):
    """Breaks if options after the recipe are taken for words of ashen train, or those after -- are not."""
    words = ["full", "--seeds", "5", "--judge=--start random", "--", "--evaluate-every", "1000"]
    options = measure.parse(measure.make_parser(), words)
    assert (options.seeds, options.judge, options.more) == (5, ["--start random"], words[-2:])
    said = measure.command(options)
    assert said.startswith("python tools/measure_recipe.py full --seeds 5 --fights 1000 ")
    assert said.endswith(' "--judge=--start random" -- --evaluate-every 1000')


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_measurement_goes_on_with_the_missing_seeds(measure, tmp_path, jobs):
    """Breaks if seeds that were done are lost with the one that failed, measured again, or kept out of order."""
    file, head, asked = tmp_path / "smoke.json", _head(measure), []

    def keep(seeds: list[dict]) -> None:
        file.write_text(json.dumps(head | {"seeds": seeds}), encoding="utf-8")

    def one(seed: int, stop: Event) -> dict:
        asked.append(seed)
        if seed == 1 and asked.count(1) == 1:
            raise RuntimeError("the power failed")
        return {"seed": seed}

    assert measure.measure_missing(one, 3, measure.kept_seeds(file, head), jobs, keep) == ["seed 1: the power failed"]
    assert measure.kept_seeds(file, head) == [{"seed": 0}, {"seed": 2}]
    assert measure.measure_missing(one, 4, measure.kept_seeds(file, head), jobs, keep) == []
    assert measure.kept_seeds(file, head) == [{"seed": seed} for seed in range(4)]
    assert sorted(asked) == [0, 1, 1, 2, 3]


def test_ctrl_c_ends_the_trainings_under_way(measure):
    """Breaks if trainings go on after an interruption, or new ones are begun."""
    begun = []

    def one(seed: int, stop: Event) -> dict:
        begun.append(seed)
        if seed > 0:
            assert stop.wait(60.0)
            raise RuntimeError("stopped")
        return {"seed": seed}

    def interrupted(seeds: list[dict]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure.measure_missing(one, 9, [], 2, interrupted)
    assert len(begun) <= 3  # one for each of the two jobs, and one that took the place of the first


def test_other_settings_are_not_mixed(measure, tmp_path):
    """Breaks if seeds measured with other settings are taken over, or more seeds of the same are refused."""
    file = tmp_path / "smoke.json"
    file.write_text(json.dumps(_head(measure) | {"date": "x", "seeds": [{"seed": 0}]}), encoding="utf-8")
    assert measure.kept_seeds(file, _head(measure, "--seeds", "9")) == [{"seed": 0}]
    with pytest.raises(UserError, match="other fights; measure all seeds anew with --again"):
        measure.kept_seeds(file, _head(measure, "--fights", "7"))
    with pytest.raises(UserError, match="more, settings"):
        measure.kept_seeds(file, _head(measure, "--", "--num-envs", "8"))
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        measure.kept_seeds(file, _head(measure))


def test_unknown_recipes_are_named(measure):
    """Breaks if a recipe that is not there is only found out by a training that fails."""
    with pytest.raises(UserError, match="did you mean 'smoke'"):
        measure.facts(measure.parse(measure.make_parser(), ["smok"]))
