"""Mistakes on the command line and in recipes, each told in one line."""

import sys

import pytest

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "unknown verb 'trian'; did you mean 'train'"),
        (["train", "ful"], "unknown recipe 'ful'; did you mean 'full'"),
        (["train", "none.toml"], "no such file: none.toml"),
        (["train", "--totl-steps", "3"], "options: --totl-steps; did you mean --total-steps"),
        (["train", "--ppo.gamma", "0.9"], "options: --ppo.gamma; did you mean --ppo.discount?"),
        (["train", "--lr", "0.1"], "did you mean --ppo.learning-rate or --dqn.learning-rate?"),
        (["train", "--ppo.what", "0.1"], "options: --ppo.what; see: ashen train --help"),
        (["train", "--total-steps", "many"], "--total-steps"),
        (["train", "--total-steps", "0"], "ashen: --total-steps 0 must be at least 1"),
        (
            ["train", "--total-steps", "64"],
            "first update comes after 8,192 steps (--ppo.rollout-steps 32 x --num-envs 256), and there are 256; give",
        ),
        (["train", "dqn", "--total-steps", "64"], "after 10,000 steps (--dqn.learning-starts 10000), and there are 64"),
        (["finetune", "done", "--total-steps", "512"], "after 1,024 steps (--ppo.rollout-steps 128 x --num-envs 8)"),
        (["fork", "done", "--total-steps", "65"], "and there are 2; give more --total-steps"),
        (["train", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["train", "--ppo.learning-rate", "-1"], "ashen: --ppo.learning-rate -1 must lie within 0 .. 1"),
        (["train", "--dqn.learning-rate", "9"], "ashen: --dqn.learning-rate 9 must lie within 0 .. 1"),
        (
            ["train", "dqn", "--ppo.epochs", "3"],
            "--ppo.epochs changes nothing without --algorithm ppo; leave",
        ),
        (
            ["train", "--game-speed", "2"],
            "ashen: --game-speed changes nothing without --backend game; leave",
        ),
        (
            ["fork", "done", "--total-steps", "900", "--no-scan-codes"],
            "--no-scan-codes changes nothing without --backend game",
        ),
        (["finetune", "done", "--no-scan-codes"], "--no-scan-codes changes nothing without --backend game"),
        (["pretrain", "--from", "done", "--game-speed", "2"], "--game-speed changes nothing without --backend game"),
        (["sweep", "--evaluation-share-pct", "20"], "--evaluation-share-pct changes nothing without --backend game"),
        (
            ["evaluate", "done", "--no-scan-codes", "--game-speed", "2"],
            "--game-speed and --no-scan-codes change nothing without --backend game; leave them out, or add that",
        ),
        *(
            (["fleet", "join", "http://x:1", "--client", "--name", name], f"--name {name} cannot be a player's name;")
            for name in ("../x", "a/b", "x" * 300)
        ),
        (["train", "--smoke", "--name", "x" * 300], "cannot be a run's name; give one plain folder name of at most"),
        (
            ["fleet", "join", "http://x:1", "--client", "--game-speed", "2"],
            "--game-speed changes nothing without --game;",
        ),
        (["fleet", "status", "http://x:1", "--ca", "a.pem"], "http://x:1 does not speak TLS; leave out --ca"),
        (["train", "dqn", "--actors", "1", "--pace", "nan"], "--pace nan must be at least 0"),
        (["train", "dqn", "--pace", "22"], "--pace changes nothing without --actors N; leave it out"),
        (["train", "dqn", "--staleness", "9"], "--staleness changes nothing without --actors N or --fleet ADDRESS;"),
        (["train", "dqn", "--actors", "1", "--world-steps-per-s", "22"], "players have --pace"),
        (
            ["train", "full", "--staleness", "9", "--actors", "1"],
            "--staleness changes nothing without --algorithm dqn;",
        ),
        (
            ["train", "--reward", "win", "1", "death"],
            "--reward does not take that; it takes a word or pairs",
        ),
        (["train", "dqn", "--dqn.value-range", "5"], "--dqn.value-range does not take that; it takes 2 numbers"),
        (
            ["train", "dqn", "--dqn.value-range", "-1", "3"],
            "value-range changes nothing without --dqn.distributional",
        ),
        (
            ["train", "dqn", "--dqn.noisy", "--dqn.epsilon-end", "0"],
            "changes nothing without --dqn.no-noisy",
        ),
        (["train", "dqn", "--dqn.updates-per-step", "0"], "nothing would be learned: --dqn.updates-per-step is 0"),
        (["train", "--ppo.learning-rate", "0"], "nothing would be learned: --ppo.learning-rate is 0"),
        (["evaluate", "done", "--plan-steps", "4"], "change nothing without --plan"),
        (["train", "--ppo.discount", "2"], "ashen: --ppo.discount 2 must lie within 0 .. 1"),
        (["train", "--parent", "random"], "random is an opponent, which has no run"),
        (["resume", "human"], "no fights of yours yet: play some with ashen play"),
        (["train", "--fight", "phase3"], "phase3"),
        (["train", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["train", "--boss", "none.toml"], "no boss table at none.toml"),
        (["train", "--encoder", "onehot47"], "unknown encoder 'onehot47'; did you mean 'onehot74'"),
        (["train", "--encoder", "dict"], "no learner takes the encoder 'dict'"),
        (["train", "--reward", "soulgym"], "did you mean 'soulsgym'"),
        (["train", "--actions", "diary"], "diary16"),
        (["train", "--ppo.clip", "-1"], "clip"),
        (["train", "--name", "done"], "give another --name, or make room with: ashen runs trash done"),
        (["train", "--name", "a/b"], "cannot be a run's name"),
        (["resume", "dome"], "unknown run 'dome'"),
        (
            ["resume", "done", "--total-steps", "9"],
            "--help; by other settings a new run goes on from it",
        ),
        (["evaluate"], "ashen: RUN is missing, as in: ashen evaluate RUN; see: ashen evaluate --help"),
        (["evaluate", "done", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["evaluate", "random", "--fight", "20"], "choose from: full, phase1, phase2; did you mean --fights 20?"),
        (["evaluate", "random", "--fights", "full"], "takes a whole number; did you mean --fight full?"),
        (["evaluate", "random", "--randomise", "fact"], "none, facts, wide; did you mean 'facts'?"),
        (["evaluate", "dome"], "unknown run 'dome' in"),
        (["evaluate", "randm"], "did you mean 'random'"),
        (["evaluate", "done", "--fights", "-3"], "ashen: --fights -3 must be at least 1"),
        (
            ["evaluate", "random", "--overlay", "nosuch"],
            "choose from: iudex, vordt; or give the path of a table or overlay",
        ),
        (["evaluate", "random", "--overlay", "none.toml"], "no boss table at none.toml"),
        (["evaluate", "done", "--num-envs", "0"], "ashen: --num-envs 0 must be at least 1"),
        (["evaluate", "random", "--fihgts", "-3"], "options: --fihgts; did you mean --fights"),
        (["evaluate", "done", "--fight", "phase9"], "phase9"),
        (["evaluate", "done", "--reward", "x"], "unknown reward preset 'x'"),
        (["evaluate", "random", "--fights", "1", "--plan"], "random cannot plan"),
        (["evaluate", "done", "--plan", "--plan-steps", "0"], "--plan-steps 0 must be at least 1"),
        (["exploits"], "see: ashen exploits --help"),
        (["exploits", "oracel"], "did you mean 'oracle'"),
        (["exploits", "done", "--fights", "0"], "--fights 0 must be at least 1"),
        (["exploits", "done", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["fidelity", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["calibrate"], "ashen: --from is missing, as in: ashen calibrate --from ...; see"),
        (["calibrate", "--from", "human"], "no fights of yours yet: play some with ashen play"),
        (["calibrate", "--from", "x"], "choose from: done; or give a folder of fights or an .npz file"),
        (["calibrate", "--from", "random"], "choose from: done; or give a folder"),
        (["finetune", "random"], "random is an opponent, which has no run"),
        (["film", "dome"], "unknown run 'dome'"),
        (["report", "dome"], "unknown run 'dome'"),
        (["report", "random"], "which has no run; give a run, or see how it fights with: ashen evaluate random"),
        (["report", "human"], "no fights of yours yet"),
        (["report", "done", "--fights", "0"], "--fights 0 must be at least 1"),
        (["report", "done", "--fihgts", "3"], "--fihgts; did you mean --fights"),
        (["film", "none.npz"], "no recorded fight at none.npz"),
        (["play", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["play", "--fight", "phase3"], "phase3"),
        (["play", "--speed", "0"], "--speed 0.0 must lie between 0.1 and 10"),
        (["play", "--fights", "0"], "--fights 0 must be at least 1"),
        (["play", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["film", "human"], "no fights of yours yet: play some with ashen play"),
        (["film", "random"], "ashen evaluate random --record FOLDER, then: ashen film FOLDER/FIGHT.npz"),
        (["explain"], "see: ashen explain --help"),
        (["explain", "dome"], "unknown run 'dome'"),
        (["explain", "randm"], "did you mean 'random'"),
        (["explain", "none.npz"], "no recorded fight at none.npz"),
        (["explain", "none.npz", "--seed", "1"], "none.npz is one recorded fight; leave out"),
        (["explain", "random", "--which", "best"], "random has no recorded fights"),
        (["explain", "done", "--which", "nicest"], "unknown choice of a fight 'nicest'"),
        (["explain", "done", "--which", "9"], "no recorded fight 9"),
        (["explain", "done", "--which", "best", "--seed", "1"], "give one of the two"),
        (["explain", "done", "--which", "best", "--boss", "iudex"], "give one of the two"),
        (["explain", "none.npz", "--randomise", "facts"], "none.npz is one recorded fight; leave out"),
        (["explain", "random", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["explain", "done", "--around", "-5"], "--around -5 must be at least 0"),
        (["explain", "random", "--seed", "-1"], "--seed -1 must be at least 0"),
        (["explain", "done", "--from-step", "-1"], "--from-step -1 must be at least 0"),
        (["explain", "done", "--around", "5", "--to-step", "9"], "give one of the two"),
        (["explain", "done", "--from-step", "2999"], "the fight has steps 0 to"),
        (["explain", "done", "--show", "some"], "some"),
        (["plot"], "see: ashen plot --help"),
        (["plot", "dome"], "unknown run 'dome'"),
        (["plot", "done", "oracle"], "oracle is an opponent, which has no run"),
        (["compare"], "no run to compare; give at least one"),
        (["compare", "dome"], "unknown run 'dome'"),
        (["compare", "done", "--metric", "speed"], "speed"),
        (["compare", "done", "--out", "x.svg"], "end its name in .png"),
        (["plot", "done", "--out", "none/x.png"], "there is no folder none; make it"),
        (["film", "done", "--fight", "3"], "options: --fight; did you mean --which?"),
        (["film", "done", "--which", "9"], "no recorded fight 9 in the newest match; choose from 0 to 0"),
        (["film", "done", "--out", "none/x.mp4"], "there is no folder none; make it"),
        (["film", "done", "--out", "why"], "end its name in .mp4 or .webp or .gif or .png"),
        (["report", "done", "--out", "why"], "end its name in .html or .htm"),
        (["report", "done", "--out", "none/why.html"], "there is no folder none; make it"),
        (["explain", "random", "--out", "none/why.txt"], "there is no folder none; make it"),
        (["pack", "done", "--out", "none/x.ashen"], "there is no folder none; make it"),
        (["leaderboard", "--out", "none/x.json"], "there is no folder none; make it"),
        (["calibrate", "--from", "done", "--out", "own"], "end its name in .toml"),
        (["doctor", "--report", "none/x.zip"], "there is no folder none; make it"),
        (["sweep", "ful"], "unknown recipe 'ful'; did you mean 'full'"),
        (["sweep", "--trials", "0"], "--trials 0 must be at least 1"),
        (["sweep", "--metric", "speed"], "speed"),
        (["sweep", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["sweep", "smoke", "--space", "none.toml"], "no such file: none.toml"),
        (["sweep", "smoke", "--study", "x.txt"], "end its name in .db"),
        (["sweep", "smoke", "--resume"], "sweep-smoke.db to go on with"),
        (["join", "done"], "ashen: RUN2 is missing, as in: ashen join RUN1 RUN2; see: ashen join --help"),
        (["join"], "ashen: RUN1 and RUN2 are missing, as in: ashen join RUN1 RUN2; see"),
        (["join", "done", "dome"], "unknown run 'dome'"),
        (["join", "done", "done", "--name", "done"], "already a run 'done'"),
        (["join", "done", "done", "--fights", "0"], "--fights 0 must be at least 1"),
        (["import-checkpoint"], "see: ashen import-checkpoint --help"),
        (["import-checkpoint", "none.pth"], "cannot read none.pth"),
        (["import-checkpoint", "none.pth", "--fights", "0"], "--fights 0 must be at least 1"),
        (["bench", "--repeats", "x"], "--repeats"),
        (["bench", "--repeats", "0"], "--repeats 0 must be at least 1"),
        (["bench", "--peers", "--device", "cpu"], "give one of the two"),
        (["bench", "--recipe", "full"], "add --device cpu,cuda"),
        (["bench", "--device", "tpu"], "--device tpu must be cpu or cpu,cuda"),
        (["bench", "--device", "cpu", "--recipe", "ful"], "unknown recipe 'ful'; did you mean 'full'"),
        (["recipes", "x"], "'x' is a word too many: ashen recipes takes options alone; see: ashen recipes --help"),
        (["film", "done", "b"], "'b' is a word too many: ashen film takes one RUN; see: ashen film --help"),
        (["evaluate", "done", "--fights", "3", "a--b"], "'a--b' is a word too many: ashen evaluate takes one RUN"),
        (["fork", "done", "b", "c"], "'b, c' are words too many: ashen fork takes one RUN"),
        (["train", "full", "ppo"], "'ppo' is a word too many: ashen train takes one RECIPE"),
        (["join", "done", "done", "b"], "'b' is a word too many: ashen join takes RUN1 and RUN2"),
        (["demo", "done", "b"], "'b' is a word too many: ashen demo takes one RUN"),
    ],
)
def test_bad_words_are_told_in_one_line(words, message, complaint, runs_dir):
    """Breaks if a mistake on the command line is a traceback, costs a run folder, or does not say what to do."""
    before = sorted(path.name for path in runs_dir.iterdir())
    assert message in complaint(words)
    assert sorted(path.name for path in runs_dir.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("boss = 'iudex", "is not valid TOML"),
        ("bos = 'iudex'", "unknown key 'bos'"),
        ("[ppo]\nclp = 0.1", "unknown key 'clp'"),
        ("[ppo]\nlearning_rate = -1", "mine.toml [ppo]: learning_rate = -1 must lie within 0 .. 1"),
        ("seed = -1", "mine.toml: seed = -1 must be at least 0"),
        ("seed = 'x'", 'seed = "x" does not fit; it takes a whole number'),
        ("reward = 5", "it takes a word in quotes or a table, { NAME = ... }, of a number or a word in quotes"),
        (
            "[dqn]\nn_step = 3",
            '[dqn] n_step changes nothing without algorithm = "dqn" above the tables; leave it out, or add that',
        ),
        (
            "algorithm = 'dqn'\n[dqn]\nnoisy = true\nepsilon_steps = 9\nepsilon_end = 0",
            "[dqn] epsilon_steps and [dqn] epsilon_end change nothing without noisy = false; leave them out",
        ),
        (
            "algorithm = 'dqn'\n[dqn]\ndouble = 'two_networks'\ntarget_tau = 0.5",
            '[dqn] target_tau changes nothing without double = "target"; leave it out, or add that',
        ),
        (
            "backend = 'game'\nnum_envs = 2\nphase2_starts = 0.5",
            "num_envs = 2 must be 1, phase2_starts = 0.5 must be 0 on the game, which is one and as it is",
        ),
        ("algorithm = 'dqn'\n[dqn]\nvalue_range = [1, -1]", "value_range = 1 -1 must begin with the lower return"),
        ("algorithm = 'sac'", "unknown algorithm 'sac'"),
        ("\xff", "cannot read"),
    ],
)
def test_bad_recipes_are_told_in_one_line(text, message, complaint, tmp_path):
    """Breaks if a broken recipe is a traceback, or if the line does not name the file."""
    recipe = tmp_path / "mine.toml"
    recipe.write_bytes(text.encode("latin-1"))
    said = complaint(["train", recipe])
    assert message in said
    assert "mine.toml" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--actor", "2"], "ashen: Unrecognized options: --actor; did you mean --actors?"),
        (["train", "--actors", "two"], "ashen: --actors cannot be 'two'; it takes a whole number"),
        (["fleet", "join"], "ashen: ADDRESS is missing"),
    ],
)
def test_a_terminal_is_told_the_same(words, message, complaint, monkeypatch):
    """Breaks if the colours that a terminal gets keep a mistake from being understood."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert message in complaint(words)
