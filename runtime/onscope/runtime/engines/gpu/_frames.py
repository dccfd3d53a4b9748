"""Frames that lie on the GPU by their keys, so that one which several windows hold goes up once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

RING = 4
"""Frames that are kept, as a multiple of those that one window holds: windows of several places may take turns."""


@dataclass(slots=True, eq=False)
class Slot:
    """A place for one frame; `begun` is the number of the last window that used it."""

    address: int
    index: int
    key: int | None = None
    begun: int = -1


class Frames:
    """A ring of frames of one size.

    A slot is written and read on one stream, so that the order in which that is begun is the order in which it is
    done. Memory which the host writes itself must not be used by a window that is under way: `safe` says of which
    number the last window is that is over.
    """

    def __init__(self, slots: list[Slot]) -> None:
        self._slots = slots
        self._by_key: dict[int, Slot] = {}

    def find(self, key: int, begun: int) -> Slot | None:
        """The slot that holds the frame, now used by the window of that number."""
        slot = self._by_key.get(key)
        if slot is not None:
            slot.begun = begun
        return slot

    def take(self, key: int, begun: int, safe: int) -> Slot:
        """A slot for a frame that is not there yet: the one that was used longest ago, by no later window than
        `safe` where there is one."""
        slot = min(self._slots, key=lambda each: (each.begun > safe, each.begun))
        self.give(slot, key, begun)
        return slot

    def give(self, slot: Slot, key: int | None, begun: int) -> None:
        """The slot holds this frame from now on; None: something that nobody will ask for."""
        if slot.key is not None:
            self._by_key.pop(slot.key, None)
        slot.key, slot.begun = key, begun
        if key is not None:
            earlier = self._by_key.pop(key, None)
            if earlier is not None:
                earlier.key = None
            self._by_key[key] = slot

    def forget(self) -> None:
        """Nothing is known to lie there any more: what was to be copied there may not have been."""
        for slot in self._slots:
            slot.key = None
        self._by_key.clear()


def ring(count: int, make: Callable[[int], int]) -> Frames:
    """A ring for windows of so many frames; `make` gives the address of each slot's memory."""
    return Frames([Slot(make(index), index) for index in range(count * RING)])
