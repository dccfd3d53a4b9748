"""Raw frames recorded without a runtime: slots of their own, one copy into them, then the recorder process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .._errors import RecordError
from .._frame import Frame, FrameSpec, Source, spec_of, specs_of
from .._ring import Ring
from .._sink import RawSink

LOOKS = 2
"""Looks of a camera's frames that have slots at once: those used last. Frames that alternate need no new slots."""


class _Lane:
    def __init__(self, number: int, spec: FrameSpec, ring: Ring) -> None:
        self.number = number
        self.spec = spec
        self.ring = ring
        self.retired = False

    def fits(self, frame: Frame) -> bool:
        spec, pixels = self.spec, frame.pixels
        return (spec.shape, spec.dtype, spec.pixel_size_um) == (pixels.shape, pixels.dtype.name, frame.pixel_size_um)

    @property
    def empty(self) -> bool:
        return self.ring.free == self.ring.memory.slots


class OwnSlots:
    """Feeds a sink. Safe to use from several threads; frames of one thread keep their order.

    `save` waits while all slots are taken: a disk that is slower than the camera makes it wait, it never drops.
    """

    def __init__(self, sink: RawSink) -> None:
        self._sink = sink
        self._changed = threading.Condition()
        self._by_camera: dict[str, list[_Lane]] = {}
        self._lanes: dict[int, _Lane] = {}
        self._opened = 0
        self._closed = False
        sink.bind(self._saved, self._failed)

    def prepare(self, spec: FrameSpec) -> None:
        """Make slots for such frames ahead of the first one."""
        with self._changed:
            self._lane(spec)

    def save(self, frame: Frame) -> None:
        """Copy a frame into a slot and announce it; raises RecordError when it cannot be saved."""
        with self._changed:
            self._check(frame)
            while not (lane := self._lane_of(frame)).ring.free:
                self._changed.wait()
                self._check(frame)  # another thread may have had the lane retired meanwhile, too
            ring = lane.ring
            slot = ring.take()
            try:
                np.copyto(ring.views[slot], frame.pixels)
                if not self._sink.save(lane.number, slot, frame):  # it failed since it was looked at
                    self._check(frame)
            except BaseException:  # Ctrl-C in a notebook, say, or an odd frame: the slot may not be lost
                ring.give(slot)
                raise

    def drain(self) -> None:
        """Wait until every frame that was given is on the disk; raises RecordError when one could not be saved."""
        with self._changed:
            self._changed.wait_for(lambda: self._sink.failure or all(lane.empty for lane in self._lanes.values()))
            if self._sink.failure is not None:
                raise self._sink.failure

    def end(self) -> None:
        """Take no more frames."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self) -> None:
        """Forget the slots; call it when the sink is closed."""
        with self._changed:
            for lane in self._lanes.values():
                lane.ring.close()
            self._lanes.clear()
            self._by_camera.clear()

    def _check(self, frame: Frame) -> None:
        if self._closed:
            raise RecordError(
                f"frame {frame.id} came after the recording was finished, expected none: finish a recording after "
                "its last frame"
            )
        if self._sink.failure is not None:
            raise self._sink.failure

    def _lane(self, spec: FrameSpec) -> _Lane:
        lanes = self._by_camera.setdefault(spec.camera, [])
        for lane in lanes:
            if lane.spec == spec:
                return self._used(lanes, lane)
        if len(lanes) == LOOKS:
            old = lanes.pop(0)
            old.retired = True
            self._let_go(old)
        ring = Ring(spec, self._sink.depth(spec), 0)
        lane = _Lane(self._opened, spec, ring)
        self._opened += 1
        self._sink.open(lane.number, spec, ring.memory)
        self._lanes[lane.number] = lane
        lanes.append(lane)
        return lane

    def _lane_of(self, frame: Frame) -> _Lane:
        lanes = self._by_camera.get(frame.id.camera, [])
        for lane in lanes:
            if lane.fits(frame):
                return self._used(lanes, lane)
        return self._lane(spec_of(frame))

    @staticmethod
    def _used(lanes: list[_Lane], lane: _Lane) -> _Lane:
        if lanes[-1] is not lane:
            lanes.remove(lane)
            lanes.append(lane)
        return lane

    def _let_go(self, lane: _Lane) -> None:
        if lane.retired and lane.empty:
            del self._lanes[lane.number]
            self._sink.close_lane(lane.number)
            lane.ring.close()

    def _saved(self, number: int, slot: int) -> None:
        with self._changed:
            lane = self._lanes.get(number)
            if lane is not None:
                lane.ring.give(slot)
                self._let_go(lane)
                self._changed.notify_all()

    def _failed(self) -> None:
        with self._changed:
            self._changed.notify_all()


class RecordedSource:
    """A source whose frames are saved before they are passed on."""

    def __init__(
        self, source: Source, slots: OwnSlots, require_room: Callable[[Sequence[FrameSpec], int], None]
    ) -> None:
        self._source = source
        self._slots = slots
        self._require_room = require_room

    def spec(self) -> FrameSpec:
        """What the next frames will look like."""
        return self._source.spec()

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        """Yield the source's frames; raises RecordError when the disk is full, or has no room for `n` frames."""
        specs = specs_of(self._source)
        if n is not None:
            self._require_room(specs, n)
        for spec in specs:
            self._slots.prepare(spec)
        frames = self._source.frames(n)
        try:
            for frame in frames:
                self._slots.save(frame)
                yield frame
            self._slots.drain()
        finally:
            close = getattr(frames, "close", None)
            if close is not None:
                close()
