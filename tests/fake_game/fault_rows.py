"""Every way in which the game and SoulsGym fail, in one list: when, how, what it is called, and what must follow.

``fake_game.trial`` plays a row; tests and tools/fault_table.py do that with all of them.
"""

from typing import Any, NamedTuple

START, RESET, STEP, CLOSE, DEMO = "start", "reset", "step", "close", "demo"
"""When a fault begins: before all, before the first fight, in a fight, before the end, in a full fight."""
GOES_ON, RECOVERS, WAITS, STOPS = "goes on", "recovers", "waits for the user", "stops with a line"
"""What must follow: nothing at all; the fault is counted and the next fight begins by itself; the user is told and does
his part meanwhile; the training ends with one line, and a new one begins when the user has done his part."""
A_SECOND, LONG = 60, 600
"""Ticks of game time that a fault lasts."""


class Row(NamedTuple):
    """One way to fail."""

    moment: str
    fault: str
    """Its name in :mod:`fake_game.faults`."""
    classes: tuple[str, ...]
    """What it may be called, names of :data:`ashen.game.faults.FAULTS`; none if it must not be noticed."""
    follows: str
    details: dict[str, Any] = {}  # noqa: RUF012 (never written to)
    for_ticks: int = 0
    """How long it lasts; 0: until the user ends it, or it is over at once."""
    fight: str = "phase1"
    steps: int = 12
    """That are played from its beginning on, over fights."""
    hunts: bool = False
    """Whether the player goes up to the boss and strikes; else he does whatever is valid."""

    @property
    def label(self) -> str:
        """The row in a few words."""
        details = "".join(f" {name} {value!r}" for name, value in self.details.items())
        fight = f" ({self.fight})" if self.fight != "phase1" else ""
        return f"{self.moment}: {self.fault}{details}{fight}"


