"""A camera's continuous sequence as a Source: images are taken out of the core's buffer as they come."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id, unpack

from ._camera import Camera, kept_camera
from ._changes import Changes
from ._core import CORE_ERRORS, Core
from ._receipt import ReceiptClock
from ._sequence import FULL_AT, CameraSequence, OnFull

MAX_RESTARTS = 3
"""Starts of a camera, one after the other, that brought no frame before something else changed its settings again."""


@dataclass(eq=False)
class LiveSource:
    """Frames of one camera, live; made by `Scope.live`, whose docstring tells what users need to know.

    `frames` is called by the runtime, from any one thread at a time; the core is thread-safe. Each call of it starts
    a sequence, which is a segment, and stops the camera when it ends, is closed or fails. `changes` are those that
    the scope makes meanwhile: each of them ends a segment. `tell` hears each frame's tags just before it is given.
    """

    core: Core
    cameras: Sequence[Camera]
    changes: Changes = field(default_factory=Changes)
    buffer_mb: int | None = None
    on_full: OnFull = "stop"
    where_um: Callable[[], tuple[float, float, float] | None] = lambda: None
    is_open: Callable[[], bool] = lambda: True
    run: str = field(default_factory=new_run_id)
    tell: Callable[[FrameId, Mapping[str, Any]], None] | None = None
    _segments: dict[str, int] = field(default_factory=dict)
    _settled: dict[str, int] = field(default_factory=dict)
    _sequence: CameraSequence | None = None

    def spec(self) -> FrameSpec:
        """What the (first) camera is set to give now."""
        return self._specs(self.cameras[:1])[0]

    def describe(self) -> dict[str, Any]:
        """What a recording should know of the cameras, as plain values."""
        told: dict[str, Any] = {"driver": "micromanager"}
        with suppress(AttributeError, *CORE_ERRORS):
            told["core"] = str(self.core.get_version_info())
        return told | {"devices": [camera.describe() for camera in self.cameras], "on_full": self.on_full}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames in all, and the cameras are stopped; or None: they run until the generator is closed.

        When frames are taken too slowly, Micro-Manager's buffer fills. At nine tenths of it the cameras are stopped
        in order, all that is in the buffer still comes, and then SourceError tells so (`on_full="overwrite"`: the
        oldest images are overwritten, a jump of `seq`).
        A change made through the scope opens a new segment: the frames taken before it still come, `id.segment`
        rises by one, `id.seq` begins at 0 again, and the frames are like the new `spec()`. So does a change made
        elsewhere that stops the camera, as long as the camera can be started again; images that were in the buffer
        are lost then, for the core drops them. Raises SourceError also when a camera stops by itself.
        """
        if n is not None and n < 1:
            return
        sequence = CameraSequence(self.core, self.cameras, self.changes, self.on_full, self.is_open)
        try:
            self._sequence = sequence
            self._settled.clear()
            self._set_buffer(sequence)
            sequence.start(n)
            try:
                yield from self._frames(sequence, n)
            except (SourceError, *CORE_ERRORS):
                with suppress(SourceError):  # what ended it says more
                    sequence.stop()
                raise
            except BaseException:
                sequence.stop()
                raise
            sequence.stop()
        finally:
            sequence.end()

    def _frames(self, sequence: CameraSequence, n: int | None) -> Generator[Frame, None, None]:
        taken, starts, unasked = 0, 0, 0
        counts: dict[str, _Count] = {}
        while n is None or taken < n:
            got = sequence.take(None if n is None else n - taken)
            if got is None:
                if sequence.retired:
                    return
                ended = [count.last >= sequence.asked - 1 for count in counts.values()]
                if len(ended) == len(self.cameras) and all(ended) and starts == sequence.starts:
                    return  # the camera gave all; some never reached us, which the jumps of seq tell
                unasked += 1
                if sequence.full or not self.is_open() or unasked > MAX_RESTARTS or not sequence.changed():
                    raise self._stopped(sequence, taken, n, unasked)
                with self.changes.lock:
                    sequence.pause()
                continue
            (image, popped_ns), unasked = got, 0
            if starts != sequence.starts:
                starts, counts = sequence.starts, {}
            label = str(image.tags.get("Camera", "")) if len(self.cameras) > 1 else self.cameras[0].label
            spec = sequence.specs.get(label)
            if spec is None:
                raise self._stopped(sequence, taken, n, unasked)
            pixels, axes = unpack(image.pix, image.tags.get("PixelType"), *spec.shape[:2])
            count = counts.get(label)
            last = -1 if count is None else count.last
            number = int(image.tags.get("ImageNumber", last + 1))
            # A number that goes back is of a sequence that someone else has started on this camera.
            if count is None or number <= last or pixels.shape != spec.shape or pixels.dtype != spec.dtype:
                if pixels.shape != spec.shape or pixels.dtype != spec.dtype:
                    # Changed by someone else, and the camera ran on: its settings now must fit this image at least.
                    spec = sequence.specs[label] = next(c for c in self.cameras if c.label == label).spec()
                    spec.check(pixels)
                with self.changes.lock:
                    settled, sequence.given = self._settled.pop(label, None), starts
                    segment = self.open_segment(label) if settled is None else settled
                count = counts[label] = _Count(segment, begins=0 if number <= last else last + 1)
            elapsed = image.tags.get("ElapsedTime-ms")
            count.last = number
            who = FrameId(self.run, label, count.segment, number - count.begins)
            if self.tell is not None:
                self.tell(who, image.tags)
            yield Frame(
                id=who,
                pixels=pixels,
                axes=axes,
                index=MappingProxyType({"t": number - count.begins}),
                received_ns=count.clock.received_ns(None if elapsed is None else float(elapsed), popped_ns),
                pixel_size_um=spec.pixel_size_um,
                exposure_ms=sequence.exposures_ms[label],
                stage_um=self.where_um(),
            )
            taken += 1

    def settle(self) -> None:
        """Images that were taken and not given yet have their segment before any that is opened from now on."""
        with self.changes.lock:
            if self._sequence is not None and self._sequence.withheld and not self._settled:
                self._settled = {camera.label: self.open_segment(camera.label) for camera in self.cameras}

    def open_segment(self, label: str) -> int:
        """The number of a camera's next segment, from now on the one under way."""
        self._segments[label] = self.segment(label) + 1
        return self._segments[label]

    def segment(self, label: str) -> int:
        """The number of a camera's segment under way, or of its last; -1: none yet."""
        return self._segments.get(label, -1)

    def _specs(self, cameras: Sequence[Camera]) -> Sequence[FrameSpec]:
        if not self.is_open():
            raise SourceError("found the scope closed, expected an open one: stay inside its `with` block")
        with self.changes.lock:
            running = self._sequence
            if running is not None and len(self.cameras) > 1 and running.running:
                return [running.specs[camera.label] for camera in cameras]  # the core answers for one camera alone
            with kept_camera(self.core):
                return [camera.spec() for camera in cameras]

    def _set_buffer(self, sequence: CameraSequence) -> None:
        try:
            if self.buffer_mb is not None and self.core.get_circular_buffer_memory_footprint() != self.buffer_mb:
                self.core.set_circular_buffer_memory_footprint(int(self.buffer_mb))
        except CORE_ERRORS as error:
            raise sequence.refused(error) from error

    def _stopped(self, sequence: CameraSequence, taken: int, n: int | None, unasked: int) -> SourceError:
        """Why a sequence ended before its time."""
        label = " and ".join(sequence.labels)
        told = f"found that {label} stopped after {taken} {'frame' if taken == 1 else 'frames'}"
        if n is not None:
            told += f" of {n}"
        if not self.is_open():
            return SourceError(f"{told} because its scope was closed, expected it to run on: close frames() first")
        with suppress(*CORE_ERRORS):
            size = f"Micro-Manager's buffer of {self.core.get_circular_buffer_memory_footprint()} MB"
            if sequence.full or self.core.is_buffer_overflowed():
                how = f"{FULL_AT:.0%} full and was stopped in order" if sequence.full else "full"
                return SourceError(
                    f"{told} because {size} was {how}, expected frames to be taken as fast as they come; all that it "
                    "held were given: take them faster, give live() a larger buffer_mb, or say on_full='overwrite' "
                    "where frames may be lost"
                )
        if unasked > MAX_RESTARTS:
            return SourceError(
                f"{told}: its settings were changed {unasked} times without a frame in between, expected them to "
                "stay: see what else controls this camera"
            )
        return SourceError(f"{told} by itself, expected it to run on: look after the camera, then call frames() again")


class ManyLiveSource(LiveSource):
    """Frames of several cameras at once, in the order of their receipt; made by `Scope.live_all`."""

    def specs(self) -> Sequence[FrameSpec]:
        """What each camera is set to give now."""
        return self._specs(self.cameras)


@dataclass
class _Count:
    """One camera's place in its segment: `begins` is the camera's number of the segment's first image."""

    segment: int
    begins: int = 0
    last: int = -1
    clock: ReceiptClock = field(default_factory=ReceiptClock)
