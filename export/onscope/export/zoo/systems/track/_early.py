"""Bacteria as a segmentation parts them: in two halves as soon as the septum shows, before they have divided."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LEAST_PX = 12
"""Length below which none has a septum."""
BEFORE, BOTH, NOW = 0.6, 0.2, 0.35
"""How often a bacterium that divides is parted in the frame before; and how often one that goes on is in both frames,
and (up to `NOW`) in this frame alone."""
BESIDE = 0.08
"""How often any other bacterium is parted."""


def early(own: Array, parts: list[Array], now: Array, rng: np.random.Generator) -> tuple[Array, list[Array], Array]:
    """A bacterium before, what it has become, and the labels now, at times parted where it will divide.

    `own` and `parts` are masks (y, x), `now` labels (y, x); what is between two halves belongs to none of them. In
    their channels, bacteria are longest along y. Of a bacterium that is two masks already, one half is asked for, and
    it becomes that half or daughter alone.
    """
    draw, side = rng.random(), int(rng.integers(2))
    before, after = halves(own, rng), halves(parts[0], rng) if len(parts) == 1 else None
    now = np.where((now > 0) & _beside(now, parts, rng), 0, now)
    if len(parts) == 2 and before and draw < BEFORE:
        own, parts = before[side], [parts[side]]
    elif after and draw < NOW:
        now = np.where(parts[0] & ~after[0] & ~after[1], 0, now)
        parts = [*after]
        if before and draw < BOTH:
            own, parts = before[side], [after[side]]
    return own, parts, now


def halves(mask: Array, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """Both halves of a mask along y, the upper one first, with a gap of a pixel or two; None of a short one."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) < LEAST_PX:
        return None
    middle = int(rows[0] + rows[-1] + 1) // 2 + int(rng.integers(-1, 2))
    upper, lower = mask.copy(), mask.copy()
    upper[middle:] = False
    lower[: middle + int(rng.integers(1, 3))] = False
    return upper, lower


def _beside(now: Array, parts: list[Array], rng: np.random.Generator) -> Array:
    """The gaps of other bacteria than these that are parted."""
    gaps = np.zeros(now.shape, bool)
    for name in np.unique(now[now > 0]).tolist():
        if rng.random() < BESIDE:
            mask = now == name
            two = None if any((mask & part).any() for part in parts) else halves(mask, rng)
            if two:
                gaps |= mask & ~two[0] & ~two[1]
    return gaps
