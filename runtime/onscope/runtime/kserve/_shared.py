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
MOST_GIVEN_UP = 64
"""Slots of windows that failed, before answers come over the connection."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where an array lies in a region that the server knows; `array` is it, as it is seen from here."""

    region: str
    offset: int
    size: int
    array: Array


class SharedFrames:
    """A segment in which arrays that are given lie."""

    def __init__(self, server: Server, segment: str, memory: Array) -> None:
        self._server, self._memory = server, memory
        self._start = _address(memory)
        self._segment = segment
        self.region = f"{segment}-{secrets.token_hex(4)}"
        self.share()

    def share(self) -> None:
        """Tell the server of it, also once more after it was started again."""
        here = sys.platform.startswith("linux")
        self.known = here and self._server.share(self.region, self._segment, self._memory.nbytes)

    def place(self, array: Array) -> Place | None:
        """Where an array lies; None: elsewhere."""
        offset = _address(array) - self._start
        inside = offset >= 0 and offset + array.nbytes <= self._memory.nbytes
        if not (self.known and inside and array.nbytes and array.flags.c_contiguous):
            return None
        return Place(self.region, offset, array.nbytes, array)

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
        self._given_up: list[tuple[str, SharedSlots]] = []
        self._slots: list[tuple[str, SharedSlots] | None] = [self._made() for _ in range(slots)]

    @property
    def known(self) -> bool:
        """Whether the server writes there."""
        return all(self._slots)

    def share(self) -> None:
        """Tell a server that was started again of slots; it knows nothing of those from before."""
        for slot in range(len(self._slots)):
            self.renew(slot)
        self._given_up.clear()

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
        region, memory = there
        shape, at = tuple(size or 0 for size in output.shape), self._offsets[output.name]
        return Place(region, at, _nbytes(output), memory.view(0, shape, output.dtype, at))

    def renew(self, slot: int) -> None:
        """A window failed: whoever runs it may still write there, so nobody else does any more, and nobody else comes
        there. The server may use it until this session ends: to take it away in mid-run could harm the server."""
        there = self._slots[slot]
        if there is not None:
            self._given_up.append(there)
        self._slots[slot] = self._made() if len(self._given_up) <= MOST_GIVEN_UP else None

    def close(self) -> None:
        for there in (*self._slots, *self._given_up):
            if there is not None:
                self._server.unshare(there[0])
                there[1].close()
        self._slots, self._given_up = [None] * len(self._slots), []


def forget_leftovers(server: Server) -> None:
    """Have the server give back memory of clients that were killed: their segments are gone, its regions are not."""
    for region, segment in server.shared().items():
        if region.startswith(f"{PREFIX}-") and SYSTEM_FOLDER.is_dir() and not (SYSTEM_FOLDER / segment).exists():
            server.unshare(region)


def _nbytes(spec: TensorSpec) -> int:
    return math.prod(size or 0 for size in spec.shape) * np.dtype(spec.dtype).itemsize


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
