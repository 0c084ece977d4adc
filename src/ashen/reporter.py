"""A run explained to its owner on one page: the fights are played, every section is worked out and drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.fight import STEP_S
from ashen.display.progress import Progress
from ashen.evaluation.report.attacks import attack_table, before_hits
from ashen.evaluation.report.budget import fight_time, training_time
from ashen.evaluation.report.curves import curves
from ashen.evaluation.report.fleet import fleet
from ashen.evaluation.report.phases import phase_change, win_rates
from ashen.evaluation.report.places import arena_maps, distances
from ashen.evaluation.report.rivals import comparison
from ashen.evaluation.report.scores import chosen_fights, scores
from ashen.evaluation.report.subject import Missing, Subject, play
from ashen.evaluation.report.summary import summary
from ashen.reports.film import film
from ashen.reports.page.attacks import draw_attacks, draw_before_hits
from ashen.reports.page.blocks import Block, Part, Text
from ashen.reports.page.budget import draw_fight_time, draw_training_time
from ashen.reports.page.curves import draw_curves
from ashen.reports.page.films import draw_films
from ashen.reports.page.fleet import draw_fleet
from ashen.reports.page.page import page
from ashen.reports.page.phases import draw_phase_change, draw_win_rates
from ashen.reports.page.places import draw_arena, draw_distances
from ashen.reports.page.rivals import draw_comparison
from ashen.reports.page.scores import draw_scores
from ashen.reports.page.summary import draw_summary
from ashen.runs.fights import FightRecord, load_fight, write_fight
from ashen.runs.files import now
from ashen.runs.folder import RunFolder
from ashen.training.contenders import run_contender
from ashen.training.relatives import opponents, relatives


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Args:
        title: its heading.
        hint: how to read it.
        figures: works them out; raises Missing where there are none for this run.
        draw: turns them into blocks of the page.
    """

    title: str
    hint: str
    figures: Callable[[Subject], dict[str, Any]]
    draw: Callable[[dict[str, Any]], list[Block]]


def films(subject: Subject) -> dict[str, Any]:
    """The best, the median and the worst fight, kept beside the page and filmed; films of the same fights are kept."""
    return {"fights": [_kept(subject, *chosen) for chosen in chosen_fights(subject.records).items()]}


SECTIONS: Final = {
    "summary": Section("Summary", "", summary, draw_summary),
    "curves": Section(
        "Learning curves",
        "Bold: evaluated greedily, with 95 % bands; faint: met in training. A curve still rising asks for more steps.",
        curves,
        draw_curves,
    ),
    "phases": Section(
        "Win rate by phase", "The phase with the lowest rate is the one to train on.", win_rates, draw_win_rates
    ),
    "phase-change": Section(
        "HP at the phase change",
        "If wins come with many hit points left, phase 1 has to be played more safely, not phase 2 better.",
        phase_change,
        draw_phase_change,
    ),
    "attacks": Section(
        "The boss's attacks",
        "Costliest first; the number behind a name is the phase. Look here for what to train or to look at in a film.",
        attack_table,
        draw_attacks,
    ),
    "before-hits": Section(
        "Before a hit",
        "What it did in the 0.6 s before it was hit. 'could not act': an earlier decision bound it, see 'caught in'.",
        before_hits,
        draw_before_hits,
    ),
    "arena": Section(
        "Over the arena",
        "Grey: walls, dotted: the cliff. Hits near an edge mean a player who is cornered.",
        arena_maps,
        draw_arena,
    ),
    "distance": Section(
        "By distance",
        "Blows far out of reach, and hit points lost where nothing is won, are waste.",
        distances,
        draw_distances,
    ),
    "fight-time": Section("Time in a fight", "", fight_time, draw_fight_time),
    "training-time": Section(
        "Time of the training", "The largest part is the one worth making faster.", training_time, draw_training_time
    ),
    "fleet": Section(
        "The fleet",
        "A player far below the others plays the game or at a pace, or has a slow machine or a bad line to the head.",
        fleet,
        draw_fleet,
    ),
    "comparison": Section(
        "Compared with others",
        "An agent that does not beat the scripts has not learned the fight yet.",
        comparison,
        draw_comparison,
    ),
    "films": Section("Films", "The folder beside the page holds the fights too, for ashen explain.", films, draw_films),
    "scores": Section(
        "What it thought along a fight",
        "Values that do not fall before a hit mean that it does not see the hit coming.",
        scores,
        draw_scores,
    ),
}
"""The sections in their order; the name is the section's address on the page."""


