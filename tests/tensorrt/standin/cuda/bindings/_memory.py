"""Memory of the stand-in: what is taken is anything at first, and what is given back is poisoned and watched."""

import ctypes
import os
from dataclasses import dataclass
from typing import Any

from ._work import dawdle

POISON = 0xA5
TOTAL = int(os.environ.get("STANDIN_MEMORY", str(1 << 30)))


@dataclass
class Block:
    """`kind`: "gpu", "pinned" (and "mapped", which the GPU reaches too) or "registered"."""

    start: int
    size: int
    kind: str
    buffer: Any

    def holds(self, address: int, size: int) -> bool:
        return self.start <= address and address + size <= self.start + self.size


@dataclass(frozen=True)
class Copied:
    """A copy that was asked for; `straight`: from or to memory that the GPU reaches by itself."""

    kind: int
    size: int
    straight: bool
    source: int = 0


blocks: dict[int, Block] = {}
graveyard: list[Block] = []
copies: list[Copied] = []
taken: list[str] = []
"""Kinds of all memory that was taken, in turn."""


def take(size: int, kind: str) -> int:
    buffer = (ctypes.c_char * size)()
    start = ctypes.addressof(buffer)
    ctypes.memset(start, POISON, size)
    blocks[start] = Block(start, size, kind, buffer)
    taken.append(kind)
    return start


def drop(start: int) -> bool:
    block = blocks.pop(start, None)
    if block is None:
        return False
    if block.buffer is not None:
        ctypes.memset(block.start, POISON, block.size)
        graveyard.append(block)
    return True


def free_bytes() -> int:
    return TOTAL - sum(block.size for block in blocks.values() if block.kind == "gpu")


def find(address: int, size: int, *kinds: str) -> Block | None:
    return next((each for each in list(blocks.values()) if each.kind in kinds and each.holds(address, size)), None)


def disturbed() -> list[Block]:
    """Memory that was written after it was given back."""
    return [each for each in graveyard if bytes(each.buffer) != bytes([POISON]) * each.size]


def move(target: int, source: int, size: int) -> None:
    """In two halves, so that one who does not wait gets the one and not the other."""
    half = size // 2
    ctypes.memmove(target, source, half)
    dawdle()
    ctypes.memmove(target + half, source + half, size - half)
