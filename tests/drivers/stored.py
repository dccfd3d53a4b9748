"""Stored images for the tests of replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from onscope.runtime import Frame, FrameId
from onscope.runtime.record import Recording

SHAPE = (5, 7)


def numbered(n: int, dtype: str = "uint16", shape: tuple[int, ...] = SHAPE) -> np.ndarray[Any, Any]:
    """n images that differ, the k-th one beginning with k."""
    each = np.arange(np.prod(shape)).reshape(shape)
    return np.stack([each + k for k in range(n)]).astype(dtype)


STEP_NS = 40_000_000


def record(folder: Path, places: list[tuple[int, int]]) -> list[Frame]:
    """A recording of frames with these (segment, seq), 40 ms apart."""
    frames = [
        Frame(
            FrameId("run", "cam", segment, seq),
            pixels,
            index={"t": number},
            received_ns=10**9 + number * STEP_NS,
            pixel_size_um=0.1,
            exposure_ms=5.0,
            stage_um=(1.0, float(number), 0.0),
        )
        for number, ((segment, seq), pixels) in enumerate(zip(places, numbered(len(places)), strict=True))
    ]
    with Recording(folder) as recording:
        for frame in frames:
            recording.save(frame)
    return frames