def make_report(run: RunFolder, fights: int, fights_dir: Path, is_filmed: bool, progress: Progress) -> str:
    """Play fights of a run's greedy agent in the simulator, and tell about it.

    Args:
        run: its folder.
        fights: how many to play.
        fights_dir: folder beside the page, for the fights it links to and their films.
        is_filmed: whether they are filmed.
        progress: told what takes long.

    Returns:
        The page, HTML.

    Raises:
        UserError: the run has no agent, its folder is damaged, or the fights cannot be kept.
        OSError: the disk is full.
    """
    subject = _subject(run, fights, fights_dir, is_filmed, progress)
    parts = []
    for key, section in SECTIONS.items():
        try:
            blocks = section.draw(section.figures(subject))
        except Missing as missing:
            blocks = [Text(f"Not shown: {missing}")]
        parts.append(Part(key, section.title, section.hint, blocks))
    return page(f"{run.name}: report", f"{fights} simulated fights of the greedy agent, {now()}", parts)


def _subject(run: RunFolder, fights: int, fights_dir: Path, is_filmed: bool, progress: Progress) -> Subject:
    contender = run_contender(run)
    records: list[FightRecord] = []
    facts, told = {"env_step": contender.env_step}, progress.match(f"{run.name} plays {fights} fights", fights)
    figures, results = play(contender.make_policy, contender.env_options, fights, records.append, facts, told)
    rivals, no_parent = opponents(run), ""
    try:
        rivals = [*relatives(run), *rivals]
    except UserError as error:
        no_parent = str(error)
    return Subject(
        run=run,
        env_options=contender.env_options,
        figures=figures,
        results=results,
        records=records,
        rivals=rivals,
        no_parent=no_parent,
        fights_dir=fights_dir,
        is_filmed=is_filmed,
        show=progress.show,
    )


def _kept(subject: Subject, name: str, record: FightRecord) -> dict[str, Any]:
    """What the page says of a fight, once it is kept and filmed."""
    folder, end = subject.fights_dir, record.states[-1]
    path, clip = folder / f"{name}.npz", folder / f"{name}.mp4"
    try:
        folder.mkdir(exist_ok=True)
        if not _is_of(path, record):
            clip.unlink(missing_ok=True)
            write_fight(record, path)
    except (FileExistsError, PermissionError, NotADirectoryError) as error:
        raise UserError(f"cannot keep fights in {folder}: {error.strerror}; choose another --out") from None
    if subject.is_filmed and not clip.is_file():
        film(path, clip, progress=partial(subject.show, f"filming the {name} fight"))
    return {
        "name": name,
        "outcome": record.meta["outcome"],
        "seconds": len(record.actions) * STEP_S,
        "player_hp": float(end["player_hp"] / end["player_max_hp"]),
        "boss_hp": float(end["boss_hp"] / end["boss_max_hp"]),
        "film": f"{folder.name}/{clip.name}" if clip.is_file() else None,
        "record": f'"{path}"' if " " in str(path) else str(path),
    }


def _is_of(path: Path, record: FightRecord) -> bool:
    """Whether a file holds just this fight."""
    try:
        kept = load_fight(path)
    except UserError:
        return False
    return kept.states.tobytes() == record.states.tobytes() and kept.scores.tobytes() == record.scores.tobytes()
