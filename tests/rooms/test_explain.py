"""Explanations: the fight watched is the fight fought, every hit point has one reason, and the figures are right."""

import re
from dataclasses import replace

import numpy as np
import pytest
from fight_scene import ONE, ROLL_BACK, Scene, fought

from ashen.agents import PPOConfig
from ashen.core.errors import UserError
from ashen.core.fight import LIGHT_ATTACK, NOTHING, PARRY, Outcome
from ashen.evaluation.explain.boss import draw_of, has_decided
from ashen.evaluation.explain.fight import explain_fight
from ashen.evaluation.explain.text import explanation_text
from ashen.runs.fights import load_fight
from ashen.runs.folder import create_run
from ashen.sim.backend import SimBackend
from ashen.sim.records import MODE_ATTACK, MODE_DECIDE
from ashen.sim.trace import Tables, trace_step
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe
from ashen.training.tables import to_table

ALL = range(3000)


def steps_of(kind: str, seed: int, steps: int = 3000):
    """Traces of a fight under random actions, and the fight as the backend fights it: (trace, backend) a step."""
    backend = SimBackend("iudex", kind, 1, random_start=True)
    backend.reset(ONE, np.array([seed], np.uint64))
    worlds, tables = backend.snapshot(), Tables(backend.tables)
    actions = np.random.default_rng(seed).integers(0, 20, steps)
    for action in actions:
        if backend.outcome()[0] != Outcome.RUNNING:
            return
        backend.step(np.array([action]))
        yield trace_step(worlds[0], tables, int(action)), backend


@pytest.mark.parametrize(("kind", "seed"), [("phase1", 0), ("phase2", 1), ("full", 2)])
def test_the_fight_watched_is_the_fight_fought(kind, seed):
    """Breaks if a trace changes the fight in a single bit, or shows other frames than those that were fought."""
    count = 0
    for step, backend in steps_of(kind, seed):
        assert step.after.tobytes() == backend.snapshot().tobytes()
        for one, following in zip(step.frames, step.frames[1:], strict=False):
            assert one.after.tobytes() == following.before.tobytes()
        count += 1
    assert count > 50


@pytest.mark.parametrize(
    ("opponent", "fight", "seed"), [("random", "full", 0), ("always-attack", "phase2", 1), ("roll-and-hit", "full", 2)]
)
def test_every_lost_hit_point_has_one_reason(opponent, fight, seed):
    """Breaks if a loss is not told, is told twice, in another step, or with another figure than the bar shows."""
    record = fought(opponent, fight, seed)
    events = explain_fight(record, "x").events
    for body in ("player", "boss"):
        lost = np.zeros(len(record.actions) + 1)
        for event in events:
            if event.body == body:
                assert event.hp_lost > 0
                assert event.cause
                lost[event.step + 1] += event.hp_lost
        left = record.states[f"{body}_max_hp"] - np.cumsum(lost)
        assert np.floor(left + 1e-9).tolist() == record.states[f"{body}_hp"].tolist()


def test_a_drawn_act_had_the_weight_that_is_told():
    """Breaks if a decision is missed, or if the number drawn does not fall on the act among the weights told."""
    draws, right_after_an_attack = 0, 0
    for step, backend in (pair for kind in ("phase1", "phase2") for seed in range(6) for pair in steps_of(kind, seed)):
        table = backend.tables[0]
        for frame in step.frames:
            if not has_decided(frame):
                assert frame.decided["act"] == frame.before["act"]
                continue
            if frame.decided["phase"] != frame.before["phase"]:
                continue
            draw = draw_of(frame, table)
            act, draws = int(frame.decided["act"]), draws + 1
            right_after_an_attack += int(frame.before["mode"] == MODE_ATTACK)
            below = draw.walk_weight + sum(weight for other, weight in draw.weights.items() if other < act)
            if act in draw.weights:
                assert below <= draw.number < below + draw.weights[act]
            else:
                assert draw.number < draw.walk_weight
            assert all(draw.weights[cooling] == 1.0 for cooling in draw.cooling_s)
    assert draws > 30
    assert right_after_an_attack > 3


def test_what_is_told_of_blows_agrees_with_the_figures():
    """Breaks if a hit is told from outside its shape, or a miss with a reason that its own figures contradict."""
    told = [event.text for seed in range(3) for event in explain_fight(fought("random", "full", seed), "x").events]
    pattern = r"([\d.]+)(?:-([\d.]+))? m of ([\d.]+) m.*?, (\d+)(?:-(\d+))? deg of (\d+) deg(.*)"
    blows = [match for text in told if (match := re.search(pattern, text))]
    for match in blows:
        near, far = float(match[1]), float(match[2] or match[1])
        reach, off, arc, rest = float(match[3]), int(match[4]), int(match[6]), match[7]
        if ": HIT" in rest and "before:" not in rest:
            assert near <= reach + 0.05
            assert off <= arc
        if rest.endswith("missed: out of reach"):
            assert near >= reach - 0.05
        assert "missed: hit" not in rest
        assert far >= near
    assert len(blows) > 20
    assert any(": HIT" in match[7] for match in blows)


