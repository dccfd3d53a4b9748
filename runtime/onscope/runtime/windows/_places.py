"""Where a frame belongs: its place in the acquisition, and its number there along the axis of the windows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._frame import Frame
from ._gather import Along

STAGE_TOLERANCE_UM = 0.5
"""A stage that is farther from where it was has moved; less is its encoder's noise."""
EXPOSURE_TOLERANCE = 1e-3
"""Cameras round exposures; a larger part of them is a change."""
PLACES = 4096
"""Places remembered per segment; what was seen longest ago is new when it comes again."""
INCOMPLETE, GAP = "incomplete window", "gap"

Name = tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Place:
    """One position, channel and plane, as far as the gathered axis leaves them apart, in one segment of a camera."""

    name: Name
    last: int = -1
    """Number of its last frame; -1: there was none."""
    lost: int = 0
    """Frames that the camera had lost by then."""
    unsure: bool = False
    t: int | None = None
    """Time point of its last stack."""
    life: int = 0
    """Rises with every move of the stage and every other exposure: nothing goes on from before."""
    windows: int = 0
    """Built so far."""
    gap: bool = False
    """Whether something is missing since the last of them."""
    why: str = INCOMPLETE
    """Why windows cannot be built that need frames from before its next one."""
    stage_um: tuple[float, ...] | None = None
    """Where the stage stood when its life began; None: not known."""
    exposures_ms: dict[int | None, float] = field(default_factory=dict)
    """By channel, where known."""

    def moves(self, stage_um: tuple[float, ...] | None) -> bool:
        """Whether the stage is elsewhere than it was."""
        before = self.stage_um
        if before is None or stage_um is None or _apart(before, stage_um) <= STAGE_TOLERANCE_UM:
            self.stage_um = before or stage_um
            return False
        self.stage_um = stage_um
        return True

    def changes(self, channel: int | None, exposure_ms: float | None) -> bool:
        """Whether the exposure of the channel is another than it was."""
        before = self.exposures_ms.get(channel)
        if exposure_ms is None or (before is not None and abs(exposure_ms - before) <= EXPOSURE_TOLERANCE * before):
            return False
        self.exposures_ms[channel] = exposure_ms
        return before is not None


class Where(NamedTuple):
    """`key` is the unbroken series that the frame is number `at` of: that of its place, or one stack of it.

    `begins`: everything of that series begins anew here. `unsure`: frames are missing, and nobody knows how many, so
    that the rhythm is lost. `changed`: the stage has moved, or the exposure is another.
    """

    place: Place
    key: tuple[Name, int | None]
    at: int
    begins: bool = False
    unsure: bool = False
    changed: bool = False


class Places:
    """The places of one camera. `locate` is called with every frame, once, in the order of the camera.

    The number of a frame is its index along the axis. Without one, frames of a place are counted, as are those whose
    `t` is only the camera's own counter: time points of several places may take turns, and then nobody knows how many
    frames of one of them were lost; along the other axes, the frames of a window follow one another directly.
    """

    def __init__(self, along: Along) -> None:
        self.along = along
        self._segment: tuple[Any, ...] = ()
        self._places: OrderedDict[Name, Place] = OrderedDict()
        self._expected = 0
        self._lost = 0
        self._recent: Place | None = None

    def begins_segment(self, frame: Frame) -> bool:
        """Whether the frame is the first of another segment than the one before, which is forgotten then."""
        segment = frame.id[:3]
        if segment == self._segment:
            return False
        self._segment = segment
        self._places = OrderedDict()
        self._expected = self._lost = 0
        self._recent = None
        return True

    def locate(self, frame: Frame) -> Where:
        """Where the frame belongs."""
        seq, index = frame.id.seq, frame.index
        missing = seq - self._expected
        self._expected = seq + 1
        self._lost += missing
        name = place_name(frame, self.along)
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = Place(name)
            if len(self._places) > PLACES:
                self._places.popitem(last=False)
        self._places.move_to_end(name)
        known = index.get(self.along)
        if known is not None and not (self.along == "t" and known == seq):
            where = self._indexed(place, known, index.get("t"), seq)
        elif self.along == "t":
            where = self._counted(place, seq)
        else:
            where = self._consecutive(place, seq, missing)
        place.last, place.lost, place.t, place.unsure = where.at, self._lost, where.key[1], where.unsure
        self._recent = place
        moved = place.moves(self._stage(frame))
        exposed = place.changes(index.get("c"), frame.exposure_ms)
        place.life += moved or exposed
        # Channels have exposures of their own, and a window of them the one that each has by then.
        return where._replace(changed=True) if moved or (exposed and self.along != "c") else where

    def _stage(self, frame: Frame) -> tuple[float, ...] | None:
        # A stack moves along the third axis, and channels may have a focus of their own.
        return frame.stage_um[:2] if frame.stage_um is not None and self.along in ("z", "c") else frame.stage_um

    def _indexed(self, place: Place, at: int, t: int | None, seq: int) -> Where:
        if self.along == "t":
            place.gap |= at != place.last + 1
            return Where(place, (place.name, None), at)
        if t == seq:  # the camera's own counter: a stack has as many of them as planes
            t = place.t if at > place.last >= 0 else t
            place.gap |= self._lost > place.lost
        elif t is not None and place.t is not None and t - place.t not in (0, 1):
            place.gap = True  # a whole stack is missing
        return Where(place, (place.name, t), at)

    def _counted(self, place: Place, seq: int) -> Where:
        alone = len(self._places) == 1
        if place.last < 0:
            return Where(place, (place.name, None), seq if alone else 0)
        missing = self._lost - place.lost
        place.gap |= missing > 0
        if missing and not alone:
            return Where(place, (place.name, None), 0, begins=True)  # counted anew, whatever changes later
        return Where(place, (place.name, None), place.last + 1 + missing)

    def _consecutive(self, place: Place, seq: int, missing: int) -> Where:
        key = (place.name, None)
        place.gap |= missing > 0
        if self._recent is None:
            return Where(place, key, seq)
        if self._recent is place:
            unsure = place.unsure or (missing > 0 and len(self._places) > 1)
            return Where(place, key, place.last + 1 + missing, unsure=unsure)
        return Where(place, key, 0, begins=True, unsure=missing > 0)


def place_name(frame: Frame, along: Along) -> Name:
    """Whose frame it is: its indices and labels on all axes but time and the one of the windows."""
    without = ("t", along)
    index = sorted((axis, number) for axis, number in frame.index.items() if axis not in without)
    labels = sorted((axis, label) for axis, label in frame.labels.items() if axis not in without)
    return (*index, *labels)


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=False))
