"""A run: frames of one place that follow one another, and the windows that they make."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from .._frame import Frame
from ._gather import Gather
from ._places import GAP, Name, Place

ALL = -sys.maxsize


@dataclass(slots=True, eq=False)
class Held:
    """A frame in its slot, number `at` of its run. `open`: its account waits for the window that it belongs to.

    `number` is that of the frame in its lane.
    """

    frame: Frame
    slot: int
    at: int
    open: bool = False
    number: int = -1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Where windows begin, and which of them are taken: those that begin every `stride` frames.

    `anchored`: windows begin at multiples of `step` whatever was lost; else with the first frame after a gap.
    """

    length: int
    step: int
    stride: int
    target: int
    sliding: bool
    anchored: bool
    holds: bool
    pads: bool

    @classmethod
    def of(cls, gather: Gather, every_n: int) -> Rhythm:
        """The rhythm of windows of which every nth is taken."""
        return cls(
            gather.length,
            gather.step,
            gather.step * every_n,
            gather.target,
            gather.sliding,
            gather.on_gap in ("invalid", "hold"),
            gather.on_gap == "hold" and gather.length > 1,
            gather.on_gap == "pad",
        )


class Run:
    """The frames `held` by number, as far as windows to come need them, and the starts of the windows `begun`.

    Of the numbers up to `hole`, frames are missing: windows that begin there are not built, and `why` says why. One
    frame may be held under several numbers: it stands in for those that are lost. `last` is the number of the newest
    frame that came, held or not.
    """

    def __init__(self, rhythm: Rhythm, place: Place, key: tuple[Name, int | None], at: int) -> None:
        self.rhythm = rhythm
        self.place = place
        self.key = key
        self.held: dict[int, Held] = {}
        self.begun: deque[int] = deque()
        self.chosen: tuple[int, ...] | None = None
        self.refused: tuple[int, str] | None = None
        """The window whose frames are refused, and why."""
        self.begin(at, place.why)
        self.anchor = 0 if rhythm.anchored else at

    def begin(self, at: int, why: str) -> None:
        """Windows begin with number `at`, which is yet to come."""
        self.last = at - 1
        self.hole = ALL if self.rhythm.pads else at - 1
        self.why = why
        self.refused = None
        if not self.rhythm.anchored:
            self.anchor = at

    def skip_to(self, at: int) -> None:
        """Frames before `at` are missing; nothing is held any more."""
        self.begin(at, GAP)

    def start_of(self, at: int) -> int | None:
        """Where the window begins that the account of frame `at` ends with; None: it is the target of none."""
        rhythm = self.rhythm
        if not rhythm.sliding:
            return at - (at - self.anchor) % rhythm.length
        start = at - rhythm.target
        return None if (start - self.anchor) % rhythm.step else start

    def refusal(self, at: int) -> str:
        """Why the account of frame `at` ends without a window; "": it waits for one."""
        start = self.start_of(at)
        if start is None:
            return "context" if self.needs(at) else "sampling"
        if (start - self.anchor) % self.rhythm.stride:
            return "sampling"
        if start <= self.hole:
            return self.why
        if self.refused is not None and self.refused[0] == start:
            return self.refused[1]
        return ""

    def needs(self, at: int) -> bool:
        """Whether a window that is taken contains frame `at`."""
        return (at - self.anchor) % self.rhythm.stride < self.rhythm.length

    def fill(self, at: int) -> Held:
        """The last frame stands in for those lost before `at`; it is held once more for each."""
        held = self.held[self.last]
        for number in range(self.last + 1, at):
            self.held[number] = held
        self.last = at - 1
        return held

    def complete(self) -> Iterator[int]:
        """Starts of the windows that no later frame belongs to."""
        while self.begun and self.begun[0] + self.rhythm.length - 1 <= self.last:
            yield self.begun.popleft()

    def window(self, start: int) -> list[Held]:
        """The frames of a window, stand-ins too."""
        held, anchor = self.held, self.anchor
        return [held[max(number, anchor) if self.rhythm.pads else number] for number in self.numbers(start)]

    def numbers(self, start: int) -> range:
        """The numbers of a window's frames."""
        return range(start, start + self.rhythm.length)

    def release(self) -> list[int]:
        """The slots that no window to come needs; once for each number under which they were held."""
        rhythm, anchor = self.rhythm, self.anchor
        earliest = self.last + 2 - rhythm.length
        keep_from = earliest + (anchor - earliest) % rhythm.stride
        slots = []
        while self.held:
            number = next(iter(self.held))
            if number >= keep_from or (rhythm.holds and number == self.last):
                break
            slots.append(self.held.pop(number).slot)
        return slots

    def release_all(self) -> list[int]:
        """The slots of all that is held."""
        slots = [held.slot for held in self.held.values()]
        self.held.clear()
        return slots
