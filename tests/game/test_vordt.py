"""Vordt, whom SoulsGym's GitHub head has and nobody measured: fought on the game, by an encoder without foresight.

The head stands in for itself (:mod:`fake_game.head`): it cannot be installed beside PyPI's build.
"""

import json
import sys
from contextlib import closing
from types import ModuleType

import numpy as np
import pytest

import ashen
from ashen.cli import main
from ashen.core.fight import NOTHING, Outcome
from ashen.core.tables import boss_file, read_toml
from ashen.core.vocabulary import boss_vocabulary
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import open_run
from ashen.training.recipe import recipe_of

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")

from fake_game.head import HeadVordt
from fake_game.home import at_home

pytestmark = pytest.mark.game
DO_NOTHING = np.array([NOTHING])


@pytest.fixture
def home(monkeypatch):
    """A game on which the head fights Vordt, as it is written down."""
    with at_home() as home:
        module = ModuleType("soulsgym.envs.darksouls3.vordt")
        module.VordtEnv = HeadVordt
        monkeypatch.setitem(sys.modules, module.__name__, module)
        yield home


def test_a_fight_is_translated_masked_and_paid(home):
    """Breaks if the head's state of Vordt becomes other rows, masks, numbers or rewards than what it says."""
    options = {"fight": "phase1", "backend": "game", "encoder": "onehot74", "reward": "soulsgym"}
    with closing(ashen.make_vec("vordt", **options, render_mode="rgb_array")) as env:
        obs, info = env.reset()
        names = boss_vocabulary(boss_file("vordt"))
        first = env.states[0].copy()
        assert (first["player_hp"], first["player_max_hp"], first["boss_max_hp"]) == (483, 483, 1328)
        assert (first["phase"], first["step"], first["lock_on"]) == (1, 0, 1)
        assert [first[f"boss_{part}"] for part in ("x_m", "y_m", "z_m")] == [27.0, 2.0, -25.0]
        assert first["boss_animation"] == names.id("IdleBattle") == 17  # as SoulsGym counts
        assert info["action_mask"].all() and env.render()[0].any()
        seen = dict(zip(env.encoder.names, obs[0], strict=True))
        assert seen["player_x=(x-13)/29"] == pytest.approx((28.24 - 13) / 29)
        assert seen["boss_y=(y+7)/53"] == pytest.approx((2.0 + 7) / 53) and seen["boss_anim=IdleBattle"] == 1.0
        terms, masks, shown = [], [], []
        while True:
            obs, rewards, terminated, _, info = env.step(DO_NOTHING)
            terms.append(dict(zip(env.reward.names, info["reward_terms"][0].tolist(), strict=True)))
            masks.append(env.final_mask[0])
            shown.append(env.final_states[0].copy())
            if terminated[0]:
                break
        assert info["outcome"][0] == Outcome.WIN and len(terms) == len(HeadVordt.shows) - 1
        assert [row["boss_hp"] for row in shown] == [1328, 1328, 1228, 1128, 1128, 0]
        assert shown[1]["boss_animation"] == names.id("Attack3000") == 0 and shown[3]["boss_animation"] == -1
        assert [np.flatnonzero(mask).tolist() for mask in masks[1:4]] == [[19], [19], [16, 17, 18, 19]]
        assert terms[2]["damage_dealt"] == pytest.approx(100 / 1328)
        assert terms[4]["damage_taken"] == pytest.approx(-(483 - 301) / 483)
        # From 37 to 36.5 with the arena's middle at (27.5, 19.5), a hundredth a metre.
        assert terms[0]["approach"] == pytest.approx(0.01 * (np.hypot(0.74, 17.5) - np.hypot(0.74, 17.0)), rel=1e-3)
        assert rewards[0] == pytest.approx(sum(terms[-1].values())) and terms[-1]["win"] == pytest.approx(0.1)
        assert env.backend.unknown_animations == {"boss Attack3018": 1} and env.backend.incidents == []


def test_a_training_records_him_and_learns_his_names(home, tmp_path):
    """Breaks if a training against Vordt on the game fails, records nothing, or forgets animations his table lacks."""
    words = "train game --backend game --boss vordt --fight phase1 --encoder onehot74 --name a --total-steps 30"
    words += " --world-steps-per-s 0 --evaluate-every 1000 --evaluation-fights 1 --final-fights 1"
    words += " --ppo.rollout-steps 10 --ppo.minibatch-size 5 --ppo.width 8"
    assert main([*words.split(), "--runs-dir", str(tmp_path)]) == 0
    run = open_run("a", tmp_path)
    assert recipe_of(run).boss == "vordt"
    records = [load_fight(path) for path in list_fights(run.fights)]
    assert records and all(record.meta["boss"] == "vordt" for record in records)
    assert {record.meta["kind"] for record in records} == {"training", "evaluation", "final"}
    learned = read_toml(run.learned_animations_file)
    assert (learned["base"], learned["animations"]["extra"]) == ("vordt", ["Attack3018"])
    assert home.keeper.incidents == []
    assert len(boss_vocabulary(run.learned_animations_file).names) == len(boss_vocabulary(boss_file("vordt")).names) + 1


@pytest.mark.parametrize("name", ["random", "random-valid", "always-attack"])
def test_scripts_that_need_no_times_fight_him(home, name, capsys):
    """Breaks if an opponent that foresees nothing is refused a boss whose attacks' times nobody measured."""
    words = ["evaluate", name, "--boss", "vordt", "--backend", "game", "--fight", "phase1", "--fights", "2", "--json"]
    assert main(words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["boss"], figures["fights"], figures["wins"]) == ("vordt", 2, 2)
    assert home.keeper.incidents == []


SIMULATED = "the simulator cannot fight him; on the real game train (with --encoder onehot74 or raw26), finetune and "


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["train", "smoke"], "the encoder ashen cannot foresee them; train with --encoder onehot74 or raw26"),
        (["train", "smoke", "--encoder", "raw26"], SIMULATED),
        (["evaluate", "random"], SIMULATED),
        (["play"], SIMULATED),
        (["explain", "random"], SIMULATED),
        (["exploits", "random"], SIMULATED),
        (["fidelity", "--fast"], SIMULATED),
        (["calibrate", "--from", "human"], "no fights can refit them"),
        (["pretrain", "--from", "human"], "ashen play cannot show him; record fights of agents on the real game"),
    ],
)
def test_what_needs_his_attacks_times_says_why_it_cannot(words, advice, capsys, tmp_path, monkeypatch):
    """Breaks if what simulates or foresees runs on times that nobody measured, is a traceback, leaves a run, or gives
    advice that the verb cannot follow.
    """
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--boss", "vordt"]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"ashen: nobody has measured when the attacks of Vordt of the Boreal Valley hit, so {advice}"
    )
    assert list(tmp_path.iterdir()) == []