ROWS = (
    # make: the game does not run
    Row(START, "no_process", ("game_gone",), STOPS),
    # make: a pattern is missing, another patch of the game
    Row(START, "pattern_missing", ("other_version",), STOPS),
    # make: not in game, at the menu or on a loading screen
    Row(START, "main_menu", ("not_in_game",), WAITS),
    Row(START, "loading_screen", ("not_in_game",), WAITS),
    # make: no window, or one of another size
    Row(START, "no_window", ("no_window",), STOPS),
    Row(START, "wrong_window_size", ("window_size",), STOPS),
    # make: injection and pipe
    Row(START, "allocation_refused", ("no_speed_dll",), STOPS),
    Row(START, "pipe_missing", ("no_speed_dll",), STOPS),
    Row(START, "pipe_busy", ("pipe_busy",), STOPS),
    # make: the game was left paused by a crash
    Row(START, "found_paused", (), GOES_ON),
    # reset of 1.1.0: endless recursion, the teleport refused or the boss stuck in an attack
    Row(RESET, "teleport_refused", ("no_answer", "reset_failed"), STOPS),
    Row(RESET, "boss_stuck", ("no_answer", "reset_failed"), STOPS),
    Row(RESET, "boss_stuck", ("no_answer", "reset_failed"), RECOVERS, for_ticks=12_000),
    # reset of 1.1.0: the setup fails three times, the interact key never arrives
    Row(RESET, "key_lost", ("reset_failed",), STOPS),
    # reset: keys lost once or now and then, the boss dead in the save, another window in front, 15 minutes over
    Row(RESET, "key_lost", (), GOES_ON, {"key": "interact", "times": 1}),
    Row(RESET, "keys_lost", (), GOES_ON, for_ticks=LONG),
    Row(RESET, "boss_defeated", (), GOES_ON),
    Row(RESET, "focus_lost", (), GOES_ON),
    Row(RESET, "hard_reset_due", (), GOES_ON),
    # reset: a name that is none while the player rises
    Row(RESET, "broken_name_in_respawn", (), GOES_ON),
    # reset: the window may not be brought to the front
    Row(RESET, "focus_denied", ("focus_lost",), WAITS),
    # reset: lock-on never takes; with SoulsGym's keys by letter this is the keyboard's layout
    Row(RESET, "lock_on_never", ("no_answer",), STOPS),
    # reset: the fog gate never lets the player out
    Row(RESET, "gate_stuck", ("no_answer",), STOPS),
    # reset: phase 2 never begins
    Row(RESET, "boss_animation", ("no_answer",), STOPS, {"name": "Idle"}, fight="phase2"),
    # reload: neither alive nor at rest for ever, as with a menu open
    Row(RESET, "player_animation", ("no_answer", "not_in_game"), STOPS, {"name": "Menu"}),
    # reset and sleep: the game hangs, its clock stands still or is at its end
    Row(RESET, "process_hung", ("no_answer",), STOPS),
    Row(RESET, "time_stands_still", ("no_answer",), STOPS),
    Row(RESET, "time_saturated", (), GOES_ON),
    # reset: the player dies at the fog gate
    Row(RESET, "dies_at_gate", ("memory", "not_in_game", "reset_failed"), RECOVERS, for_ticks=LONG),
    # reset: on a loading screen, or at the menu
    Row(RESET, "loading_screen", (), GOES_ON),
    Row(RESET, "main_menu", ("not_in_game",), WAITS),
    # reset: one read error in the pose loop
    Row(RESET, "read_error", ("memory", "not_in_game", "reset_failed"), RECOVERS, {"at": "PlayerA", "times": 1}),
    # reset: the game ends
    Row(RESET, "process_exits", ("game_gone",), WAITS),
    # step: hit points 0, outside the arena, no number
    Row(STEP, "hp_zero", ("player_state",), RECOVERS, for_ticks=A_SECOND),
    Row(STEP, "out_of_bounds", ("player_state",), RECOVERS, for_ticks=A_SECOND),
    Row(STEP, "nan_player", ("player_state",), RECOVERS, for_ticks=A_SECOND),
    # step: a fall and DeathIdle each end the fight as lost; both at once are ResetNeeded
    Row(STEP, "fall", (), GOES_ON),
    Row(STEP, "death_idle", (), GOES_ON, for_ticks=A_SECOND),
    Row(STEP, "falls_dead", ("out_of_step",), RECOVERS, for_ticks=A_SECOND),
    # step: names that no table knows are counted, not failed
    Row(STEP, "player_animation", (), GOES_ON, {"name": "NeverSeen"}, for_ticks=30),
    Row(STEP, "player_animation", (), GOES_ON, {"name": ""}, for_ticks=30),
    Row(STEP, "player_animation", (), GOES_ON, {"name": "None"}, for_ticks=30),
    Row(STEP, "player_animation", (), GOES_ON, {"name": "RollingMediumSelftra"}, for_ticks=30),
    Row(STEP, "boss_animation", (), GOES_ON, {"name": "NeverSeen"}, for_ticks=30),
    Row(STEP, "boss_animation", (), GOES_ON, {"name": "Attack9999", "attack": 9999}, for_ticks=30),
    Row(STEP, "boss_animation", (), GOES_ON, {"name": ""}, for_ticks=30),
    # step: a name that is no UTF-16
    Row(STEP, "player_animation_broken", ("memory",), RECOVERS, for_ticks=A_SECOND),
    # step: a read error in the loop, a write error in the top-up
    Row(STEP, "read_error", ("memory",), RECOVERS),
    Row(STEP, "write_error", ("memory",), RECOVERS),
    # step: the player is killed and memory moves; or its pages stay readable
    Row(STEP, "player_killed", ("memory", "player_state"), RECOVERS, steps=60),
    Row(STEP, "player_killed", ("memory", "player_state", "frozen"), RECOVERS, {"is_zombie": True}, steps=60),
    # step: the game ends, or ends and is started again
    Row(STEP, "process_exits", ("game_gone",), WAITS),
    Row(STEP, "process_restarts", ("game_gone",), RECOVERS),
    # step and sleep: endless loops, the game hangs or its clock stands still
    Row(STEP, "process_hung", ("no_answer",), RECOVERS, for_ticks=LONG),
    Row(STEP, "process_hung", ("no_answer",), STOPS),
    Row(STEP, "time_stands_still", ("no_answer",), RECOVERS, for_ticks=LONG),
    # step: a jump of the game's clock, two seconds of lag
    Row(STEP, "time_jumps", (), GOES_ON),
    Row(STEP, "lag", (), GOES_ON, {"seconds": 0.5}),
    Row(STEP, "lag", ("no_answer", "frozen"), RECOVERS, {"seconds": 20.0}),
    # step: numbers that cannot be; stamina below zero and long animations can
    Row(STEP, "nan_boss", ("impossible_value",), RECOVERS, for_ticks=A_SECOND),
    Row(STEP, "stamina_negative", (), GOES_ON, for_ticks=30),
    Row(STEP, "player_animation", (), GOES_ON, {"name": "Idle"}, for_ticks=30),
    # step: focus lost, and Windows does not let it be taken back
    Row(STEP, "focus_lost", ("focus_lost",), RECOVERS),
    Row(STEP, "focus_denied", ("focus_lost",), WAITS),
    # step: lock-on lost comes back after 5 to 11 steps; for good it does not
    Row(STEP, "lock_on_lost", (), GOES_ON, {"camera_degrees": 0.0}),
    Row(STEP, "lock_on_lost", (), GOES_ON, {"camera_degrees": 150.0}, steps=20),
    Row(STEP, "lock_on_never", ("lock_lost",), RECOVERS, for_ticks=LONG, steps=60),
    Row(STEP, "lock_on_never", ("lock_lost",), STOPS, steps=60),
    # step: keys that are blocked, late, or stay down; another layout moves none that goes by its place
    Row(STEP, "input_blocked", ("keys_lost", "lock_lost"), STOPS, steps=300),
    Row(STEP, "keys_late", ("input_late",), RECOVERS, {"ticks": 24}, for_ticks=3000, steps=500),
    Row(STEP, "key_up_lost", ("keys_lost",), RECOVERS, for_ticks=1500, steps=250),
    Row(STEP, "other_layout", (), GOES_ON),
    # step: frozen observations
    Row(STEP, "frozen", ("frozen", "no_answer"), RECOVERS, for_ticks=LONG, steps=60),
    # step: the speed is not as told, the sword was taken off, another character, a later journey
    Row(STEP, "speed_ignored", ("wrong_speed",), STOPS, steps=400),
    Row(STEP, "sword_lost", ("other_damage",), STOPS, steps=400, hunts=True),
    Row(STEP, "other_max_hp", ("other_character",), STOPS),
    Row(RESET, "other_boss_hp", ("other_character",), STOPS),
    # close: the game is gone, or loads
    Row(CLOSE, "process_exits", (), GOES_ON),
    Row(CLOSE, "loading_screen", (), GOES_ON),
    Row(CLOSE, "process_hung", (), GOES_ON, for_ticks=LONG),
    # our own process: it ends, or a call in it does not return; a crash leaves flags and speed in the game
    Row(START, "door_dies", ("door_died",), RECOVERS),
    Row(RESET, "door_dies", ("door_died",), RECOVERS),
    Row(STEP, "door_dies", ("door_died",), RECOVERS),
    Row(CLOSE, "door_dies", (), GOES_ON),
    Row(START, "door_blocks", ("door_hung",), RECOVERS),
    Row(RESET, "door_blocks", ("door_hung",), RECOVERS),
    Row(STEP, "door_blocks", ("door_hung",), RECOVERS),
    Row(CLOSE, "door_blocks", (), GOES_ON),
    # demo: the next fight after a death, and begun on the loading screen
    Row(DEMO, "player_killed", (), GOES_ON, steps=60, fight="full"),
    Row(DEMO, "loading_screen", ("memory",), RECOVERS, fight="full"),
    Row(DEMO, "process_restarts", ("game_gone",), RECOVERS, fight="full"),
)

