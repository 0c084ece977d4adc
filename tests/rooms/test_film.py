"""Films of recorded fights: as many pictures as the fight is long, bodies moving between the steps."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, FIGHT_STATE
from ashen.reports.film import choose_fight, film, telling_picture
from ashen.runs.fights import FightRecord, save_fight

STEPS = 6


def a_fight(
    outcome: str = "WIN", steps: int = STEPS, number: int = 0, env_step: int = 1000, kind: str = "evaluation"
) -> FightRecord:
    """A fight in which the boss stands still and the player walks past him."""
    states = np.zeros(steps + 1, FIGHT_STATE)
    states["phase"], states["step"] = 1, np.arange(steps + 1)
    states["player_hp"] = states["player_max_hp"] = 454
    states["boss_hp"], states["boss_max_hp"] = np.linspace(1037, 0, steps + 1), 1037
    states["boss_x_m"], states["boss_y_m"] = 139.0, 596.0
    states["player_x_m"], states["player_y_m"] = 135.0 + 0.4 * np.arange(steps + 1), 591.0
    meta = {"outcome": outcome, "seed": 1, "table_hash": "0", "schema_version": 1, "boss": "iudex", "fight": "phase1"}
    meta |= {
        "encoder": "ashen",
        "reward": "soulsgym",
        "action_names": ACTION_NAMES,
        "term_names": ["damage_dealt", "win"],
    }
    meta |= {"score_kind": "q_values", "env_step": env_step, "kind": kind, "fight_number": number}
    return FightRecord(
        states=states,
        actions=np.full(steps, 2, np.int16),
        masks=np.ones((steps, 20), np.bool_),
        reward_terms=np.full((steps, 2), 0.1, np.float32),
        rewards=np.full(steps, 0.2, np.float32),
        scores=np.tile(np.arange(20, dtype=np.float32), (steps, 1)),
        meta=meta | {"policy": "a-run", "recorded_at": "2026-01-01T00:00:00+00:00", "num_steps": steps},
    )


@pytest.mark.parametrize(
    ("speed", "pictures"), [(1.0, 3 * STEPS + 30), (2.0, 3 * STEPS // 2 + 30), (0.5, 6 * STEPS + 30)]
)
def test_a_film_has_three_pictures_a_step_and_holds_the_last_for_a_second(tmp_path: Path, speed: float, pictures: int):
    """Breaks if films run at another speed than asked, lose pictures, or cannot be decoded."""
    (tmp_path / "made").mkdir()
    out = film(save_fight(a_fight(), tmp_path), tmp_path / "made" / "fight.mp4", speed=speed)
    assert imageio_ffmpeg.count_frames_and_secs(str(out)) == (pictures, pytest.approx(pictures / 30, abs=0.05))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(out), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    decoded = subprocess.run(command, capture_output=True, check=True)
    frames = np.frombuffer(decoded.stdout, np.uint8).reshape(-1, 540, 960, 3)
    assert b"h264" in decoded.stderr
    assert b"yuv420p" in decoded.stderr
    assert len(frames) == pictures
    assert np.abs(frames[0].astype(int) - frames[3 * STEPS // 2 - 1]).max() > 100
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize(("ending", "size"), [("gif", (640, 360)), ("webp", (720, 406))])
def test_short_films_for_readmes_show_one_picture_a_step(tmp_path: Path, ending: str, size: tuple[int, int]):
    """Breaks if a README's film is a single picture, or too large for a page."""
    out = film(save_fight(a_fight(), tmp_path), tmp_path / f"fight.{ending}")
    with Image.open(out) as image:
        assert image.size == size
        assert image.n_frames >= STEPS


@pytest.mark.slow
def test_only_the_end_of_a_long_fight_goes_into_a_gif(tmp_path: Path):
    """Breaks if a gif grows with the fight."""
    with Image.open(film(save_fight(a_fight(steps=200), tmp_path), tmp_path / "fight.gif")) as image:
        assert image.n_frames <= 130


