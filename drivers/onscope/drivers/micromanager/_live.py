"""A camera's continuous sequence as a Source: images are taken out of the core's buffer as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id, now_ns, unpack

from ._core import CORE_ERRORS, Core, one_line
from ._receipt import ReceiptClock

WAIT_S = 0.0003
"""Between two looks into an empty buffer: short against an exposure, long against a look (0.1 us)."""
LOOKS_PER_CHECK = 32
"""Empty looks between two questions whether the camera still runs: about every 10 ms."""
EXPOSURE_TOLERANCE = 0.1
"""Cameras round to their line time, which is welcome; out of range some ignore the value without a word."""
KINDS = {(1, 1): ("uint8", "yx"), (2, 1): ("uint16", "yx"), (4, 1): ("float32", "yx")}
KINDS |= {(4, 4): ("uint8", "yxs"), (8, 4): ("uint16", "yxs")}
"""dtype and axes by the core's (bytes per pixel, components)."""


@dataclass(eq=False)
class LiveSource:
    """Frames of one camera, live; made by `Scope.live`, whose docstring tells what users need to know.

    `frames` is called by the runtime, from any one thread at a time; the core is thread-safe. Each call of it starts
    a sequence, which is a segment, and stops the camera when it ends, is closed or fails.
    """

    core: Core
    camera: str
    exposure_ms: float
    buffer_mb: int | None = None
    pixel_size_um: float | None = None
    where_um: Callable[[], tuple[float, float, float] | None] = lambda: None
    is_open: Callable[[], bool] = lambda: True
    run: str = field(default_factory=new_run_id)
    _segments: int = 0

    def spec(self) -> FrameSpec:
        """What the camera is set to give now."""
        core = self.core
        try:
            self._choose_camera()
            kind = (int(core.get_bytes_per_pixel()), int(core.get_number_of_components()))
            if kind not in KINDS:
                raise SourceError(
                    f"found pixels of {kind[0]} bytes in {kind[1]} components from {self.camera}, expected 8 or 16 bit "
                    "grey, 32-bit float, RGB32 or RGB64: set the camera's PixelType"
                )
            dtype, axes = KINDS[kind]
            shape = (int(core.get_image_height()), int(core.get_image_width()))
            size = self.pixel_size_um or float(core.get_pixel_size_um())
            return FrameSpec(
                shape=shape if axes == "yx" else (*shape, 3),
                dtype=dtype,
                axes=axes,
                camera=self.camera,
                pixel_size_um=size if size > 0 else None,
                bit_depth=int(core.get_image_bit_depth()),
            )
        except CORE_ERRORS as error:
            raise self._refused(error) from error

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames and the camera stops by itself; or None, and it runs until the generator is closed.

        When frames are taken too slowly, Micro-Manager's buffer fills. An endless sequence then overwrites the oldest
        images: a jump of `seq`. A finite one ends: what is in the buffer still comes, then SourceError. Raises
        SourceError also when the camera stops by itself, as it does when its ROI or size is changed while live.
        """
        if n is not None and n < 1:
            return
        spec = self.spec()
        exposure_ms = self._start(n)
        segment, self._segments = self._segments, self._segments + 1
        clock = ReceiptClock()
        taken, last = 0, -1
        try:
            while n is None or taken < n:
                image = self._next_image()
                popped_ns = now_ns()
                if image is None:
                    if n is not None and last >= n - 1:
                        return  # the camera gave all n; some never reached us, which the jumps of seq tell
                    raise self._stopped(spec, taken, n)
                pixels, axes = unpack(image.pix, image.tags.get("PixelType"), *spec.shape[:2])
                if pixels.shape != spec.shape:
                    raise self._stopped(spec, taken, n)
                last = int(image.tags.get("ImageNumber", last + 1))
                elapsed = image.tags.get("ElapsedTime-ms")
                yield Frame(
                    id=FrameId(self.run, self.camera, segment, last),
                    pixels=pixels,
                    axes=axes,
                    index=MappingProxyType({"t": last}),
                    received_ns=clock.received_ns(None if elapsed is None else float(elapsed), popped_ns),
                    pixel_size_um=spec.pixel_size_um,
                    exposure_ms=exposure_ms,
                    stage_um=self.where_um(),
                )
                taken += 1
        except CORE_ERRORS as error:
            raise self._refused(error) from error
        finally:
            self._stop()

    def _choose_camera(self) -> None:
        if not self.is_open():
            raise SourceError("found the scope closed, expected an open one: stay inside its `with` block")
        if self.core.get_camera_device() != self.camera:
            self.core.set_camera_device(self.camera)

    def _start(self, n: int | None) -> float:
        """Start the camera; the exposure in milliseconds that it really took."""
        core = self.core
        try:
            if core.is_sequence_running():
                raise SourceError(
                    f"found {self.camera} already running a sequence, expected it at rest: close the other frames() "
                    "generator, or stop the live view, first"
                )
            if self.buffer_mb is not None and core.get_circular_buffer_memory_footprint() != self.buffer_mb:
                core.set_circular_buffer_memory_footprint(int(self.buffer_mb))
            core.set_exposure(float(self.exposure_ms))
            exposure_ms = float(core.get_exposure())
            if abs(exposure_ms - self.exposure_ms) > EXPOSURE_TOLERANCE * self.exposure_ms:
                raise SourceError(
                    f"found that {self.camera} exposes for {exposure_ms:g} ms, expected the {self.exposure_ms:g} ms "
                    "asked for: choose an exposure in the camera's range"
                )
            if n is None:
                core.start_continuous_sequence_acquisition(0.0)
            else:
                core.start_sequence_acquisition(int(n), 0.0, True)
            return exposure_ms
        except CORE_ERRORS as error:
            raise self._refused(error) from error

    def _stop(self) -> None:
        """The camera at rest; a closed scope has seen to it."""
        if self.is_open():
            try:
                self.core.stop_sequence_acquisition()
            except CORE_ERRORS as error:
                raise self._refused(error) from error

    def _next_image(self) -> Any:
        """The next image, waited for; None when the camera has stopped and the buffer is empty."""
        core, looks = self.core, 0
        while self.is_open():
            if core.get_remaining_image_count() > 0:
                return core.pop_next_tagged_image()
            looks += 1
            # The second count is for images that came between the last look and the stop.
            if looks % LOOKS_PER_CHECK == 0 and not core.is_sequence_running() and not core.get_remaining_image_count():
                return None
            time.sleep(WAIT_S)
        return None

    def _stopped(self, spec: FrameSpec, taken: int, n: int | None) -> SourceError:
        """Why a sequence ended before its time."""
        told = f"found that {self.camera} stopped after {taken} {'frame' if taken == 1 else 'frames'}"
        if n is not None:
            told += f" of {n}"
        if not self.is_open():
            return SourceError(f"{told} because its scope was closed, expected it to run on: close frames() first")
        with suppress(*CORE_ERRORS):
            if self.core.is_buffer_overflowed():
                return SourceError(
                    f"{told} because Micro-Manager's buffer of {self.core.get_circular_buffer_memory_footprint()} MB "
                    "was full, expected frames to be taken as fast as they come: take them faster, or give live() a "
                    "larger buffer_mb"
                )
            now = self.spec()
            if now != spec:
                return SourceError(
                    f"{told} because it now gives {'x'.join(map(str, now.shape))} {now.dtype}, expected "
                    f"{'x'.join(map(str, spec.shape))} {spec.dtype} until the end: call frames() again, which opens a "
                    "new segment, and prepare for the new spec()"
                )
        return SourceError(f"{told} by itself, expected it to run on: look after the camera, then call frames() again")

    def _refused(self, error: Exception) -> SourceError:
        return SourceError(
            f"found that Micro-Manager refused {self.camera} ({one_line(error)}), expected a camera ready to run: see "
            "what the message says"
        )
