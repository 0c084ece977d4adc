"""Reads keyboard and gamepads: pygame's events in, presses and steering out. Gamepads may come and go."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import pygame
from pygame._sdl2 import controller

from ashen.play.bindings import BINDINGS, Command
from ashen.play.controls import Controls

PRESSED: Final = 0.5
"""A trigger is pressed beyond this share of its way."""
_FULL: Final = 32767.0
_KEYS: Final = {getattr(pygame, f"KSCAN_{key}"): binding.command for binding in BINDINGS for key in binding.keys}
_PAD: Final = {(name, getattr(pygame, f"CONTROLLER_{name}")): row.command for row in BINDINGS for name in row.pad}
_BUTTONS: Final = {number: command for (name, number), command in _PAD.items() if name.startswith("BUTTON")}
_TRIGGERS: Final = {number: command for (name, number), command in _PAD.items() if name.startswith("AXIS")}
_STICK: Final = (pygame.CONTROLLER_AXIS_LEFTX, pygame.CONTROLLER_AXIS_LEFTY)


@dataclass
class Reading:
    """What came in since the last reading, besides what went to the controls."""

    commands: list[Command] = field(default_factory=list)
    """Everything pressed, in order."""
    is_closed: bool = False
    """The window is to be closed."""
    is_interrupted: bool = False
    """The window lost the keyboard, or a gamepad went."""


class Devices:
    """Keyboard and all gamepads.

    Args:
        controls: what is held and pressed goes there.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._stick = [0.0, 0.0]
        self._pads: list[Any] = []  # SDL tells of a pad's buttons as long as somebody holds it
        controller.init()
        pygame.key.stop_text_input()  # an input method for other scripts would swallow letters

    def read(self, events: Iterable[pygame.Event]) -> Reading:
        """Take in events in order."""
        reading = Reading()
        for event in events:
            if event.type == pygame.QUIT:
                reading.is_closed = True
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._let_go(reading)
            elif event.type in (pygame.KEYDOWN, pygame.KEYUP):
                # The scan code is the key's place, whatever letter the keyboard's layout gives it.
                self._button(reading, ("key", event.scancode), _KEYS, event.type == pygame.KEYDOWN)
            else:
                self._read_pad(event, reading)
        return reading

    def close(self) -> None:
        """Let go of the gamepads."""
        self._pads.clear()
        controller.quit()

    def _read_pad(self, event: pygame.Event, reading: Reading) -> None:
        if event.type in (pygame.CONTROLLERBUTTONDOWN, pygame.CONTROLLERBUTTONUP):
            is_down = event.type == pygame.CONTROLLERBUTTONDOWN
            self._button(reading, ("button", event.button), _BUTTONS, is_down)
        elif event.type == pygame.CONTROLLERAXISMOTION:
            self._axis(event.axis, event.value / _FULL, reading)
        elif event.type == pygame.CONTROLLERDEVICEADDED:
            with suppress(pygame.error):  # it may be gone again
                self._pads.append(controller.Controller(event.device_index))
        elif event.type == pygame.CONTROLLERDEVICEREMOVED:
            self._pads = [pad for pad in self._pads if pad.attached()]
            self._let_go(reading)

    def _button(self, reading: Reading, source: tuple[str, int], commands: dict[int, Command], is_down: bool) -> None:
        command = commands.get(source[1])
        if not is_down:
            self._controls.release(source)
        elif command is not None:
            self._controls.press(source, command)
            reading.commands.append(command)

    def _axis(self, axis: int, value: float, reading: Reading) -> None:
        """A stick or trigger stands at ``value``: sticks -1..1 to the right and down, triggers 0..1."""
        if axis in _STICK:
            self._stick[_STICK.index(axis)] = value
            self._controls.steer(self._stick[0], -self._stick[1])
        elif axis in _TRIGGERS:
            source, is_down = ("trigger", axis), value > PRESSED
            if is_down != self._controls.is_held(source):
                self._button(reading, source, _TRIGGERS, is_down)

    def _let_go(self, reading: Reading) -> None:
        self._controls.let_go()
        self._stick = [0.0, 0.0]
        reading.is_interrupted = True
