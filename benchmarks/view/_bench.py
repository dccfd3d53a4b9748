"""The run that is looked at: networks as in the other benchmarks, and frames of sensor-like noise."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Runtime, block, new_run_id
from onscope.runtime._frame import Pixels

from .._material import chosen_pipeline, images, wait_until

DIFFERENT = 16
"""Frames that are made beforehand, and given in turns."""
PATIENCE_S = 60.0


class Camera:
    """Hands frames to a runtime, as fast as they are taken or at a pace."""

    def __init__(self, runtime: Runtime, spec: FrameSpec, pixels: list[Pixels]) -> None:
        self._runtime, self._spec, self._pixels = runtime, spec, pixels
        self._run, self._seq = new_run_id(), 0

    def _give(self) -> None:
        id = FrameId(self._run, self._spec.camera, 0, self._seq)
        self._runtime.submit(Frame(id, self._pixels[self._seq % DIFFERENT]))
        self._seq += 1

    def per_second(self, seconds: float) -> float:
        """Hand frames over as fast as they are taken for so long; frames that had their results per second."""
        began, first = time.perf_counter(), self._seq
        while time.perf_counter() < began + seconds:
            self._give()
        self._runtime.drain(PATIENCE_S)
        return (self._seq - first) / (time.perf_counter() - began)

    def at_pace(self, frames: int, fps: float) -> None:
        """Hand so many over, so many per second."""
        due = time.perf_counter_ns()
        for _ in range(frames):
            wait_until(due)
            self._give()
            due += int(1e9 / fps)
        self._runtime.drain(PATIENCE_S)


@contextmanager
def camera(size: int, threads: int | None = None) -> Iterator[tuple[Runtime, Camera, Pipeline, str]]:
    """A runtime whose frames are all taken, what gives them, and its pipeline with what to call it."""
    spec = FrameSpec((size, size), "uint16")
    with tempfile.TemporaryDirectory() as folder:
        pipeline, named = chosen_pipeline(Path(folder))
        with Runtime(pipeline, admission=block(2), provider="cpu", threads=threads) as runtime:
            runtime.prepare(spec)
            made = Camera(runtime, spec, images(size, DIFFERENT))
            made.at_pace(DIFFERENT, 1000.0)
            yield runtime, made, pipeline, named
