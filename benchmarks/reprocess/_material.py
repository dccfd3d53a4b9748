"""Recordings of raw frames, written quickly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onscope.runtime import Frame, FrameId
from onscope.runtime.record import Recording


def recorded(folder: Path, frames: int, size: int, *, plain: bool) -> Path:
    """Frames of noise and spots; `plain`: nearly all pixels alike, so that they take little room on the disk."""
    random = np.random.default_rng(0)
    base = random.poisson(100, (size, size)).astype(np.uint16)
    if plain:
        base[:] = 100
    with Recording(folder) as recording:
        for n in range(frames):
            pixels = base.copy()
            y, x = random.integers(0, size - 8, 2)
            pixels[y : y + 8, x : x + 8] += np.uint16(400 + n % 100)
            recording.save(Frame(FrameId("made", "camera", 0, n), pixels, "yx", {"t": n}))
    return folder
