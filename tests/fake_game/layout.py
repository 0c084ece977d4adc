"""Where things lie in the game's memory: code with byte patterns, static cells, and pointer chains through the heap.

Offsets, patterns and static addresses are soulsgym's own tables, read at run time; only which static cell a record
starts from stands here, since soulsgym 1.1.0 says that in its code.
"""

import re
import struct
from collections import defaultdict
from typing import Any

import numpy as np

from fake_game.memory import AddressSpace

MODULE = 0x1_4000_0000
IMAGE_SIZE = 0x480_0000
_CODE = MODULE + 0x1000
_DATA, _DATA_SIZE = MODULE + 0x475_0000, 0x5_0000
_CELLS = MODULE + 0x477_0000
"""High enough above the code that the top byte of every displacement is the 4 that one pattern wants."""
_HEAP = 0x1F0_0000_0000

RECORDS = {
    "WorldChrMan": (
        "PlayerHP", "PlayerMaxHP", "PlayerSP", "PlayerMaxSP", "PlayerX", "PlayerY", "PlayerZ", "PlayerA",
        "PlayerAnimation", "PlayerAnimationTime", "PlayerAnimationMaxTime", "noGravity",
    ),
    "Iudex": (
        "IudexHP", "IudexAnimation", "IudexAnimationTime", "IudexAnimationMaxTime", "IudexAttackID", "IudexPoseX",
        "IudexPoseY", "IudexPoseZ", "IudexPoseA", "IudexAttacks",
    ),
    "Cam": ("CamQx", "CamQy", "CamQz"),
    "GameDataMan": (
        "SoulLevel", "Vigor", "Attunement", "Endurance", "Vitality", "Strength", "Dexterity", "Intelligence", "Faith",
        "Luck", "Time",
    ),
    "GameMan": ("LastBonfire",),
    "GameFlagData": ("IudexDefeated",),
    "LockTgtMan": ("LockOn", "LockOnBonusRange", "LoSLockOnTime"),
    "CSWindow": ("WindowScreenWidth", "WindowScreenHeight", "ScreenMode"),
}  # fmt: skip
"""Static cell -> the records whose pointer chains start there."""
MOVING = ("WorldChrMan", "Iudex", "Cam")
"""What is freed on a loading screen and lies elsewhere after it. All else keeps its address."""
FLAGS = {"NoDeath": 0x0, "AllNoDeath": 0x8, "AllNoHit": 0xA, "AllNoAttack": 0xB, "AllNoMove": 0xC, "NoDurability": 0xE}
"""Debug flags, bytes from the static address on."""
ROOM = 0x80
"""Bytes kept behind the last offset of a heap block."""


class Layout:
    """The memory of one start of the game.

    Args:
        space: the process's address space.
        static: the module ``soulsgym.core.static``.
        rng: where the heap's blocks come to lie.
    """

    def __init__(self, space: AddressSpace, static: Any, rng: np.random.Generator) -> None:
        self.space, self._rng = space, rng
        self._offsets = static.address_offsets["DarkSoulsIII"]
        self._next_block = _HEAP + int(rng.integers(1 << 20)) * 0x1000
        self._blocks: dict[str, list[int]] = {}
        self._fields: dict[str, tuple[bytearray, int]] = {}
        self.addresses: dict[str, int] = {}
        self._cells = {name: MODULE + address for name, address in static.address_bases["DarkSoulsIII"].items()}
        space.commit(_DATA, bytes(_DATA_SIZE))
        space.commit(_CODE, self._code(static.address_base_patterns["DarkSoulsIII"]))
        for base in RECORDS:
            self.load(base)
        for flag, offset in FLAGS.items():
            address = self._cells["WorldChrManDbg_Flags"] + offset
            self.addresses[flag], self._fields[flag] = address, space._place(address, 1)

    def _code(self, patterns: dict[str, Any]) -> bytes:
        """Instructions that fit the patterns and point at the cells, as the game's own do."""
        code = b""
        for index, (name, entry) in enumerate(patterns.items()):
            tokens = re.findall(r"\\x([0-9a-fA-F]{2})|(\.)", entry["pattern"])
            instruction = bytearray(0xCC if any_byte else int(digits, 16) for digits, any_byte in tokens)
            self._cells[name] = _CELLS + 0x100 * index
            struct.pack_into("<i", instruction, 3, self._cells[name] - (_CODE + len(code) + 7))
            code += bytes(instruction) + b"\xcc" * 16
        return code.ljust(0x1000, b"\xcc")

    def load(self, base: str) -> None:
        """Allocate the blocks of all pointer chains that start from a static cell, and link them."""
        chains = {name: tuple(self._offsets[name]) for name in RECORDS[base]}
        sizes: dict[tuple[int, ...], int] = defaultdict(int)
        for chain in chains.values():
            for depth in range(len(chain)):
                sizes[chain[:depth]] = max(sizes[chain[:depth]], chain[depth] + ROOM)
        places = {}
        for path, size in sizes.items():
            places[path] = self._next_block
            self._next_block += (size // 0x1000 + 1 + int(self._rng.integers(1, 64))) * 0x1000
        blocks = {path: self.space.commit(place, bytes(sizes[path])) for path, place in places.items()}
        for path, place in places.items():
            if path:
                struct.pack_into("<q", blocks[path[:-1]], path[-1], place)
        self._blocks[base] = list(places.values())
        self.space.write(self._cells[base], struct.pack("<q", places[()]))
        for name, chain in chains.items():
            self._fields[name] = (blocks[chain[:-1]], chain[-1])
            self.addresses[name] = places[chain[:-1]] + chain[-1]

    def unload(self, base: str, readable: bool) -> None:
        """Free these blocks if they are there; ``readable`` keeps their pages mapped with what they last held."""
        self.space.write(self._cells[base], bytes(8))
        for place in () if readable else self._blocks[base]:
            self.space.release(place)
        self._blocks[base] = []
        for name in RECORDS[base]:
            self._fields.pop(name, None)
            self.addresses.pop(name, None)

    def put(self, name: str, content: bytes) -> None:
        """Write a record, if it is there at the moment."""
        if name in self._fields:
            block, offset = self._fields[name]
            block[offset : offset + len(content)] = content

    def get(self, name: str, length: int) -> bytes:
        """Read a record, empty if it is not there at the moment."""
        if name not in self._fields:
            return b""
        block, offset = self._fields[name]
        return bytes(block[offset : offset + length])

    def covers(self, name: str, address: int, length: int) -> bool:
        """Whether a record starts within these bytes."""
        return address <= self.addresses.get(name, -1) < address + length

    def break_pattern(self, index: int = 0) -> None:
        """Another patch of the game: one pattern is found no more."""
        self.space.write(_CODE, self.space.read(_CODE, 0x1000).replace(b"\x48\x8b\x05", b"\x90\x90\x90"))
