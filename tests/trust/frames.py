"""Frames with known truth for the tests of trust values: a smooth scene, photon noise, a sensor without flaws."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime.trust import Patches

Image = npt.NDArray[Any]
GAIN, OFFSET, READ = 2.0, 100.0, 3.0
"""Counts per electron, counts, counts."""


def scene(seed: int, shape: tuple[int, int] = (384, 384), brightest: float = 400.0) -> Image:
    """Electrons of blurred points over a background of 10, float32."""
    rng = np.random.default_rng(seed)
    points = np.zeros(shape, np.float32)
    for y, x in zip(rng.integers(0, shape[0], 150), rng.integers(0, shape[1], 150), strict=True):
        points[y, x] += rng.uniform(0.3, 1.0)
    blurred = np.asarray(cv2.GaussianBlur(points, (0, 0), 2.0), np.float32)
    return np.asarray(10 + brightest * blurred / blurred.max())


def expected(electrons: Image) -> Image:
    """What a camera without noise counts, float32."""
    return np.asarray(electrons * GAIN + OFFSET, np.float32)


def exposed(electrons: Image, seed: int) -> Image:
    """A frame of it with photon and read noise, uint16."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(electrons) * GAIN + OFFSET + rng.normal(0, READ, electrons.shape)
    return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)


def looked_at(image: Image) -> Any:
    """The patches of an image on its own grid."""
    return Patches((image.shape[0], image.shape[1])).of(image)
