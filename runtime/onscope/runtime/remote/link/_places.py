"""Which of the box's slots hold which frames: what the box has already is not sent again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence


class Places:
    """The box's frame slots of one lane, given out by the PC.

    A frame that is in several windows (it has a key) keeps its slot until another needs it that no window under way
    reads from.
    """

    def __init__(self, slots: int) -> None:
        self._free = list(range(slots))
        self._of: OrderedDict[Hashable, int] = OrderedDict()  # the ones used longest ago first
        self._readers = dict.fromkeys(range(slots), 0)
        self._windows: dict[int, set[int]] = {}

    def take(self, window: int, frames: Sequence[Hashable], again: bool) -> tuple[list[int], list[tuple[int, int]]]:
        """The slots of a window's frames, and (place in the window, slot) of those that have to be sent.

        `frames` name them; `again`: by names that mean the same frame in later windows too.
        """
        slots: dict[Hashable, int] = {}
        new: list[tuple[int, int]] = []
        for frame in frames:  # first those that are there: they must not give way to the others
            if again and frame in self._of and frame not in slots:
                slots[frame] = self._of[frame]
                self._of.move_to_end(frame)
                self._readers[self._of[frame]] += 1
        for position, frame in enumerate(frames):
            if frame not in slots:
                slots[frame] = slot = self._another()
                self._readers[slot] += 1
                new.append((position, slot))
                if again:
                    self._of[frame] = slot
        self._windows[window] = set(slots.values())
        return [slots[frame] for frame in frames], new

    def done(self, window: int) -> None:
        """The window was answered."""
        named = set(self._of.values())
        for slot in self._windows.pop(window, ()):
            self._readers[slot] -= 1
            if not self._readers[slot] and slot not in named:
                self._free.append(slot)

    def _another(self) -> int:
        if self._free:
            return self._free.pop()
        frame, slot = next((frame, slot) for frame, slot in self._of.items() if not self._readers[slot])
        del self._of[frame]
        return slot