ELSEWHERE = (
    (
        "import: gymnasium without RetriesExceededError",
        "every test here has such a Gymnasium; soulsgym_builds mends it",
    ),
    ("step: after the fight's end", "GameBackend does not step then: test_a_fight_goes_to_its_end_and_the_next_begins"),
    ("step: goes on after 3,000 steps", "GameBackend ends the fight as TIMEOUT by its own count"),
    (
        "step: a player whose animation is unknown may do everything",
        "SoulsGym's mask; the name is counted and reported",
    ),
    ("make: access denied, path not ASCII", "test_faults_of_windows_alone: exceptions that only Windows raises"),
    ("make: capture never returns while paused", "builds.wake lets the game run first; row found_paused"),
    ("close: kills the player and does not wait", "the door does not call it: unstick.restore"),
    ("crash: flags and speed stay in the game", "rows door_dies; test_the_game_is_left_playable"),
    ("phase=2 env: the phase stays 1", "test_the_phase_is_right"),
    ("demo: phase change and kill", "test_full_fights_follow_each_other and test_fake_fights"),
    ("GameState.copy is shallow", "the row of a step is copied out at once: Translator"),
    ("reset of the head: max_retries", "head only; its exceptions are in FAULTS"),
    ("demo of the head: dead attribute _is_init", "head only; soulsgym_builds.forget_setup sets what is there"),
    (
        "Vordt of the head: phase 2, mask",
        "head only; fight_spec refuses phase 2 of him, his mask: test_a_fight_is_translated_masked_and_paid",
    ),
    ("EG: read errors become a win, and two more", "another game and another library"),
)
"""What stands in no row, and why or where else."""
