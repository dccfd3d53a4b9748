"""What is recorded: noise that nothing can compress, images as a camera makes them, and real ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import tifffile

from onscope.runtime._frame import Pixels

DIFFERENT = 8
"""So many different images are used in turn."""
APART = 128 << 20
OFFSET, READ_NOISE, GAIN = 100, 1.6, 0.46
"""Counts in the dark, read noise in electrons, and electrons per count, as of a common sCMOS camera."""


def noise(size: int) -> list[Pixels]:
    """All 65,536 values alike."""
    random = np.random.default_rng(0)
    return [random.integers(0, 1 << 16, (size, size), np.uint16) for _ in range(DIFFERENT)]


def camera_like(size: int) -> list[Pixels]:
    """Blurred spots on a faint background, up to some 2,000 electrons, with shot noise and read noise."""
    random = np.random.default_rng(1)
    light = np.full((size, size), 8.0)
    y, x = np.mgrid[-24:25, -24:25]
    for _ in range(max(1, size * size // 6000)):
        width, bright = random.uniform(2, 9), random.exponential(150.0)
        at = random.integers(24, max(25, size - 24), 2)
        rows, columns = slice(max(0, at[0] - 24), at[0] + 25), slice(max(0, at[1] - 24), at[1] + 25)
        spot = bright * np.exp(-(x**2 + y**2) / (2 * width**2))
        place = light[rows, columns]
        place += spot[: place.shape[0], : place.shape[1]]
    return [_exposed(light, random) for _ in range(DIFFERENT)]


def _exposed(light: Pixels, random: np.random.Generator) -> Pixels:
    electrons = random.poisson(light) + random.normal(0, READ_NOISE, light.shape)
    return np.clip(np.rint(electrons / GAIN + OFFSET), 0, 65535).astype(np.uint16)


def real(size: int) -> list[Pixels]:
    """Images of microscopes from the folder ONSCOPE_SHARED_DATA, cut to this size; none: no such folder, or too small.

    Two of each folder at most, and only those of uint16: 8-bit images are another question.
    """
    folder = Path(os.environ.get("ONSCOPE_SHARED_DATA", ""))
    if not os.environ.get("ONSCOPE_SHARED_DATA") or not folder.is_dir():
        return []
    found: list[Pixels] = []
    for source in sorted(path for path in folder.rglob("*") if path.is_dir()):
        planes = (_plane(path, size) for path in sorted(source.glob("*.tif")) if not _is_drawn(path.stem))
        for plane in islice((plane for plane in planes if plane is not None), 2):
            found.append(np.ascontiguousarray(plane[:size, :size]))
    return found


def _is_drawn(name: str) -> bool:
    return any(word in name.lower() for word in ("label", "seg", "mask", "binary", "probabilities"))


def _plane(path: Path, size: int) -> Pixels | None:
    try:
        with tifffile.TiffFile(path) as file:
            plane = file.pages[0].asarray()
    except (tifffile.TiffFileError, ValueError, OSError):
        return None
    fits = plane.ndim == 2 and plane.dtype == np.uint16 and min(plane.shape) >= size and plane.max() > 20
    return plane if fits else None


KINDS = {"noise": noise, "camera-like": camera_like, "real": real}


def spread_over(images: Sequence[Pixels], count: int) -> list[Pixels]:
    """So many frames, from these in turn, in as much memory of their own as a recorder's slots: no cache holds them."""
    places = max(1, min(count, APART // images[0].nbytes))
    apart = [images[number % len(images)].copy() for number in range(places)]
    return [apart[number % places] for number in range(count)]
