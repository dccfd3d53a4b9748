"""What a rod-shaped bacterium holds at each of its pixels, and what its channel looks like."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import View
from ._channel import TOP_UM, BacteriaSettings

Array = npt.NDArray[Any]

INDEX_BACTERIUM, INDEX_WALL = 0.045, 0.07
"""Differences of the refractive index to medium (1.335): E. coli about 1.38 (P. Y. Liu et al., Lab Chip 16, 634
(2016)), and PDMS, of which the channels are made, 1.41."""

CYTOPLASM_PER_UM3, MEMBRANE_PER_UM2, NUCLEOID_PER_UM2 = 3000.0, 600.0, 4000.0
"""Molecules of dye: 5 micromolar of a soluble one, a membrane anchor's, a nucleoid label's at its densest; chosen."""


def pinch(along_um: Array, progress: float) -> Array:
    """How much narrower a rod is at a place along its axis: the septum closes in the last fifth of the cycle."""
    depth = min(max(progress - 0.8, 0.0) / 0.2, 1.0) * 0.75
    return np.asarray(1 - depth * np.exp(-((along_um / 0.3) ** 2)), dtype=np.float32)


def height_um(far_um: Array, along_um: Array, progress: float, width_um: float) -> Array:
    """Chord of light through the rod in um: 2 sqrt(r^2 - d^2) at the distance d from its axis."""
    radius = width_um / 2 * pinch(along_um, progress)
    return np.asarray(2 * np.sqrt(np.maximum(radius**2 - far_um**2, 0)))


def amount(dye: str, far_um: Array, along_um: Array, length_um: float, progress: float, width_um: float) -> Array:
    """Molecules per um2 of a dye, float32 of the shape of `far_um` (distance to the axis) and `along_um`."""
    if dye == "cytoplasm":
        return height_um(far_um, along_um, progress, width_um) * np.float32(CYTOPLASM_PER_UM3)
    radius = width_um / 2 * pinch(along_um, progress)
    edge = np.clip((radius - far_um) * np.float32(16 / width_um) + np.float32(0.5), 0, 1)
    if dye == "membrane":
        inside = np.sqrt(np.maximum(1 - (far_um / radius) ** 2, 0.05))
        septum = np.exp(-((along_um / 0.12) ** 2)) * max(progress - 0.8, 0.0) * 40
        return np.asarray(edge * (2 / inside + septum) * np.float32(MEMBRANE_PER_UM2))
    # One nucleoid, then two that part while the rod grows.
    apart = length_um / 4 * min(max((progress - 0.2) * 2, 0.0), 1.0)
    out = np.zeros_like(far_um)
    for place in (-apart, apart):
        out += np.exp(-(((along_um - place) / (length_um / 6)) ** 4) - (far_um / (0.3 * width_um)) ** 2)
    return np.asarray(np.minimum(out, 1) * edge * np.float32(NUCLEOID_PER_UM2))


def walls_nm(view: View, settings: BacteriaSettings) -> npt.NDArray[np.float32]:
    """Optical path of the device in nm: PDMS as high as the channels are wide, but in the channels and the trench."""
    y = view.centre_um[0] + (np.arange(view.shape[0]) - (view.shape[0] - 1) / 2) * view.pixel_um
    x = view.centre_um[1] + (np.arange(view.shape[1]) - (view.shape[1] - 1) / 2) * view.pixel_um
    nearest = np.clip(np.round(x / settings.spacing_um), 1, settings.channels) * settings.spacing_um
    beside = np.clip((np.abs(x - nearest) - settings.channel_um[1] / 2) / view.pixel_um + 0.5, 0, 1)
    above = np.clip((TOP_UM - y) / view.pixel_um + 0.5, 0, 1)
    trench = np.clip((y - TOP_UM - settings.channel_um[0]) / view.pixel_um + 0.5, 0, 1)
    solid = np.maximum(beside[None, :], above[:, None]) * (1 - trench[:, None])
    return np.asarray(solid * (1000 * INDEX_WALL * settings.channel_um[1]), dtype=np.float32)
