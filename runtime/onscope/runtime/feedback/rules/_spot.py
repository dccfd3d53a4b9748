"""One position, channel and plane as the rules know it: how many results it gave, and which frames it lost."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..._frame import Frame
from .._proposal import Seen

MOST_SPOTS = 1024
"""Positions, channels and planes that are remembered; the one seen longest ago is new when it comes again."""
STAGE_TOLERANCE_UM = 0.5
BEGAN_ANEW = "result.began_anew"
Name = tuple[Any, ...]


class Spot:
    """What is remembered of a position, channel and plane.

    `frames` counts the results there and those that are missing between them, `results` those that came; `gaps` how
    often some were missing. The usual step from one result's frame to the next, where only some frames are looked at
    or several spots take turns, is the smallest that was seen; what is more is lost.
    """

    def __init__(self) -> None:
        self.frames = self.results = self.gaps = 0
        self.began_anew = False
        """Whether tracks began anew with this result: the stage moved, a segment began, or the worker."""
        self.field: dict[Any, Any] = {}
        """What conditions remember of the frame."""
        self.rosters: dict[str, Any] = {}
        self._last: tuple[Name, int] | None = None
        self._step = 0
        self._stage_um: tuple[float, ...] | None = None

    def take(self, seen: Seen) -> None:
        """Count a result."""
        frame = seen.frame
        t = frame.index.get("t")
        number = frame.id.seq if t is None or t == frame.id.seq else t
        # Acquisitions count time points on, whatever begins a segment; a camera's own counter starts again.
        series: Name = (*frame.id[:2], "t") if number != frame.id.seq else frame.id[:3]
        jump = number - self._last[1] if self._last is not None and self._last[0] == series else 0
        steps = 1
        if jump > 0:
            self._step = min(self._step or jump, jump)
            steps = max(round(jump / self._step), 1)
        self.began_anew = self._anew(seen)
        self._last = series, number
        self.frames += steps
        self.results += 1
        self.gaps += steps > 1
        self._segment = frame.id[:3]
        self._stage_um = frame.stage_um

    _segment: Name = ()

    def _anew(self, seen: Seen) -> bool:
        if BEGAN_ANEW in seen.numbers:
            return seen.numbers[BEGAN_ANEW] > 0
        now, before = seen.frame.stage_um, self._stage_um
        moved = now is not None and before is not None and _apart(now, before) > STAGE_TOLERANCE_UM
        return moved or (self._segment != () and self._segment != seen.frame.id[:3])


class Spots:
    """All of them, as many as are remembered."""

    def __init__(self) -> None:
        self._spots: OrderedDict[Name, Spot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._spots)

    def of(self, seen: Seen) -> Spot:
        """Where a result is from, this result counted."""
        name = spot_name(seen.frame)
        spot = self._spots.setdefault(name, Spot())
        self._spots.move_to_end(name)
        if len(self._spots) > MOST_SPOTS:
            self._spots.popitem(last=False)
        spot.take(seen)
        return spot


def spot_name(frame: Frame) -> Name:
    """Camera, and indices and labels on all axes but time."""
    index = sorted((axis, number) for axis, number in frame.index.items() if axis != "t")
    labels = sorted((axis, label) for axis, label in frame.labels.items() if axis != "t")
    return (frame.id.run, frame.id.camera, *index, *labels)


def position_name(frame: Frame) -> Name:
    """The position alone."""
    return frame.id.run, frame.labels.get("p", ""), frame.index.get("p", 0)


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=False))
