"""A run's first part, if asked for: its agent's own fights are recorded, and the boss's table is refitted to them.

Nothing is learned meanwhile. What is there lies in the run's folder, so that it goes on wherever it was stopped: the
fights recorded (kind ``calibration``), then the row ``calibration`` of the metrics, and the overlay if it is used.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.core.seeding import derive_seed
from ashen.core.tables import boss_file
from ashen.env import make_vec
from ashen.env.worlds import fought_boss
from ashen.evaluation.calibrate.fights import LEAST_FIGHTS, LEAST_STEPS, fights_from
from ashen.evaluation.calibrate.numbers import check_can_refit
from ashen.evaluation.calibrate.report import judged_calibration
from ashen.evaluation.match import play_match
from ashen.evaluation.policies import GreedyAgent
from ashen.runs.fight_journal import FightJournal, keep_interrupted
from ashen.runs.fights import WAITED, FightRecord, list_fights, load_fight, save_new_fight
from ashen.runs.files import write_text
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import MetricsLog, Row, read_metrics
from ashen.training.checkpoints import PARENT, has_numbered, has_parent, load_checkpoint
from ashen.training.game_account import game_account
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, env_options, recipe_of, training_recipe
from ashen.training.trained import Trained

KIND = "calibration"
"""Of the fights recorded, and of the row of metrics."""
Say = Callable[[str], object]


def steps_to_record(run: RunFolder) -> int:
    """Decisions that a run records before it refits its table; 0 if it does not refit it, or has done so."""
    asked = run.read_config().get("calibrate", {}).get("steps", 0)
    return 0 if read_metrics(run, KIND) else asked


def check_can_calibrate(recipe: Recipe) -> None:
    """Refuse to record fights of a boss whose table cannot be refitted to them.

    Raises:
        UserError: nobody measured him.
    """
    check_can_refit(boss_file(recipe.boss))


def is_before_training(run: RunFolder) -> bool:
    """Whether a run that starts from a parent has not come to a checkpoint of its own yet."""
    return has_parent(run) and not has_numbered(run)


def begun_training(run: RunFolder) -> Training:
    """The training of a run from its parent on, at step 0, with the refitted table if there is one.

    Raises:
        UserError: the run is damaged, or a boss or the game is not there.
    """
    recipe = training_recipe(run)
    training = Training(recipe)
    _parent(run, recipe).hand_over(training)
    return training


def record(run: RunFolder, should_stop: Callable[[], bool], say: Say) -> bool:
    """Let the frozen parent play, and record its fights, until there are as many decisions as asked for.

    Args:
        run: with its ``config.json`` and the parent's checkpoint.
        should_stop: asked before every fight, and where the game cannot go on.
        say: told how far it is.

    Returns:
        Whether there are enough fights now.

    Raises:
        UserError: the game cannot go on; the fights so far are kept.
    """
    recipe, wanted, tally = recipe_of(run), steps_to_record(run), _Tally()
    for path in keep_interrupted(run.fights):
        say(f"a fight was cut off when the program ended; kept as {path.name}")
    for path in list_fights(run.fights, KIND):
        tally.add(load_fight(path))
    env = make_vec(**env_options(recipe), num_envs=1)
    account = game_account(run, env.backend, recipe)
    journal = FightJournal(run.fights) if recipe.is_on_game else None
    policy = GreedyAgent(_parent(run, recipe).agent(env), run.name)
    facts = {key: getattr(recipe, key) for key in ("fight", "encoder", "reward")}
    facts |= {"boss": fought_boss(env_options(recipe)), "start": "fixed", "randomise": "none", "kind": KIND}

    def keep(fight: FightRecord) -> None:
        save_new_fight(fight, run.fights)
        tally.add(fight)

    with closing(env):
        while not tally.is_enough(wanted) and not should_stop():
            seed = derive_seed(recipe.seed, KIND, tally.number)
            try:
                about = facts | {"env_step": tally.steps}
                play_match(env, policy, [seed], record=keep, journal=journal, facts=about)
            except UserError as error:  # of the game: only the user can mend it
                if should_stop():
                    return False
                kept = f"{tally.fights} fights are kept, go on with: ashen resume {run.word}"
                raise UserError(f"{error}; {kept}") from None
            finally:
                if account:
                    account.write()
            so_far = f"{tally.decisions:,} steps, at least {wanted:,} are asked for, {tally.wins} won"
            say(f"recorded fight {tally.fights}: {so_far}")
    return tally.is_enough(wanted)


def refit(run: RunFolder, say: Say) -> Row:
    """Refit the table to the recorded fights; it is used if fights held out are foretold better by it.

    Returns:
        The row ``calibration`` of the metrics: the figures of ``ashen calibrate``, ``win_rate`` of the recorded fights,
        and ``is_used``.
    """
    recipe, paths = recipe_of(run), list_fights(run.fights, KIND)
    fights, _ = fights_from([str(path) for path in paths], run.path, recipe.boss)
    calibration = judged_calibration(fights, recipe.boss, say)
    figures, tally = calibration.figures, _Tally()
    if figures["better"]:
        write_text(run.calibrated_file, calibration.overlay)
    for path in paths:
        tally.add(load_fight(path))
    own = {"win_rate": tally.wins / tally.fights, "recorded_steps": tally.decisions, "is_used": bool(figures["better"])}
    return MetricsLog(run).write(KIND, 0, 0, figures | own)


class _Tally:
    """What has been recorded; fights in which the game failed do not count."""

    def __init__(self) -> None:
        self.number = self.fights = self.wins = self.decisions = self.steps = self._good_steps = 0

    def add(self, fight: FightRecord) -> None:
        """One more fight."""
        self.number += 1
        self.steps += len(fight.actions)
        if fight.outcome != Outcome.FAULT:
            self.fights += 1
            self.wins += fight.outcome == Outcome.WIN
            self.decisions += int((fight.actions != WAITED).sum())
            self._good_steps += len(fight.actions)

    def is_enough(self, decisions: int) -> bool:
        """Whether so many decisions are recorded, and what a calibration needs at least."""
        return self.decisions >= decisions and self.fights >= LEAST_FIGHTS and self._good_steps >= LEAST_STEPS


def _parent(run: RunFolder, recipe: Recipe) -> Trained:
    path = run.checkpoints / PARENT
    checkpoint: dict[str, Any] = load_checkpoint(path)
    return Trained(run, recipe, path, checkpoint)