@pytest.mark.parametrize(
    ("distance_m", "off_deg", "message"),
    [
        # The motion takes the boss 0.14 m ahead by frame 41 and 0.38 m by frame 43, without a turn.
        (3.0, 20.0, "frame 41: 2.9 m of 4.95 m, 21 deg of 30 deg: HIT, -135 HP, level SmallBlow, DamageSmallBlow"),
        (3.0, -40.0, "2.7-2.9 m of 4.95 m, 42-45 deg of 30 deg: missed: out of arc"),
        (5.5, 0.0, "5.1-5.4 m of 4.95 m, 0 deg of 30 deg: missed: out of reach"),
        (5.2, 0.0, "frame 42: 4.9 m of 4.95 m, 0 deg of 30 deg (before: out of reach): HIT, -135 HP"),
    ],
)
def test_a_blow_is_told_with_the_figures_worked_by_hand(distance_m, off_deg, message):
    """Breaks if reach, angle, frame or verdict of a hit test is not what one works out on paper."""
    (text,) = Scene(distance_m, off_deg).attack("Attack3014", 40).told(NOTHING)
    assert text.startswith("hit test Attack3014 window 1, frames 41-43 (1.37-1.47 s): ")
    assert message in text


def test_a_rolled_blow_and_a_dead_zone_are_told():
    """Breaks if i-frames are counted wrongly, or a dead zone passes for being out of reach."""
    scene = Scene(3.2)
    scene.told(ROLL_BACK, NOTHING)
    (text,) = scene.attack("Attack3014", 40).told(NOTHING)
    assert text.endswith("missed: rolled (i-frame 8-10 of 13)")
    (text,) = Scene(1.4).attack("Attack3012", 28).told(NOTHING)
    assert "m of 5.65 m (dead zone 1.56 m)" in text
    assert text.endswith("missed: inside the dead zone")


def test_a_swing_is_told_with_the_figures_worked_by_hand():
    """Breaks if the sword's reach, damage or poise is told wrongly: 0.46 m of the step are made by frame 14."""
    texts = Scene(2.5).told(LIGHT_ATTACK, *[NOTHING] * 5)
    assert texts[0] == "light_attack: AttackRightLight1"
    assert texts[1].startswith("swing AttackRightLight1, frames 14-17 (0.47-0.60 s): frame 14: 1.5 m of 2.80 m, 0 deg")
    assert texts[1].endswith("HIT, boss -52 HP, poise 185 -> 171")
    assert "out of reach" in Scene(6.0).told(LIGHT_ATTACK, *[NOTHING] * 5)[1]


def test_grabs_parries_and_staggers_are_told():
    """Breaks if what a blow did besides damage is lost: a grab's later damage, a parry, half a parry, a stagger."""
    texts = Scene(2.0).attack("Attack3010", 40).told(*[NOTHING] * 20)
    assert texts[0].endswith("GRABBED, ThrowDef, 174 HP fall due in 1.9 s")
    assert texts[1] == "the throw he is in does its damage: -174 HP"
    scene = Scene(3.0)
    scene.told(PARRY, NOTHING, NOTHING)
    (text,) = scene.attack("Attack3014", 40).told(NOTHING)
    assert text.endswith("PARRIED (frame 10 of the parry, full in 7-12), boss stunned for 2.5 s")
    scene = Scene(3.0)
    scene.told(PARRY)
    text = scene.attack("Attack3014", 40).told(NOTHING)[0]
    assert text.endswith("HALF PARRIED (frame 4 of the parry, full in 7-12), -108 HP (80 % of 135), -68 stamina")
    scene = Scene(2.5).attack("Attack3002", 0)
    scene.world["poise"] = 10.0
    told = scene.told(LIGHT_ATTACK, *[NOTHING] * 5)
    assert any(text.endswith("poise 10 -> -4: staggered for 3.0 s, what he was doing is broken off") for text in told)


def test_a_draw_is_told_with_its_candidates():
    """Breaks if candidates, weights, cooldowns or distances of a draw are not those of the table at this place."""
    scene = Scene(5.0)
    scene.world["mode"] = MODE_DECIDE
    scene.world["ready_f"][7] = scene.world["clock_f"] + 1 + 63  # A9; the clock runs on by one before the draw
    (text,) = scene.told(NOTHING)
    assert re.match(r"drew A\d Attack30\d\d \(", text)
    assert " of 21; " in text or " of 21; on cooldown" in text
    assert "A9 Attack3012 1 (on cooldown 2.1 s, then 75)" in text or "drew A9 Attack3012 (1 of 21; on cooldown" in text
    assert "as for a player at 3-8 m: 3.9 m between surfaces, ahead; " in text


