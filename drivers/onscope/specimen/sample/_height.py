"""How high a flat cell is, over its peak: a dome over the nucleus, a thin lamella at its free edges.

Where cells touch there is no lamella: junctions are as high as the sheet there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FREE_RIM, INNER_RIM, JOINED_RIM = 0.1, 0.3, 0.26
"""Heights over the peak's: of a free edge, behind its lamella, and of an edge where cells touch; chosen. At a peak of
6 um a free edge is 0.6 um high (lamellipodia: 0.1 to 0.2 um; M. Abercrombie et al., Exp. Cell Res. 67, 359 (1971))."""

LAMELLA_UM = 4.0
"""How wide the lamella is: some um, in cells that crawl slowly; chosen."""

_RINGS = 16


def profile(domed: Array, depth_um: Array, touching: Array) -> Array:
    """Height over the peak's, float32: `domed` the distance from the middle over the dome's reach, `depth_um` the
    distance to the outline, `touching` 0 at free edges to 1 where a neighbour is."""
    rim = np.clip(1 - depth_um * np.float32(1 / LAMELLA_UM), 0, 1)
    rim *= np.float32(FREE_RIM - INNER_RIM) + np.float32(JOINED_RIM - FREE_RIM) * touching
    rim += np.float32(INNER_RIM)
    w = np.clip(1 - domed * domed, 0, 1)
    w *= w
    w *= np.float32(1 - INNER_RIM)
    rim += w
    return np.asarray(rim)


def mean_profile(outline_um: Array, dome_um: Array, touching: Array) -> Array:
    """Mean of `profile` over cells with outlines, domes and touching edges (N, directions): (N,)."""
    share = np.sqrt((np.arange(_RINGS) + 0.5) / _RINGS)[:, None, None]  # every ring has the same area
    height = profile(share * (outline_um / dome_um), (1 - share) * (outline_um * slant(outline_um)), touching[None])
    weight = outline_um**2
    return np.asarray((height.mean(axis=0) * weight).sum(axis=1) / weight.sum(axis=1))


def slant(outline_um: Array) -> Array:
    """The cosine between the normal of outlines (N, directions) and each direction: distance to the edge over that
    along the direction."""
    directions = outline_um.shape[1]
    slope = (np.roll(outline_um, -1, axis=1) - np.roll(outline_um, 1, axis=1)) * (directions / (4 * math.pi))
    return np.asarray(outline_um / np.hypot(outline_um, slope))
