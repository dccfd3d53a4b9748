"""Whose tracks a window goes on with, and how many frames came since its last one: gaps are told by frame numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ._frame import Frame
from .windows import MOST_TOLD, Gather, Place, place_name
from .worker import Moment


@dataclass(slots=True, eq=False)
class _Seen:
    """A place, as trackers see it: `number` counts its frames; `seq` and `t` are those of the last one."""

    memory: int
    place: Place
    number: int = -1
    seq: int = 0
    t: int | None = None


class Moments:
    """The places of one lane. `of` is called with every window that is sent, in their order.

    Places are positions, channels and planes of one segment; a stage that moved, or another exposure, makes a new one.
    Frames of a place are counted by the acquisition's time points where it has them, else by the camera's counter,
    shared evenly among the places that take turns. One number stands for as many frames as go by from window to window
    when none is lost: those that sampling leaves out on purpose are no gap.
    """

    def __init__(self, gather: Gather, every_n: int) -> None:
        self._along = gather.along
        # A stack or a round of channels is one time point; windows along time jump over some.
        self._points = every_n * (gather.step if gather.along == "t" else 1)
        self._frames = every_n * gather.step
        self._segment: tuple[object, ...] = ()
        self._seen: OrderedDict[tuple[object, ...], _Seen] = OrderedDict()
        self._memories = 0

    def of(self, frames: Sequence[Frame], target: int) -> Moment:
        """Where a window's answer belongs that is that of its frame number `target`."""
        frame = frames[target]
        if frame.id[:3] != self._segment:
            self._segment = frame.id[:3]
            self._seen.clear()
        name = place_name(frame, self._along)
        one = self._seen.pop(name, None)
        if one is None or self._changed(one.place, frame):
            one = self._new(name, frame)
        self._seen[name] = one
        if len(self._seen) > MOST_TOLD:
            self._seen.popitem(last=False)
        t = frame.index.get("t")
        t = None if t == frame.id.seq else t  # the camera's own counter: no time point
        first = one.number < 0
        one.number += 1 if first else max(1, self._steps(one, t, frame.id.seq))
        one.seq, one.t = frame.id.seq, t
        return Moment(one.memory, one.number, first)

    def _steps(self, one: _Seen, t: int | None, seq: int) -> int:
        if t is not None and one.t is not None:
            return round((t - one.t) / self._points)
        return round((seq - one.seq) / (self._frames * len(self._seen)))

    def _new(self, name: tuple[object, ...], frame: Frame) -> _Seen:
        self._memories += 1
        one = _Seen(self._memories, Place(name))
        self._changed(one.place, frame)
        return one

    def _changed(self, place: Place, frame: Frame) -> bool:
        # A stack moves along the third axis, and channels may have a focus of their own.
        stage = frame.stage_um[:2] if frame.stage_um is not None and self._along in ("z", "c") else frame.stage_um
        moved, exposed = place.moves(stage), place.changes(frame.index.get("c"), frame.exposure_ms)
        return moved or exposed
