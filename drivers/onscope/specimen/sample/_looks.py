"""What each structure of a cell holds at each of its pixels: molecules per um2, or height.

Amounts are of the order of what labelled cells carry; a culture's `expression_spread` varies them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._bodies import Bodies, Pixels
from ._height import profile

Array = npt.NDArray[Any]

NUCLEUS_MOLECULES = 1.5e6
"""Labelled histones in a newborn nucleus: 2 to 3 % of the 6e7 copies of one core histone (two in each nucleosome,
one nucleosome per 200 of 6.4e9 base pairs). The share that is labelled is chosen."""

CYTOPLASM_PER_UM3 = 600.0
"""1 micromolar of a soluble fluorescent protein: 602 molecules per um3 (Avogadro)."""

MEMBRANE_PER_UM2 = 250.0
"""Of a membrane anchor, in each of the upper and the lower sheet; proteins of one kind: 10 to 1,000 per um2."""

MITOCHONDRIA_PER_UM2 = 1400.0
"""Seen from above in the network's mean: 16 micromolar in tubules of 0.45 um that cover a third of a cell's middle."""

FILAMENTS_PER_UM2 = 500.0
"""Seen from above in the mean of a flat cell's actin: a label on about 1 % of 100 micromolar actin, 1 um high."""

NUCLEAR_EXCLUSION = 0.9
"""Share of the soluble dye that a nucleus keeps out, by volume: for a reporter of medium size."""

_BALL_MEAN = 2 / 3
_GRAIN_UM = 2.5


def height(pixels: Pixels, bodies: Bodies) -> Array:
    """Height of the cell in um: flat (see `profile`), or a ball, or between; its integral is the cell's volume.

    A ball is sqrt(1 - share^2) high, the mean of which over any star-shaped outline is 2/3.
    """
    out = profile(pixels.domed(), pixels.depth, pixels.touching())
    out *= pixels.each(bodies.spread * bodies.height_um / bodies.flat_mean)
    if (bodies.spread < 1).any():
        ball = pixels.each((1 - bodies.spread) * bodies.height_um / _BALL_MEAN)
        out += ball * np.sqrt(np.clip(1 - pixels.share**2, 0, 1))
    out *= pixels.cover
    return np.asarray(out)


def filled(pixels: Pixels, bodies: Bodies, seed: int) -> Array:
    """Height of what is solid in um: the cell's, cloudy, less its vesicles, which are a um high and not a column."""
    out = height(pixels, bodies)
    out += (pixels.tile(bodies, "grain", seed, sway_um=0.5) - 1) * np.minimum(out, np.float32(_GRAIN_UM))
    return out


def cytoplasm(pixels: Pixels, bodies: Bodies, seed: int) -> Array:
    """Soluble dye wherever the cell is filled. Nuclei are taken out of it elsewhere."""
    out = filled(pixels, bodies, seed)
    out *= np.float32(CYTOPLASM_PER_UM3)
    return out


def membrane(pixels: Pixels, bodies: Bodies, seed: int) -> Array:
    """Two sheets, seen from above, and the wall at the edge, which light passes lengthwise."""
    depth = pixels.depth
    wall = np.exp(-(((depth - np.float32(0.15)) * np.float32(1 / 0.28)) ** 2))
    w = np.maximum(1 - pixels.share**2, np.float32(0.04))
    ball = 1 / np.sqrt(w)  # how much longer light's way through a ball's shell is than through a sheet
    spread = pixels.each(bodies.spread)
    out = spread * (pixels.tile(bodies, "grain", seed) ** 2 * 2 + 7 * wall) + (1 - spread) * 2.2 * ball
    out *= pixels.cover
    out *= np.float32(MEMBRANE_PER_UM2)
    return np.asarray(out)


def mitochondria(pixels: Pixels, bodies: Bodies, seed: int) -> Array:
    """A network around the nucleus that thins out towards the edge; in round cells it fills the ball."""
    at = bodies.nucleus
    off_y, off_x = pixels.dy - pixels.each(at.y_um), pixels.dx - pixels.each(at.x_um)
    off = np.sqrt(off_y * off_y + off_x * off_x) - pixels.each(0.9 * np.sqrt(at.long_um * at.short_um))
    around = np.clip(off * np.float32(0.8), 0.06, 1)
    outer = np.clip((np.float32(0.97) - pixels.share) * np.float32(3.2), 0, 1)
    out = pixels.tile(bodies, "mitochondria", seed, sway_um=0.6)
    out *= around
    out *= outer
    out *= np.float32(MITOCHONDRIA_PER_UM2)
    return out


def filaments(pixels: Pixels, bodies: Bodies, seed: int) -> Array:
    """Stress fibres along the long axis of flat cells, and the cortex under the membrane of all."""
    depth = pixels.depth
    spread = pixels.each(bodies.spread)
    cortex = np.exp(-(((depth - np.float32(0.35)) * np.float32(1 / 0.4)) ** 2))
    out = spread * pixels.tile(bodies, "filaments", seed, sway_um=0.15) * np.clip(depth * np.float32(0.7), 0, 1)
    out += cortex * (np.float32(3.0) - 1.2 * spread)
    out += np.float32(0.25)
    out *= pixels.cover
    out *= np.float32(FILAMENTS_PER_UM2)
    return np.asarray(out)


PAINTERS = {"cytoplasm": cytoplasm, "membrane": membrane, "mitochondria": mitochondria, "filaments": filaments}
