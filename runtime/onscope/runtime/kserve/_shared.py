"""Frames and answers that stay in shared memory, where server and client are on one machine.

The ring of camera frames is shared as it is, so that a frame is not copied again on its way there; answers come into
slots of this session's own. Which segments a server may open is a matter of names: both must see the same /dev/shm.
"""

from __future__ import annotations

import math
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._errors import WorkerError
from .._shm import PREFIX, SYSTEM_FOLDER, SharedSlots
from ..engines import TensorSpec
from ._server import Server

Array = np.ndarray
LINE = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where an array lies in a region that the server knows."""

    region: str
    offset: int
    size: int


class SharedFrames:
    """A segment in which arrays that are given lie."""

    def __init__(self, server: Server, segment: str, memory: Array) -> None:
        self._server, self._memory = server, memory
        self._start = _address(memory)
        self.region = f"{segment}-{secrets.token_hex(4)}"
        self.known = sys.platform.startswith("linux") and server.share(self.region, segment, memory.nbytes)

    def place(self, array: Array) -> Place | None:
        """Where an array lies; None: elsewhere."""
        offset = _address(array) - self._start
        inside = offset >= 0 and offset + array.nbytes <= self._memory.nbytes
        if not (self.known and inside and array.nbytes and array.flags.c_contiguous):
            return None
        return Place(self.region, offset, array.nbytes)

    def close(self) -> None:
        if self.known:
            self._server.unshare(self.region)


class SharedAnswers:
    """Slots for the answers of so many windows; each a segment by itself, since one may have to be given up."""

    def __init__(self, server: Server, outputs: Sequence[TensorSpec], slots: int) -> None:
        self._server = server
        self._specs = [each for each in outputs if None not in each.shape]
        self._offsets: dict[str, int] = {}
        self._bytes = 0
        for each in self._specs:
            self._offsets[each.name] = self._bytes
            self._bytes += -(-_nbytes(each) // LINE) * LINE
        self._slots: list[tuple[str, SharedSlots] | None] = [self._made() for _ in range(slots)]

    @property
    def known(self) -> bool:
        """Whether the server writes there."""
        return all(self._slots)

    def _made(self) -> tuple[str, SharedSlots] | None:
        if not self._bytes or not sys.platform.startswith("linux"):
            return None
        try:
            slots = SharedSlots.create(self._bytes, 1)
        except (WorkerError, OSError):  # no room there: answers come over the connection
            return None
        region = f"{slots.name}-{secrets.token_hex(4)}"
        if self._server.share(region, slots.name, self._bytes):
            return region, slots
        slots.close()
        return None

    def place(self, slot: int, output: TensorSpec) -> Place | None:
        """Where an output of a window comes; None: over the connection."""
        there = self._slots[slot]
        if there is None or output.name not in self._offsets:
            return None
        return Place(there[0], self._offsets[output.name], _nbytes(output))

    def array(self, slot: int, output: TensorSpec) -> Array:
        """What came there."""
        there = self._slots[slot]
        assert there is not None
        shape = tuple(size or 0 for size in output.shape)
        return there[1].view(0, shape, output.dtype, self._offsets[output.name])

    def renew(self, slot: int) -> None:
        """A window failed: whoever runs it may still write there, so nobody else does any more."""
        self._close(slot)
        self._slots[slot] = self._made()

    def _close(self, slot: int) -> None:
        there, self._slots[slot] = self._slots[slot], None
        if there is not None:
            self._server.unshare(there[0])
            there[1].close()

    def close(self) -> None:
        for slot in range(len(self._slots)):
            self._close(slot)


def forget_leftovers(server: Server) -> None:
    """Have the server give back memory of clients that were killed: their segments are gone, its regions are not."""
    for region, segment in server.shared().items():
        if region.startswith(f"{PREFIX}-") and SYSTEM_FOLDER.is_dir() and not (SYSTEM_FOLDER / segment).exists():
            server.unshare(region)


def _nbytes(spec: TensorSpec) -> int:
    return math.prod(size or 0 for size in spec.shape) * np.dtype(spec.dtype).itemsize


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
