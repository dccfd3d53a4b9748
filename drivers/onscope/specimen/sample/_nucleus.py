"""How large a nucleus is, how it lies, and where in its cell: pressed to one side, as far as there is room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _noise
from ._herd import Herd
from ._outline import DIRECTIONS
from ._settings import CellSettings

Array = npt.NDArray[Any]

MARGIN_UM = 0.3
"""Cytoplasm that stays between a nucleus and the cell's edge, in um."""

SMALLEST = 0.6
"""Share of its size to which a crowded cell's nucleus is squeezed at most."""

_ANGLE = np.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
_ASPECT, _TILT, _TOWARDS, _FAR = 5, 7, 8, 9


@dataclass(frozen=True, slots=True, eq=False)
class Nuclei:
    """Of N cells, all (N,): half axes in um, the angle of the long one, the middle relative to the cell's middle."""

    long_um: Array
    short_um: Array
    angle: Array
    y_um: Array
    x_um: Array


def nuclei(herd: Herd, outline_um: Array, settings: CellSettings) -> Nuclei:
    """Nuclei that grow with their cells, in outlines (N, DIRECTIONS).

    They lie about along the long axis, and in flat cells off the middle: crowded nuclei touch across their cells'
    edges, as in any dense culture. Round cells have theirs in the middle.
    """
    half = settings.nucleus_um / 2 * np.cbrt(herd.volume_um3 / settings.volume_um3)
    aspect = np.exp(0.09 + 0.17 * _noise.uniform(herd.key, _ASPECT))
    angle = herd.axis + 0.9 * (_noise.uniform(herd.key, _TILT) - 0.5)
    turned = _ANGLE[None, :] - angle[:, None]
    ellipse = 1 / np.hypot(np.cos(turned) / (half * aspect)[:, None], np.sin(turned) / (half / aspect)[:, None])
    squeeze = np.clip(((outline_um - MARGIN_UM) / ellipse).min(axis=1), SMALLEST, 1.0)
    towards = herd.axis + 2 * math.pi * _noise.uniform(herd.key, _TOWARDS)
    ahead = np.cos(_ANGLE[None, :] - towards[:, None])
    # A step of s towards an angle comes s cos(off) nearer to the edge at another one.
    room = np.where(ahead > 0.05, outline_um - MARGIN_UM - ellipse * squeeze[:, None], np.inf) / np.maximum(ahead, 0.05)
    far = np.clip(room.min(axis=1), 0, 0.5 * half) * 0.85 * _noise.uniform(herd.key, _FAR) * herd.spread
    return Nuclei(half * aspect * squeeze, half / aspect * squeeze, angle, far * np.sin(towards), far * np.cos(towards))
