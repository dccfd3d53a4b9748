"""The hardware's side of one `frames()`: cameras started and stopped, images taken out, segment after segment."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Literal

from onscope.runtime import FrameSpec, SourceError, now_ns

from ._camera import Camera, check_at_rest, choose_again, refused
from ._changes import Changes
from ._core import CORE_ERRORS, Core
from ._pace import WAIT_S, Pace
from ._watch import Watch

LOOKS_PER_CHECK = 32
"""Empty looks between two questions whether the cameras still run: about every 10 ms."""
FULL_AT = 0.9
"""The filled part of Micro-Manager's buffer at which the cameras are stopped in order."""
WATCH_S = (0.002, 0.05)
"""Shortest and longest pause between two looks at how full the buffer is."""
ENDLESS = 2**31 - 1
"""Images of a sequence that has no end, for the commands that want a number (a C long, 32 bits on Windows)."""
OnFull = Literal["stop", "overwrite"]
Image = tuple[Any, int]
"""A tagged image and the monotonic ns of its pop."""


class CameraSequence:
    """Cameras that run together, from `start` to `end`; a change of the hardware `pause`s them in between.

    `take` is called from the thread that wants frames, `pause` from the one that changes something, `look` from the
    watch; `changes.lock` guards them. `specs` and `exposures_ms` are those of the images that `take` gives.
    """

    def __init__(
        self, core: Core, cameras: Sequence[Camera], changes: Changes, on_full: OnFull, is_open: Callable[[], bool]
    ) -> None:
        self.full = False  # the buffer was full to `FULL_AT`, and the cameras were stopped for it
        self.starts = 0  # of the cameras, so far
        self.given = 0  # the start of which images were given last
        self.asked = ENDLESS  # images of each camera at the last start
        self.specs: dict[str, FrameSpec] = {}
        self.exposures_ms: dict[str, float] = {}
        self._core, self._cameras, self._changes = core, cameras, changes
        self._on_full, self._is_open = on_full, is_open
        self.retired = False  # the cameras are someone else's: what was saved is still given
        self._saved: deque[Image] = deque()
        self._numbers: dict[str, int] = {}  # of each camera's last image that was taken out since the start
        self._paused = False
        self._pace = Pace()
        self._watch: Watch | None = None
        self._before: str | None = None  # the core's camera when nothing was started yet

    @property
    def running(self) -> bool:
        """Whether the cameras were started and not brought to rest since."""
        return self._changes.running is self and not self._paused

    @property
    def withheld(self) -> bool:
        """Whether images of the last start were taken out of the buffer and none of them was given yet."""
        return bool(self._numbers) and self.given != self.starts

    @property
    def labels(self) -> Collection[str]:
        return [camera.label for camera in self._cameras]

    def start(self, n: int | None) -> None:
        """Set the cameras up and start them; `n` images, or None: without an end.

        Raises SourceError when they are refused; none of them runs then.
        """
        core, begun = self._core, False
        with self._changes.lock:
            if self._changes.taken:
                self._paused = self.retired = True
                return
            try:
                if not self._is_open():
                    raise SourceError("found the scope closed, expected an open one: stay inside its `with` block")
                check_at_rest(core, self.labels, others=self._changes.running not in (None, self))
                if self._before is None:
                    self._before = core.get_camera_device()
                self.specs = {camera.label: camera.spec() for camera in self._cameras}
                self.exposures_ms = {camera.label: camera.expose() for camera in self._cameras}
                self._changes.running, begun = self, True
                self._paused, self.asked = False, n or ENDLESS
                self._numbers.clear()
                # Of several cameras the next image is any one's.
                self._pace = Pace(*self.exposures_ms.values()) if len(self._cameras) == 1 else Pace()
                self.starts += 1
                if len(self._cameras) > 1:
                    core.initialize_circular_buffer()  # which starting them one by one does not do
                    for camera in self._cameras:
                        core.start_sequence_acquisition(camera.label, self.asked, 0.0, self._on_full == "stop")
                elif n is None:
                    core.start_continuous_sequence_acquisition(0.0)
                else:
                    core.start_sequence_acquisition(int(n), 0.0, self._on_full == "stop")
                fits = n is not None and n * len(self._cameras) <= core.get_buffer_total_capacity()
            except BaseException as error:  # also an interrupt: nobody would stop a camera that runs by now
                if begun:
                    with suppress(SourceError):  # what ended it says more
                        self.stop()
                if isinstance(error, CORE_ERRORS):
                    raise self.refused(error) from error
                raise
            if self._on_full == "stop" and not fits and (self._watch is None or not self._watch.alive):
                self._watch = Watch(self.look)

    def take(self, left: int | None) -> Image | None:
        """The next image, waited for; None when the cameras have stopped and nothing is left.

        After a change of the hardware it starts the cameras again, for `left` images.
        """
        core, looks, pause_s = self._core, 0, 0.0
        while self._is_open():
            with self._changes.lock:
                if self._saved:
                    return self._saved.popleft()
                if self._paused:
                    if self.full or self.retired:
                        return None
                    self.start(left)
                try:
                    if core.get_remaining_image_count() > 0:
                        self._pace.came(looks)
                        return self._pop()[0]
                    looks += 1
                    # The second count is for images that came between the last look and the stop.
                    if (
                        (pause_s > WAIT_S or looks % LOOKS_PER_CHECK == 0)
                        and not self.runs()
                        and not core.get_remaining_image_count()
                    ):
                        return None
                except CORE_ERRORS as error:
                    raise self.refused(error) from error
            pause_s = self._pace.pause_s()
            time.sleep(pause_s)
        return None

    def pause(self) -> None:
        """Stop the cameras and save what is in the buffer: a change of the ROI would empty it."""
        if self._paused or not self._is_open():
            return
        self.stop()
        core = self._core
        try:
            while core.get_remaining_image_count() > 0:
                self._saved.append(self._pop()[0])
        except CORE_ERRORS as error:
            raise self.refused(error) from error
        self._paused = True

    def retire(self) -> None:
        """`pause`, for good: the cameras are someone else's from now on."""
        self.pause()
        self.retired = True

    def look(self) -> float | None:
        """Stop the cameras in order when the buffer is nearly full; called by the watch. Seconds to the next look."""
        core, lock = self._core, self._changes.lock
        if not lock.acquire(timeout=WATCH_S[1]):
            return WATCH_S[0]
        try:
            if self.full or self.retired or not self._is_open():
                return None
            if not self._paused and not any(core.is_sequence_running(label) for label in self.labels):
                return None  # what is started on these cameras from now on is not ours to stop
            total = core.get_buffer_total_capacity()
            room = FULL_AT * total - (total - core.get_buffer_free_capacity())
            if total and room <= 0 and not self._paused:
                image, rises = self._pop()
                self._saved.append(image)
                if not rises:
                    return None  # stopped and started by someone else between two looks: the same
                self.stop()
                self.full = True
                return None
            # A camera gives at most an image per exposure; four looks while the room lasts.
            lasts_s = room * sum(self.exposures_ms.values()) / 1e3 / len(self._cameras) ** 2
            return min(max(lasts_s / 4, WATCH_S[0]), WATCH_S[1])
        except (SourceError, *CORE_ERRORS):
            return WATCH_S[1]  # what lasts, the thread that takes frames meets too, and tells
        finally:
            lock.release()

    def _pop(self) -> tuple[Image, bool]:
        """The oldest image in the buffer, and whether its number is above that of the one before."""
        image, popped_ns = self._core.pop_next_tagged_image(), now_ns()
        label = str(image.tags.get("Camera", ""))
        last = self._numbers.get(label, -1)
        number = self._numbers[label] = int(image.tags.get("ImageNumber", last + 1))
        return (image, popped_ns), number > last

    def runs(self) -> bool:
        """Whether every camera is running."""
        if len(self._cameras) == 1:
            return bool(self._core.is_sequence_running())
        return all(self._core.is_sequence_running(camera.label) for camera in self._cameras)

    def changed(self) -> bool:
        """Whether cameras that have stopped are set otherwise than they were when they were started."""
        with suppress(SourceError, *CORE_ERRORS), self._changes.lock:
            return any(
                one.spec() != self.specs[one.label] or float(self._core.get_exposure()) != self.exposures_ms[one.label]
                for one in self._cameras
            )
        return False

    def stop(self) -> None:
        """The cameras at rest; a closed scope has seen to it. Raises SourceError when one refuses, after all others."""
        if self.retired or not self._is_open():
            return
        first: Exception | None = None
        with self._changes.lock:
            for camera in self._cameras:
                try:
                    self._core.stop_sequence_acquisition(*([camera.label] if len(self._cameras) > 1 else []))
                except (SourceError, *CORE_ERRORS) as error:
                    first = first or error
        if first is not None:
            raise first if isinstance(first, SourceError) else self.refused(first) from first

    def end(self) -> None:
        """Nobody takes frames any more, and the core's camera is the one from before; `stop` comes first."""
        if self._watch is not None:
            self._watch.end()
        with self._changes.lock:
            if self._changes.running is self:
                self._changes.running = None
            if self._is_open() and self._before:
                with suppress(SourceError, *CORE_ERRORS):  # the frames were given, and are good
                    if self._core.get_camera_device() in self.labels:  # nobody else has chosen another meanwhile
                        choose_again(self._core, self._before)

    def pixel_size_um(self) -> float | None:
        with suppress(SourceError, *CORE_ERRORS):
            return float(self._core.get_pixel_size_um())
        return None

    def refused(self, error: Exception) -> SourceError:
        return refused(" and ".join(self.labels), error)
