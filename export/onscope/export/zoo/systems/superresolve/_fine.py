"""Cells on pixels that are twice as large as those of their truth: what networks that enlarge frames learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._scenes import random_sensor
from .._structures import BACKGROUND_PHOTONS, KINDS, Frame, held_out

Array = npt.NDArray[Any]
SCALE = 2
PEAK_PHOTONS = (60.0, 3000.0)
"""Photons of a coarse pixel where structures are brightest, drawn on a logarithmic scale: moderate to good light."""
LOW, HIGH = 3.0, 99.8
"""Percentiles of a frame that become 0 and 1."""


def coarse(light: Array) -> Array:
    """(y, x) to (y / 2, x / 2): the mean over each 2x2 pixels, as larger pixels of a camera see it."""
    rows, columns = light.shape
    return np.asarray(light.reshape(rows // SCALE, SCALE, columns // SCALE, SCALE).mean(axis=(1, 3)))


def behind_coarse_pixels(
    light: Array, rng: np.random.Generator, peak: float | None = None, sharp: Array | None = None
) -> Frame:
    """Structures (2y, 2x) from 0 to 1 on a random camera of (y, x) pixels, at a random light level or `peak` photons.

    The truth (2y, 2x) is what a pixel of half the size would count if it were as bright all over the coarse pixel's
    area, without noise: the same scale of counts as the frame's. `sharp` is other light that the truth is to show.
    """
    level = np.exp(rng.uniform(*np.log(PEAK_PHOTONS))) if peak is None else peak
    dark = np.exp(rng.uniform(*np.log(BACKGROUND_PHOTONS)))
    camera = random_sensor(rng)
    counts = camera.expose(np.maximum(coarse(light * level + dark), 0), rng, exact=False)
    truth = camera.expected_counts((light if sharp is None else sharp) * level + dark)
    return Frame(counts, truth.astype(np.float32))


def held_out_frame(kind: int, number: int, peak: float) -> Frame:
    """A held-out field of one of `KINDS` behind a camera of its own; frame (128, 128), truth (256, 256)."""
    return behind_coarse_pixels(held_out(kind, number), np.random.default_rng((number, kind)), peak)


def kind_names() -> tuple[str, ...]:
    """Such as "dividing-cells nuclei"."""
    return tuple(" ".join(kind) for kind in KINDS)