def test_a_film_tells_how_far_it_is(tmp_path):
    """Breaks if whoever waits for a film is not told of how many pictures it is made, and how many are drawn."""
    told = []
    film(a_fight(), tmp_path / "fight.mp4", fps=10, progress=lambda *counts: told.append(counts))
    assert told == [(done, told[0][1]) for done in range(told[0][1] + 1)] and len(told) > 10


def test_ctrl_c_waits_for_a_whole_picture_and_leaves_nothing(tmp_path, capfd):
    """Breaks if Ctrl-C tears a picture off on its way to ffmpeg, which then complains to the user, or leaves a file."""
    told = []

    def interrupt(done, total):
        if done == 2:
            signal.raise_signal(signal.SIGINT)
        told.append(done)

    with pytest.raises(KeyboardInterrupt):
        film(a_fight(), tmp_path / "fight.mp4", progress=interrupt)
    assert told == [0, 1, 2]
    assert list(tmp_path.iterdir()) == [] and capfd.readouterr() == ("", "")


def test_one_picture_of_a_fight(tmp_path: Path):
    """Breaks if a png is not the fight's telling picture."""
    out = film(save_fight(a_fight(), tmp_path), tmp_path / "fight.png")
    with Image.open(out) as image:
        assert np.array_equal(np.asarray(image), telling_picture(a_fight()))


def test_the_fight_asked_for_is_chosen_among_the_newest(tmp_path: Path):
    """Breaks if an old evaluation is shown, a slow win passes for the best, or the final match's only win is missed."""
    (tmp_path / "fights").mkdir()
    fights = [("WIN", 100, 1000), ("LOSS", 300, 2000), ("WIN", 400, 2000), ("WIN", 350, 2000), ("LOSS", 80, 2000)]
    fights += [("WIN", 500, 2000)]
    for number, (outcome, steps, env_step) in enumerate(fights):
        save_fight(a_fight(outcome, steps, number, env_step), tmp_path / "fights")
    chosen = {which: choose_fight(tmp_path, which).name.split("-")[2] for which in ("best", "worst", "typical", "last")}
    assert chosen == {"best": "003", "worst": "004", "typical": "002", "last": "005"}
    assert choose_fight(tmp_path, "4").name.split("-")[2] == "004"
    with pytest.raises(UserError, match="choose from 1 to 5"):
        choose_fight(tmp_path, "0")
    # The final match is the newest, though its agent is the best and may be older than the last.
    for number, outcome in enumerate(("LOSS", "WIN")):
        save_fight(a_fight(outcome, 90, number, 1000, "final"), tmp_path / "fights")
    assert choose_fight(tmp_path, "best").name == "final-000001000-001-win.npz"


def test_what_cannot_be_filmed_is_said_in_one_line(tmp_path: Path):
    """Breaks if a wrong ending, an empty run, a missing record or a folder in the way gives a traceback."""
    fight = save_fight(a_fight(), tmp_path)
    (tmp_path / "taken.png").mkdir()
    (tmp_path / "taken.png" / "file").touch()
    for path, out in ((fight, "fight.avi"), (tmp_path / "none.npz", "fight.mp4"), (fight, "taken.png")):
        with pytest.raises(UserError):
            film(path, tmp_path / out)
    with pytest.raises(UserError, match="speed"):
        film(fight, tmp_path / "fight.mp4", speed=0.0)
    with pytest.raises(UserError, match="no recorded fights"):
        choose_fight(tmp_path / "empty")
    with pytest.raises(UserError, match="choose from"):
        choose_fight(tmp_path, "nicest")
    assert not list(tmp_path.glob(".*"))


def test_a_thread_that_hears_no_signals_can_film(tmp_path: Path):
    """Breaks if a film made in another thread than the main one fails, since Python allows no handlers there."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(film, a_fight(), tmp_path / "fight.mp4").result()
    assert (tmp_path / "fight.mp4").stat().st_size > 0
