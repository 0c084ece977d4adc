"""What cannot work on the game, told on a machine without the game: nobody starts it to read that it is in vain."""

import pytest

from ashen.cli import main
from ashen.options.training import read_train_options
from ashen.runs.folder import BEST, create_run
from ashen.training.checkpoints import copy_checkpoint, latest_checkpoint
from ashen.training.lineage import CLONED
from ashen.training.loop import Training
from ashen.training.start import run_config

pytestmark = pytest.mark.game
SMALL = "--num-envs 2 --total-steps 64 --randomise none --encoder onehot74 --evaluation-fights 1 --final-fights 1"
SMALL += " --ppo.width 16 --ppo.rollout-steps 32 --ppo.minibatch-size 32"
UNMEASURED = "nobody has measured when the attacks of Vordt of the Boreal Valley hit, so "
REFUSED = [
    ("evaluate old --plan", "old, planning looks ahead on copies of the fight, and the game has none; give --backend"),
    ("evaluate oracle", "oracle looks ahead on copies of the fight, and the game has none; give --backend sim"),
    ("evaluate random --plan", "random cannot plan, only a single trained agent can; leave out --plan"),
    ("evaluate random --reward no", "unknown reward preset 'no'"),
    ("evaluate random --randomise facts", "randomise = facts must be none on the game"),
    ("evaluate random --boss vordt", "the game backend fights vordt in phase1 only, not full; give --fight phase1"),
    ("evaluate roll-and-hit --boss vordt", f"{UNMEASURED}roll-and-hit knows no time to roll; take random, "),
    ("evaluate oracle --boss vordt --fight phase1", f"{UNMEASURED}oracle knows no time to roll; take random, "),
    ("evaluate old --boss vordt --fight phase1", "vordt.toml has animations that this agent has no place for"),
    ("finetune old --encoder raw26", "the parent old has encoder = onehot74, not raw26; give it the parent's"),
    ("finetune old --actions diary15", "the parent old has actions = all, not diary15; give it the parent's"),
    ("finetune old --ppo.width 32", "checkpoint holds another network"),
    ("finetune old --boss vordt", f"{UNMEASURED}no fights can refit them"),
    ("finetune old --boss vordt --no-calibrate", "vordt has animations that this agent has no place for"),
    ("fork old --num-envs 1", "old stands at step 64 and would train no further; give more --total-steps"),
    ("fork old --num-envs 1 --total-steps 90", "nothing would be learned"),
    ("fork old --num-envs 1 --total-steps 900 --encoder raw26", "checkpoint expects 74 observations, this run gives"),
    ("fork old --total-steps 900", "ashen: --num-envs 2 must be 1 on the game"),
    ("fork clone", "clone is a clone of recorded fights, and no training that could go on; start one from it: ashen"),
    ("train game --parent clone", "the parent clone has encoder = onehot74, not ashen; give it the parent's"),
    ("train game --parent old", "the parent old has encoder = onehot74, not ashen; give it the parent's"),
    (
        "train full",
        "256 must be 1, --randomise facts must be none, --phase2-starts 0.5 must be 0 on the game, which is one and as",
    ),
    (
        "train dqn",
        "--num-envs 16 must be 1 on the game, which is one and as it is; the recipe game is made for it",
    ),
    ("train game --encoder dict", "no learner takes the encoder 'dict'; choose ashen, onehot74 or raw26"),
    ("train game --boss vordt", f"{UNMEASURED}the encoder ashen cannot foresee them; train with --encoder onehot74 or"),
    ("train game --total-steps 5", "nothing would be learned"),
    ("train game --actors 2", "the learner of a fleet plays no game itself"),
    ("sweep game", "a sweep trains side by side, and there is one game; leave out --backend game"),
    ("pretrain game --from old", "recorded ones are too few; give --from at least 5"),
]


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    """A run of a few steps, of an encoder without foresight, and a clone of the same agent."""
    folder = tmp_path_factory.mktemp("runs")
    training = Training(read_train_options(["phase1", *SMALL.split()]).recipe)
    run = create_run(folder, "old", "x")
    run.write_config(run_config(training))
    list(training.run(run, lambda: False))
    clone = create_run(folder, "clone", "x")
    clone.write_config(run_config(training) | {CLONED: {}})
    copy_checkpoint(latest_checkpoint(run), clone, BEST)
    return folder


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[words for words, _ in REFUSED])
def test_what_cannot_work_is_told_before_the_game_is_asked_for(elsewhere, runs_dir, capsys, words, message):
    """Breaks if the game must be started before one is told that what was asked for cannot work on it, or how."""
    elsewhere({"fault": "no_process"})
    before = sorted(runs_dir.iterdir())
    capsys.readouterr()
    assert main([*words.split(), "--backend", "game", "--runs-dir", str(runs_dir)]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert message in line and "start Dark Souls III" not in line
    assert sorted(runs_dir.iterdir()) == before


@pytest.mark.parametrize(
    "words",
    [
        "evaluate random --boss vordt --fight phase1",
        "train game --boss vordt --fight phase1 --encoder onehot74",
        "train game --boss vordt --fight phase1 --encoder raw26",
    ],
)
def test_a_build_without_vordt_is_told_before_the_game_is_asked_for(elsewhere, tmp_path, capsys, words):
    """Breaks if a script is shown an encoder that Vordt has not, or one starts the game for a build without him."""
    elsewhere({"fault": "no_process"})
    assert main([*words.split(), "--backend", "game", "--runs-dir", str(tmp_path)]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("ashen: the game: this build of soulsgym has no vordt, its GitHub head has; docs/windows.md")
    assert not [place for place in tmp_path.iterdir() if place.is_dir()]
