"""Does a network give back its input, cleaner or larger? And the input in the size of the output."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .._original import Array

SLOPES = (0.5, 2.0)
"""Of the input against the output, pixel by pixel: 1 for noise that was taken off, anything for a map of something
else."""


def restores(given: Sequence[Array], answers: Sequence[Array], axes: Sequence[str]) -> bool:
    """Whether outputs are images on the scale of what went in: same axes, whole multiples of its size, a slope near 1.

    The slope is that of input regressed on output over all frames: noise in the input does not flatten it.
    """
    if not {"y", "x"} <= set(axes):
        return False
    ins, outs = [], []
    for before, after in zip(given, answers, strict=True):
        if not _is_multiple(before.shape, after.shape, axes):
            return False
        ins.append(as_large(before, after.shape, axes).ravel())
        outs.append(after.astype(np.float64).ravel())
    before, after = np.concatenate(ins), np.concatenate(outs)
    spread = float(after.std())
    if spread == 0 or not np.isfinite(spread):
        return False
    slope = float(np.mean((before - before.mean()) * (after - after.mean()))) / spread**2
    near = abs(float(before.mean() - after.mean())) <= max(spread, float(before.std()))
    return SLOPES[0] <= slope <= SLOPES[1] and near


def as_large(image: Array, shape: Sequence[int], axes: Sequence[str]) -> Array:
    """An input in float64, enlarged to an output's shape by bicubic interpolation where that is larger."""
    image = image.astype(np.float64)
    if image.shape == tuple(shape):
        return image
    y, x = list(axes).index("y"), list(axes).index("x")
    planes = np.moveaxis(image, (y, x), (-2, -1))
    size = (shape[x], shape[y])
    flat = [cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC) for plane in planes.reshape(-1, *planes.shape[-2:])]
    return np.moveaxis(np.reshape(flat, (*planes.shape[:-2], shape[y], shape[x])), (-2, -1), (y, x))


def _is_multiple(before: Sequence[int], after: Sequence[int], axes: Sequence[str]) -> bool:
    if len(before) != len(after) or len(after) != len(axes):
        return False
    factors = {name: small and large / small for small, large, name in zip(before, after, axes, strict=True)}
    return factors["y"] == factors["x"] and all(
        factor in ((1, 2, 3, 4, 8) if name in ("y", "x") else (1,)) for name, factor in factors.items()
    )
