"""Structured light on a camera: raw images with noise, beside their truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.optics import Stripes

from ..._scenes import random_sensor
from ...recipes import Part
from ._striped import held_out

Array = npt.NDArray[Any]
PEAK_PHOTONS = (8.0, 500.0)
"""Photons per raw image of the brightest pixels (the 99.8th percentile of the mean of nine), on a logarithmic scale."""
BACKGROUND_PHOTONS = (0.3, 10.0)


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """Counts uint16 (9, y, x) of one camera, and the `truth` float32 (2y, 2x): noise-free, on the same scale."""

    counts: npt.NDArray[np.uint16]
    truth: npt.NDArray[np.float32]
    stripes: tuple[Stripes, ...]
    offset: float
    """Counts where there is no light."""


def held_out_shots(number: int, peak: float, part: Part = Part.HELD_OUT) -> Shots:
    """The same behind a camera of its own."""
    light = held_out(number, part)
    rng = np.random.default_rng((number, round(peak)))
    return exposed(light.raw, light.fine, rng, peak, light.stripes)


def exposed(
    raw: Array, fine: Array, rng: np.random.Generator, peak: float | None = None, stripes: tuple[Stripes, ...] = ()
) -> Shots:
    """Light, 0 to about 1, at a random level (or `peak` photons) over a random background before a random sensor."""
    level = np.exp(rng.uniform(*np.log(PEAK_PHOTONS))) if peak is None else peak
    dark = np.exp(rng.uniform(*np.log(BACKGROUND_PHOTONS)))
    camera = random_sensor(rng)
    counts = np.stack([camera.expose(image * np.float32(level) + np.float32(dark), rng) for image in raw])
    truth = camera.expected_counts(fine * np.float32(level) + np.float32(dark))
    return Shots(counts, truth.astype(np.float32), stripes, camera.offset_counts)
