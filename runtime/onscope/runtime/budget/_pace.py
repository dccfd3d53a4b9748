"""Which windows are left out because time is short: every lane asks the same pace."""

from __future__ import annotations

from collections.abc import Callable

from .._frame import Frame

MOST_PLACES = 4096


class Pace:
    """One of `every` windows of each channel, position and plane is taken; 0: none. The account's lock is held.

    `offered` counts those that came; `came` is called with each.
    """

    def __init__(self) -> None:
        self.every = 1
        self.offered = 0
        self.came: Callable[[], object] = lambda: None
        self._counts: dict[tuple[int | None, ...], int] = {}

    def takes(self, frame: Frame) -> bool:
        """Whether the window whose answer belongs to that frame is computed."""
        self.offered += 1
        self.came()
        if self.every == 1:
            return True
        index = frame.index
        place = index.get("c"), index.get("p"), index.get("z")
        if len(self._counts) >= MOST_PLACES:
            self._counts.clear()
        before = self._counts.get(place, 0)
        self._counts[place] = before + 1
        return self.every > 0 and before % self.every == 0
