"""What became of the boss's attacks: worked out by hand, and held to what explanations tell."""

import re

import pytest
from fight_scene import ROLL_BACK, Scene, fought

from ashen.core.fight import LIGHT_ATTACK, NOTHING, PARRY
from ashen.evaluation.explain.attacks import fate_of
from ashen.evaluation.explain.fight import explain_fight, made_attacks


@pytest.mark.parametrize(
    ("attack", "distance_m", "off_deg", "before", "fate", "miss", "hp_lost"),
    [
        ("Attack3014", 3.0, 20.0, [], "hit", "", 135.0),
        ("Attack3014", 3.0, -40.0, [], "walked out", "out of arc", 0.0),
        ("Attack3014", 5.5, 0.0, [], "walked out", "out of reach", 0.0),
        ("Attack3012", 1.4, 0.0, [], "walked out", "inside the dead zone", 0.0),
        ("Attack3014", 3.2, 0.0, [ROLL_BACK, NOTHING], "rolled", "", 0.0),
        ("Attack3014", 3.0, 0.0, [PARRY, NOTHING, NOTHING], "parried", "", 0.0),
        ("Attack3014", 3.0, 0.0, [PARRY], "hit", "", 108.0),
        ("Attack3010", 2.0, 0.0, [], "hit", "", 174.0),
    ],
)
def test_what_became_of_an_attack_is_known(attack, distance_m, off_deg, before, fate, miss, hp_lost):
    """Breaks if an attack counts as dodged, walked out of or parried that was not, or its damage goes elsewhere."""
    scene = Scene(distance_m, off_deg)
    scene.told(*before)
    scene.attacks.made.clear()
    scene.attack(attack, {"Attack3014": 40, "Attack3012": 28, "Attack3010": 40}[attack])
    scene.told(*[NOTHING] * (20 if attack == "Attack3010" else 1))
    made = scene.attacks.made[0]
    assert (made.name, made.fate, made.miss, made.hp_lost) == (attack, fate, miss, hp_lost)
    assert (made.hit_step is not None) == (fate == "hit")


def test_an_attack_that_is_cut_short_was_broken_off():
    """Breaks if an attack that a stagger ended before its windows opened counts as walked out of."""
    scene = Scene(2.5).attack("Attack3002", 0)
    scene.world["poise"] = 10.0
    scene.told(LIGHT_ATTACK, *[NOTHING] * 5)
    assert [(made.name, made.fate, made.verdicts) for made in scene.attacks.made] == [("Attack3002", "broken off", [])]
    assert fate_of([], 0, is_whole=True) == "no blow"
    assert fate_of(["out of reach", "invulnerable in StandUp"], 1, is_whole=True) == "otherwise safe"
    assert fate_of(["rolled", "out of reach", "hit"], 2, is_whole=True) == "hit"
    assert fate_of(["out of reach"], 2, is_whole=False) == "broken off"


@pytest.mark.parametrize(
    ("opponent", "fight", "seed"), [("random", "full", 0), ("always-attack", "phase2", 1), ("roll-and-hit", "full", 2)]
)
def test_attacks_cost_what_explanations_say(opponent, fight, seed):
    """Breaks if hit points are put down to another attack than the explanation says, or an attack is not counted."""
    record = fought(opponent, fight, seed)
    made, events = made_attacks(record, "x"), explain_fight(record, "x").events
    lost = sum(event.hp_lost for event in events if event.body == "player" and event.cause != "fall")
    assert sum(attack.hp_lost for attack in made) == pytest.approx(lost)
    drawn = sum(bool(re.match(r"drew A\d+ Attack\d+ .*begins at once|begins Attack", event.text)) for event in events)
    chained = sum(event.text.startswith("goes on with") for event in events)
    changes = sum(event.text.startswith("changes to phase 2") for event in events)
    assert [sum(attack.is_drawn for attack in made), len(made)] == [drawn, drawn + chained + changes]
    landed = sum(bool(re.search(r"hit test .*: (HIT|GRABBED|HALF)", event.text)) for event in events)
    assert sum(attack.fate == "hit" for attack in made) <= landed