def test_a_refused_input_is_told_with_its_lock():
    """Breaks if an input that the mask refuses passes in silence, or with the wrong reason."""
    scene = Scene(12.0)
    texts = scene.told(ROLL_BACK, LIGHT_ATTACK)
    assert texts[0] == "roll_back: RollingMedium, i-frames for 0.43 s (13 frames)"
    assert texts[1] == "light_attack refused: RollingMedium locks attacks and parries until its clock shows 0.69 s"
    scene = Scene(12.0)
    scene.world["stamina_halves"] = -10
    assert scene.told(LIGHT_ATTACK) == ["light_attack refused: no stamina left (-5)"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small run whose training fights start at random poses, several of them recorded."""
    small = {"num_envs": 2, "total_steps": 3000, "evaluate_every": 3000, "evaluation_fights": 2, "final_fights": 1}
    small |= {"record_every": 500, "random_start": True, "skip_steps": True}
    recipe = replace(load_recipe("phase1"), **small, ppo=PPOConfig(rollout_steps=500, width=16))
    folder = create_run(tmp_path_factory.mktemp("runs"), "small", "x")
    folder.write_config({"recipe": to_table(recipe)})
    list(Training(recipe).run(folder, lambda: False))
    return folder


def test_recorded_fights_are_played_again(run):
    """Breaks if a record does not say enough to play its fight again, be it of an evaluation or from mid-training."""
    paths = sorted(run.fights.glob("*.npz"))
    records = [load_fight(path) for path in paths]
    for record, path in zip(records, paths, strict=True):
        assert explain_fight(record, str(path)).events
    kinds = {(record.meta["kind"], record.meta["start"], record.meta["nth_of_seed"] > 0) for record in records}
    assert kinds >= {("evaluation", "fixed", False), ("training", "random", False), ("training", "random", True)}


def test_evaluations_recorded_before_the_start_was_written_are_explained(run):
    """Breaks if older records of evaluations, which all began a stream from the fixed start, can no longer be read."""
    record = load_fight(sorted(run.fights.glob("evaluation*.npz"))[0])
    older = {key: value for key, value in record.meta.items() if key not in ("start", "nth_of_seed")}
    assert explain_fight(replace(record, meta=older), "x").events == explain_fight(record, "x").events


def test_records_of_other_rules_are_refused(run):
    """Breaks if a fight is explained by rules it was not fought by."""
    record = load_fight(sorted(run.fights.glob("training*.npz"))[0])

    def complaint(**changes):
        with pytest.raises(UserError) as raised:
            explain_fight(replace(record, **changes), "that.npz")
        assert "\n" not in str(raised.value)
        return str(raised.value)

    meta, states = record.meta, record.states.copy()
    states["boss_hp"][7] -= 1
    assert "that.npz does not come out as recorded: played again, it differs from step 7" in complaint(states=states)
    assert "differs from step 0" in complaint(meta=meta | {"seed": 5})
    assert "was fought with tables 0" in complaint(meta=meta | {"table_hash": "0"})
    assert "an older ashen" in complaint(meta={key: value for key, value in meta.items() if key != "nth_of_seed"})
    assert "lacks what a replay needs" in complaint(meta=meta | {"seed": "many"})
    assert "unknown boss 'x'" in complaint(meta=meta | {"boss": "x"})
    assert "an action that there is not" in complaint(meta=meta | {"action_names": ["jump"] * 20})


def test_the_text_shows_what_was_asked_for():
    """Breaks if steps, blows or sums are left out of the text, or told although not asked for."""
    record = fought("random", "phase1", 1)
    explanation = explain_fight(record, "x")
    whole, events, hits = (explanation_text(explanation, show, ALL) for show in ("all", "events", "hits"))
    steps = [int(match) for match in re.findall(r"^ {0,3}(\d+) ", whole, re.M)]
    assert steps == list(range(len(record.actions)))
    assert events.count("\n") < whole.count("\n")
    refused = re.findall(r"player (\w+ refused: .*)", whole)
    assert len(refused) > len(re.findall(r"player (\w+ refused: .*)", events)) > 0
    assert set(re.findall(r"^ {14}f\d (\w+)", hits, re.M)) == {"hit"}
    lost = record.states["player_max_hp"][0] - record.states["player_hp"][-1]
    assert f"whole fight: player lost {lost:.0f} HP, 0 left of 454" in hits
    part = explanation_text(explanation, "all", range(10, 13))
    assert re.findall(r"^ {0,3}(\d+) ", part, re.M) == ["10", "11", "12"]
    with pytest.raises(UserError, match="the fight has steps 0 to"):
        explanation_text(explanation, "all", range(9000, 9010))
