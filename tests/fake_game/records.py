"""The records of the game's memory that the fight fills, and those it reads back where soulsgym wrote."""

import struct
from typing import Any

from fake_game.layout import FLAGS
from fake_game.process import Process

_FORMATS = {
    "PlayerHP": "<i", "PlayerMaxHP": "<i", "PlayerSP": "<i", "PlayerMaxSP": "<i", "PlayerX": "<f", "PlayerY": "<f",
    "PlayerZ": "<f", "PlayerA": "<f", "PlayerAnimation": "40s", "PlayerAnimationTime": "<f",
    "IudexHP": "<i", "IudexAttackID": "<i12xi", "IudexPoseX": "<f", "IudexPoseY": "<f", "IudexPoseZ": "<f",
    "IudexPoseA": "<f", "IudexAnimation": "40s", "IudexAnimationTime": "<f",
    "CamQx": "<3f4x3f", "LockOn": "<?", "LockOnBonusRange": "<f", "LoSLockOnTime": "<f", "LastBonfire": "<i",
    "Time": "<I", "IudexDefeated": "<B", **dict.fromkeys(FLAGS, "<?"),
}  # fmt: skip


def name_bytes(name: str) -> bytes:
    """An animation's name as the game keeps it: UTF-16, ended by a zero, at most 20 letters."""
    return name.encode("utf-16-le")[:40].ljust(40, b"\0")


class Records:
    """Named access to the memory of a process, with what was written there last.

    Args:
        process: whose memory.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._written: dict[str, bytes] = {}
        self.instead: dict[str, Any] = {}
        """Record -> what is shown in its place, as long as it stands here: a fault."""

    def put(self, name: str, *values: Any) -> None:
        """Write a record; an animation's name is a string or, for a broken one, its bytes."""
        if name in self.instead:
            values = self.instead[name] if isinstance(self.instead[name], tuple) else (self.instead[name],)
        values = tuple(name_bytes(value) if isinstance(value, str) else value for value in values)
        content = struct.pack(_FORMATS[name], *values)
        self._written[name] = content
        self._process.layout.put(name, content)

    def get(self, name: str) -> Any:
        """What stands in a record, None if it is not there at the moment."""
        content = self._process.layout.get(name, struct.calcsize(_FORMATS[name]))
        return struct.unpack(_FORMATS[name], content)[0] if content else None

    def news(self, name: str) -> Any:
        """What somebody else wrote into a record since :meth:`put`, else None; told once."""
        content = self._process.layout.get(name, struct.calcsize(_FORMATS[name]))
        if not content or content == self._written.get(name):
            return None
        self._written[name] = content
        return struct.unpack(_FORMATS[name], content)[0]
