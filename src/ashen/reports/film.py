"""Films of recorded fights: mp4, a short gif for a README, or one telling picture. Reads ``fights/*.npz`` only."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from math import ceil
from pathlib import Path
from typing import Any, Final

import numpy as np
from imageio_ffmpeg import write_frames
from numpy.typing import NDArray
from PIL import Image

from ashen.core.errors import UserError
from ashen.core.fight import STEP_S, Outcome
from ashen.core.signals import StopOnSignal
from ashen.core.tables import boss_file
from ashen.draw import HP_MEMORY_STEPS, Overlay, between, picture
from ashen.draw.attacks import boss_hits
from ashen.runs.fights import FightRecord, list_fights, load_fight, load_meta, merit, table_fought, typical_fight
from ashen.runs.files import MEDIA_MARKS, check_out
from ashen.runs.folder import HUMAN, NO_HUMAN_FIGHTS

HOLD_S: Final = 1.0
"""How long the last picture stands."""
PICTURE_SIZE: Final = (960, 540)
WHICH: Final = ("best", "worst", "typical", "last")
_KINDS: Final = ("final", "evaluation", "")
"""Fights of the first kind there is are chosen from."""


@dataclass(frozen=True)
class Encoding:
    """How one kind of film is written.

    Args:
        codec: ffmpeg's name of it.
        pixels: ffmpeg's pixel format.
        options: further words for ffmpeg.
        size: width and height.
        fps: pictures a second; None leaves it to the caller.
        last_s: seconds of playing time that are kept of the fight's end; None keeps all.
    """

    codec: str
    pixels: str
    options: tuple[str, ...]
    size: tuple[int, int] = PICTURE_SIZE
    fps: int | None = None
    last_s: float | None = None


# Each gif picture gets its own palette, so that ffmpeg need not hold them all to make a common one.
_PALETTE = "split[a][b];[a]palettegen=stats_mode=single:max_colors=40[p];[b][p]paletteuse=new=1:dither=none"
ENCODINGS: Final = {
    ".mp4": Encoding("libx264", "yuv420p", ("-crf", "20", "-preset", "veryfast", "-tune", "animation")),
    ".webp": Encoding("libwebp_anim", "yuv420p", ("-quality", "60", "-loop", "0"), (720, 406), 10, 15.0),
    ".gif": Encoding("gif", "pal8", ("-filter_complex", _PALETTE), (640, 360), 10, 12.0),
}
"""By file ending. Gif and webp are for README pages, where a whole fight would be too large."""


def choose_fight(run: Path, which: str | None = None) -> Path:
    """A recorded fight of a run worth watching.

    Args:
        run: the run's folder.
        which: of the fights of the final match, of the newest evaluation if there was none yet, of all if neither was:
            ``"best"`` is the quickest win or else the longest fight, ``"worst"`` the quickest loss or else the slowest
            win, ``"typical"`` one of the most common outcome and of median length, ``"last"`` the last one recorded,
            a number the fight of that number; None is the last fight of a human and the typical one of an agent.

    Raises:
        UserError: the run has no recorded fights or none of that number, or ``which`` is unknown.
    """
    if which is not None and which not in WHICH and not which.isdecimal():
        raise UserError(f"unknown choice of a fight '{which}'; choose from: {', '.join(WHICH)}, or give its number")
    paths = next((found for kind in _KINDS if (found := list_fights(run / "fights", kind))), [])
    if not paths and run.name == HUMAN:
        raise UserError(NO_HUMAN_FIGHTS)
    if not paths:
        raise UserError(f"{run} has no recorded fights yet; let it fight first, or choose another run")
    metas = {path: load_meta(path) for path in paths}
    newest = max(meta["env_step"] for meta in metas.values())
    metas = {path: meta for path, meta in metas.items() if meta["env_step"] == newest}
    which = which or ("last" if all(meta["kind"] == "human" for meta in metas.values()) else "typical")
    if which.isdecimal():
        return _numbered(metas, int(which))
    if which == "last":
        return max(metas, key=lambda path: (metas[path]["fight_number"], path.name))
    if which == "typical":
        return typical_fight(metas)
    ranked = sorted(metas, key=lambda path: (*merit(metas[path]), path.name))
    return ranked[-1] if which == "best" else ranked[0]


def _numbered(metas: dict[Path, dict[str, Any]], number: int) -> Path:
    numbers = {meta["fight_number"]: path for path, meta in metas.items()}
    if number not in numbers:
        raise UserError(f"no recorded fight {number} in the newest match; choose from {min(numbers)} to {max(numbers)}")
    return numbers[number]


def film(
    fight: Path | FightRecord,
    out: Path,
    *,
    speed: float = 1.0,
    fps: int = 30,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Path:
    """Film a recorded fight.

    Args:
        fight: the record, or its file, ``fights/*.npz``.
        out: the file to write: ``.mp4`` (the whole fight), ``.webp`` or ``.gif`` (its end, small) or ``.png`` (one
            telling moment).
        speed: 2 plays twice as fast as the game.
        fps: pictures a second of an mp4.
        progress: called as it begins and after every picture: how many are drawn, and of how many.

    Returns:
        ``out``.

    Raises:
        UserError: the record cannot be read, or ``out`` has another ending, is another file or cannot be written.
    """
    kind = out.suffix.lower()
    if speed <= 0.0 or fps <= 0:
        raise UserError(f"cannot film at speed {speed} and {fps} pictures a second; both must be above 0")
    check_out(out, MEDIA_MARKS.get(kind, b""), f"{kind} film", [*ENCODINGS, ".png"])
    record = load_fight(fight) if isinstance(fight, Path) else fight
    table_fought(record, str(fight) if isinstance(fight, Path) else "the fight")
    beside = out.with_name(f".{out.stem}.unfinished{kind}")
    try:
        if kind == ".png":
            progress(0, 1)
            Image.fromarray(telling_picture(record)).save(beside)
        else:
            _encode(record, beside, ENCODINGS[kind], speed, fps, progress)
        os.replace(beside, out)
    except (OSError, RuntimeError) as error:  # the encoder's own errors are of both kinds, and many lines long
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise UserError(f"cannot write {out}: {reason}; choose another place or ending") from None
    finally:
        beside.unlink(missing_ok=True)
    return out


def _encode(
    record: FightRecord, out: Path, encoding: Encoding, speed: float, fps: int, progress: Callable[[int, int], object]
) -> None:
    """Draw the pictures and hand them to ffmpeg one by one; Ctrl-C waits for a whole one, for ffmpeg complains of less.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    fps = encoding.fps or fps
    length_s = len(record.actions) * STEP_S
    start_s = 0.0 if encoding.last_s is None else max(0.0, length_s - encoding.last_s * speed)
    encoder = write_frames(
        str(out),
        encoding.size,
        fps=fps,
        codec=encoding.codec,
        pix_fmt_out=encoding.pixels,
        quality=None,
        macro_block_size=2,
        output_params=list(encoding.options),
        ffmpeg_log_level="error",
    )
    encoder.send(None)
    hold = round(HOLD_S * fps)
    total = _moving(record, start_s, speed / fps) + hold
    try:
        progress(0, total)
        with StopOnSignal() as stop:
            for done, frame in enumerate(pictures(record, start_s, speed / fps, hold, encoding.size), 1):
                encoder.send(frame)
                progress(done, total)
                if stop():
                    raise KeyboardInterrupt
    finally:
        encoder.close()


def pictures(
    record: FightRecord, start_s: float, every_s: float, hold: int, size: tuple[int, int]
) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a fight, uint8 [H, W, 3], bodies moving smoothly between the steps.

    Args:
        record: the fight.
        start_s: seconds of the fight to leave out.
        every_s: seconds of the fight from one picture to the next.
        hold: how often its end is shown.
        size: width and height in pixels.
    """
    steps, boss = len(record.actions), record.meta["boss"]
    shown, overlay = -1, Overlay()
    for number in range(_moving(record, start_s, every_s)):
        time_steps = (start_s + number * every_s) / STEP_S + 1e-9
        step = int(time_steps)
        if step != shown:  # pictures of one step share an overlay, so that its panel is drawn once
            shown, overlay = step, _overlay(record, step)
        yield picture(between(record.states[step], record.states[step + 1], time_steps - step), boss, overlay, size)
    yield from repeat(picture(record.states[steps], boss, _overlay(record, steps), size), hold)


def _moving(record: FightRecord, start_s: float, every_s: float) -> int:
    """How many pictures there are before the last one stands still."""
    return ceil((len(record.actions) * STEP_S - start_s) / every_s - 1e-9)


def _overlay(record: FightRecord, step: int) -> Overlay:
    """What the panel shows from ``step`` to the next; after the last step, how the fight ended."""
    meta, last = record.meta, len(record.actions)
    before = record.states[max(0, step - HP_MEMORY_STEPS)]
    shown = min(step, last - 1)
    return Overlay(
        title=_title(meta),
        action=int(record.actions[shown]) if step < last else -1,
        action_names=tuple(meta["action_names"]),
        scores=record.scores[shown],
        score_kind=meta["score_kind"],
        mask=record.masks[shown],
        reward_terms=dict(zip(meta["term_names"], map(float, record.reward_terms[shown]), strict=True)),
        return_so_far=float(record.rewards[: shown + 1].sum()),
        outcome=record.outcome if step == last else Outcome.RUNNING,
        hp_before=(float(before["player_hp"]), float(before["boss_hp"])),
    )


def _title(meta: dict[str, Any]) -> str:
    """Who fights, and for how long it had trained."""
    return f"{meta['policy']}  ·  {meta['env_step']:,} steps" if meta["env_step"] else meta["policy"]


def telling_picture(record: FightRecord) -> NDArray[np.uint8]:
    """The picture that says most: of the steps with the boss's hit window open, the one nearest the fight's middle."""
    boss, middle = record.meta["boss"], len(record.actions) // 2
    open_steps = [step for step in range(len(record.actions)) if _is_striking(record.states[step], boss_file(boss))]
    step = min(open_steps, key=lambda step: abs(step - middle), default=middle)
    return picture(record.states[step], boss, _overlay(record, step), PICTURE_SIZE)


def _is_striking(state: np.void, path: Path) -> bool:
    hits, clock_s = boss_hits(state, path)
    return any(hit.start_s <= clock_s < hit.end_s for hit in hits)
