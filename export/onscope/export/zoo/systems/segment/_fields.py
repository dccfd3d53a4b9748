"""Fields of nuclei to learn from: those of the recipe for nuclei, stretched and laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...recipes import Field, Part, Recipe, instances
from ...recipes._instances import laid_over
from ...recipes._nuclei import LAID_OVER, LEAST_SPAN, PERCENTILES, VARIANTS, plan, stretched
from .._bank import bank

Array = npt.NDArray[Any]

SPECIMENS = 120
"""Of the training part, with four fields each, of which `VARIANTS` are made."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A frame (rows, columns), float16, 0 and 1 at its percentiles, and its nuclei, int16, 0 for none.

    `gap`, float16, says how much a pixel lies between the insides of two nuclei (`between`).
    """

    frame: npt.NDArray[np.float16]
    labels: npt.NDArray[np.int16]
    gap: npt.NDArray[np.float16]


def labelled(field: Field, rng: np.random.Generator) -> list[Labelled]:
    """The field `VARIANTS` times, stretched and partly laid over itself, behind its camera again."""
    labels = instances(field.truth)
    found = []
    for _ in range(VARIANTS):
        photons, named = stretched(field.snap.photons, labels, rng)
        if rng.random() < LAID_OVER:
            above, others = stretched(field.snap.photons[::-1, ::-1], labels[::-1, ::-1], rng)
            photons = photons + np.float32(rng.uniform(0.4, 1.6)) * above
            named = laid_over(named, others)
        counts = field.sensor.expose(photons, rng, exposure_s=field.snap.exposure_s)
        gap = between(np.where(outlines(named), 0, named))
        found.append(Labelled(normalised(counts).astype(np.float16), named.astype(np.int16), gap.astype(np.float16)))
    return found


def normalised(counts: Array) -> Array:
    """Counts (rows, columns) in units of the span between their percentiles, as the packages' first step makes them."""
    low, high = np.percentile(counts, PERCENTILES)
    return np.asarray((counts - low) / (high - low + LEAST_SPAN), np.float32)


def outlines(labels: Array) -> Array:
    """Which pixels (rows, columns) of a label image touch another label or the background, along y or x."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        low = (slice(None, -1), slice(None))[:: 1 - 2 * axis]
        high = (slice(1, None), slice(None))[:: 1 - 2 * axis]
        differs = labels[low] != labels[high]
        edge[low] |= differs
        edge[high] |= differs
    return edge & (labels > 0)


def between(labels: Array, sigma: float = 4.0) -> Array:
    """How much a pixel (rows, columns) lies between two objects: exp(-(d1 + d2)^2 / (2 sigma^2)), float32.

    d1 and d2 are the distances in pixels to the nearest and the second nearest object, as in the weights of U-Net's
    loss; sought within `4 sigma`, object by object in its own surroundings, which takes a tenth of the time.
    """
    reach = int(4 * sigma)
    nearest = np.full((2, *labels.shape), np.inf, np.float32)
    for number, box in enumerate(_boxes(labels), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(one.start - reach, 0), one.stop + reach) for one in box)
        away = cv2.distanceTransform((labels[wide] != number).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        first, second = nearest[0][wide], nearest[1][wide]
        second[...] = np.minimum(second, np.maximum(first, away))
        first[...] = np.minimum(first, away)
    return np.asarray(np.exp(-(nearest.sum(axis=0) ** 2) / (2 * sigma**2)), np.float32)


def training_fields(count: int = SPECIMENS) -> dict[str, Array]:
    """The parts of `Labelled` by their names, each (n, rows, columns), of so many specimens of the training part."""
    return bank(FIELDS, Part.TRAINING, count, _arrays)


def _arrays(examples: Sequence[Labelled]) -> dict[str, Array]:
    return {name: np.stack([getattr(one, name) for one in examples]) for name in ("frame", "labels", "gap")}


def _boxes(labels: Array) -> list[tuple[slice, slice] | None]:
    from scipy.ndimage import find_objects

    return list(find_objects(labels.astype(np.int32)))


FIELDS = Recipe("nuclei-labelled", "dividing-cells", plan, labelled)
