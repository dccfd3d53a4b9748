"""The run that is looked at: frames that are noise, and a network that does next to nothing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tests import models

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Runtime, Stage, block, new_run_id

DIFFERENT = 16
"""Frames that are made beforehand, and given in turns."""


class Camera:
    """Hands frames to a runtime, as fast as they are taken or at a pace."""

    def __init__(self, runtime: Runtime, spec: FrameSpec) -> None:
        self._runtime, self._spec = runtime, spec
        random = np.random.default_rng(1)
        self._pixels = [random.integers(100, 4000, spec.shape, np.uint16) for _ in range(DIFFERENT)]
        self._run, self._seq = new_run_id(), 0

    def give(self, frames: int, fps: float | None = None) -> float:
        """Hand so many over, and wait until all have their results; the seconds that it took."""
        began = time.perf_counter()
        for number in range(frames):
            if fps is not None:
                time.sleep(max(0.0, began + number / fps - time.perf_counter()))
            id = FrameId(self._run, self._spec.camera, 0, self._seq)
            self._runtime.submit(Frame(id, self._pixels[self._seq % DIFFERENT]))
            self._seq += 1
        self._runtime.drain(60.0)
        return time.perf_counter() - began


@contextmanager
def camera(size: int) -> Iterator[tuple[Runtime, Camera]]:
    """A runtime whose frames are all taken, and what gives them."""
    spec = FrameSpec((size, size), "uint16")
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline([Stage("plus", models.plus_one(Path(folder) / "plus"))])
        with Runtime(pipeline, admission=block(4), provider="cpu") as runtime:
            runtime.prepare(spec)
            made = Camera(runtime, spec)
            made.give(DIFFERENT)
            yield runtime, made
