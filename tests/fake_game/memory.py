"""A process's address space: committed blocks of bytes, and nothing readable between them."""

from bisect import bisect_right, insort


class AddressSpace:
    """Sparse memory, byte by byte."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._blocks: dict[int, bytearray] = {}

    def commit(self, address: int, content: bytes) -> bytearray:
        """Make a block readable and writable; what is returned is the memory itself."""
        insort(self._starts, address)
        self._blocks[address] = bytearray(content)
        return self._blocks[address]

    def release(self, address: int) -> None:
        """Give a block back: reads and writes fail there from now on."""
        self._starts.remove(address)
        del self._blocks[address]

    def _place(self, address: int, length: int) -> tuple[bytearray, int] | None:
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start = self._starts[index]
        block, offset = self._blocks[start], address - start
        return (block, offset) if offset + length <= len(block) else None

    def read(self, address: int, length: int) -> bytes | None:
        """The bytes, or None if any of them is not committed."""
        place = self._place(address, length)
        return None if place is None else bytes(place[0][place[1] : place[1] + length])

    def write(self, address: int, content: bytes) -> bool:
        """Whether all bytes were committed, and so are written now."""
        place = self._place(address, len(content))
        if place is None:
            return False
        place[0][place[1] : place[1] + len(content)] = content
        return True

    def region(self, address: int) -> tuple[int, int, bool]:
        """The region an address lies in: start, size, and whether it is committed."""
        index = bisect_right(self._starts, address)
        start = self._starts[index - 1] if index else 0
        size = len(self._blocks[start]) if index else 0
        if address < start + size:
            return start, size, True
        following = self._starts[index] if index < len(self._starts) else 1 << 47
        return start + size, following - start - size, False
