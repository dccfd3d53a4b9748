"""The bounded hand-off: slots of shared memory, taken and given back by the acquisition process alone."""

from __future__ import annotations

from collections import deque

from ._frame import FrameSpec, Pixels
from ._shm import Lease, SharedSlots


class SlotPool:
    """Who has which slot of a segment. `take`, `hold`, `give` and `lend` are called with the account's lock held.

    A slot may have several readers: it is free again when each has given it back. A lent slot comes back by itself
    when its reader drops the last array in it, from any thread and at any point of the program: it only joins a deque,
    and is counted the next time someone asks. At most `lendable` slots are out at once, so that a reader who keeps
    everything never starves the live path.
    """

    def __init__(self, memory: SharedSlots, lendable: int) -> None:
        self.memory = memory
        self._free = deque(range(memory.slots))
        self._holds = [0] * memory.slots
        self._lendable = lendable
        self._lent = 0
        self._returned: deque[int] = deque()

    def take(self) -> int:
        """A free slot; that there is one is the caller's arithmetic (IndexError: it was wrong)."""
        if self._returned:
            self._collect()
        slot = self._free.pop()  # the one given back last: the processor's caches still know it
        self._holds[slot] = 1
        return slot

    def hold(self, slot: int) -> None:
        """One more reader of a taken slot, which will give it back too."""
        self._holds[slot] += 1

    def give(self, slot: int) -> None:
        """One reader of the slot is done."""
        self._holds[slot] -= 1
        if not self._holds[slot]:
            self._free.append(slot)

    def lend(self, slot: int) -> Lease | None:
        """Lend a taken slot to readers; None when too many are out, and the caller copies and gives instead."""
        self._collect()
        if self._lent >= self._lendable:
            return None
        self._lent += 1
        return self.memory.lease(slot, _Return(self._returned, slot))

    @property
    def free(self) -> int:
        self._collect()
        return len(self._free)

    def _collect(self) -> None:
        while self._returned:
            self.give(self._returned.popleft())
            self._lent -= 1

    def close(self) -> None:
        self.memory.close()


class _Return:
    # A bound method of the pool would keep the pool, and with it the segment, alive for as long as a reader holds on.
    def __init__(self, returned: deque[int], slot: int) -> None:
        self._returned = returned
        self._slot = slot

    def __call__(self) -> None:
        self._returned.append(self._slot)


class Ring(SlotPool):
    """One camera's frame slots, with an array ready for each."""

    def __init__(self, spec: FrameSpec, slots: int, lendable: int) -> None:
        super().__init__(SharedSlots.create(spec.nbytes, slots), lendable)
        self.views: list[Pixels] = [self.memory.view(slot, spec.shape, spec.dtype) for slot in range(slots)]

    def close(self) -> None:
        self.views.clear()
        super().close()
