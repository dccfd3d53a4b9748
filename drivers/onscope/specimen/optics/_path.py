"""What is on the way to the camera and stays there: vignetting and dust."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._kept import kept

Array = npt.NDArray[Any]

FIELD_NUMBER_MM = 22.0
"""Diameter in mm of the intermediate image that common microscopes illuminate fully (eyepiece field number 22)."""


@dataclass(frozen=True, slots=True)
class LightPath:
    """How much of the light reaches each place of the camera.

    `vignetting` is the share lost 11 mm from the axis in the plane of the camera (half of `FIELD_NUMBER_MM`), rising
    with the fourth power of the distance, as lens rims cut; `specks` pieces of dust lie on a chip of
    `FIELD_NUMBER_MM`, on the camera's window, out of focus, each taking 1 to 8 % of the light; `seed` is which camera
    it is. All of it is chosen: a well kept, not a new camera.
    """

    vignetting: float = 0.12
    specks: int = 25
    seed: int = 0

    def transmission(self, shape: tuple[int, int], camera_um: float, at_um: tuple[float, float] = (0.0, 0.0)) -> Array:
        """Share of the light that arrives, float32 (rows, columns), read-only.

        `camera_um` is the pixels' side, `at_um` (y, x) the image's middle relative to the camera's, both on the chip.
        """
        at_um = (round(at_um[0], 3), round(at_um[1], 3))
        return kept((self, shape, camera_um, at_um), lambda: _transmission(self, shape, camera_um, at_um))


def _transmission(path: LightPath, shape: tuple[int, int], camera_um: float, at_um: tuple[float, float]) -> Array:
    y, x = (((np.arange(n) - (n - 1) / 2) * camera_um + at) for n, at in zip(shape, at_um, strict=True))
    rim = 500 * FIELD_NUMBER_MM
    distance = ((y / rim) ** 2)[:, None] + (x / rim) ** 2
    light = (1 - path.vignetting * np.minimum(distance, 1.5) ** 2).astype(np.float32)
    rng = np.random.default_rng((path.seed, 0xD057))
    for _ in range(path.specks):
        middle_y, middle_x = rng.uniform(-rim, rim, 2) / math.sqrt(2)
        radius = rng.uniform(40, 160)
        soft, depth = rng.uniform(0.12, 0.5), rng.uniform(0.01, 0.08)
        oblong, turn = rng.uniform(0.5, 1), rng.uniform(0, math.pi)
        reach = 1.8 * radius
        rows = slice(*np.searchsorted(y, (middle_y - reach, middle_y + reach)))
        columns = slice(*np.searchsorted(x, (middle_x - reach, middle_x + reach)))
        dy, dx = (y[rows] - middle_y)[:, None], x[columns] - middle_x
        along, across = dx * math.cos(turn) + dy * math.sin(turn), dy * math.cos(turn) - dx * math.sin(turn)
        edge = (np.hypot(along, across / oblong) / radius - 1) / soft
        # the shadow of a speck at some distance is a soft disc with a faint bright rim
        shadow = 0.5 * (1 - np.tanh(2 * edge)) - 0.25 * np.exp(-((edge - 1) ** 2) * 2)
        light[rows, columns] *= 1 - depth * shadow
    return light
