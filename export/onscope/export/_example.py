"""A frame to export with, when the user has none: blurred points over a background, with photon noise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from onscope.runtime import ExportError

from ._original import Array

BACKGROUND = 100.0
BRIGHTEST = 2000.0
MAX_SIZE = 8192
MAX_VALUES = 1 << 26
"""Most values of an example: 8192x8192 pixels, or 16 planes of 2048x2048."""


def make_example(shape: tuple[int, ...], dtype: str, axes: str = "", seed: int = 0) -> Array:
    """A test frame of `shape`, blurred along y and x (the last two where no `axes` are given).

    Counts for integers, 0 to 1 for float32.
    The same seed gives the same frame. uint8 frames are scaled to 0 to 250.
    """
    from scipy.ndimage import gaussian_filter

    axes = axes or "yx".rjust(len(shape))
    random = np.random.default_rng(seed)
    points = np.zeros(shape)
    points[random.random(shape) < 0.005] = 1.0
    blurred: Array = gaussian_filter(points, sigma=[1.5 if letter in "yx" else 0.0 for letter in axes])
    counts: Array = random.poisson(BACKGROUND + BRIGHTEST * blurred / max(float(blurred.max()), 1e-9)).astype(
        np.float64
    )
    if dtype == "float32":
        scaled: Array = (counts / counts.max()).astype(np.float32)
        return scaled
    if dtype == "uint8":
        counts *= 250 / counts.max()
    whole: Array = counts.astype(dtype)
    return whole


def parse_shape(text: str) -> tuple[int, ...]:
    """ "1x1x256x256" as numbers; raises ExportError."""
    words = text.lower().split("x")
    if not all(word.isdecimal() and 0 < int(word) <= MAX_SIZE for word in words) or len(words) < 2:
        raise ExportError(f"found the example shape {text!r}, expected sizes from 1 to {MAX_SIZE}, such as 1x1x256x256")
    if (values := math.prod(map(int, words))) > MAX_VALUES:
        raise ExportError(
            f"found an example shape of {values} values, expected at most {MAX_VALUES}: give a smaller one"
        )
    return tuple(map(int, words))


def read_example(path: Path) -> Array:
    """The array of an .npy file; raises PackageError when it is none."""
    from onscope.runtime.package import load_npy

    return load_npy(path)
