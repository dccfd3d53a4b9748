"""Crops around nuclei, as a segmentation would have them cut, with the class that the truth gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import center_of_mass, find_objects, label

from onscope.specimen import Truth

Array = npt.NDArray[Any]

SIDE = 64
"""Height and width of a crop in pixels."""
PIXEL_UM = 0.5
"""Side of a crop's pixel in the sample in um: 32 um show a nucleus, a pair of daughters, and a rim of neighbours."""

NAMES = ("interphase", "prophase", "metaphase", "anaphase", "dead")
"""Classes that an image of the chromatin alone tells."""
OF_KIND = {
    "interphase": 0,
    "prophase": 1,
    "prometaphase": 1,
    "metaphase": 2,
    "anaphase": 3,
    "telophase": 3,
    "dying": 4,
    "dead": 4,
}
"""Number in `NAMES` of what the specimen's truth calls an object."""

LEAST_UM2 = 3.0
"""Area in um2 below which no segmentation would take a piece of chromatin for a nucleus."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One crop: `pixels` uint16 (SIDE, SIDE), `name` its number in `NAMES`, `kind` what the truth says, `id` whose."""

    pixels: npt.NDArray[np.uint16]
    name: int
    kind: str
    id: int


def at_scale(image: Array, pixel_um: float, wanted_um: float = PIXEL_UM) -> Array:
    """An image (rows, columns) with pixels of `pixel_um` on pixels of `wanted_um`, in its own dtype.

    Finer pixels are averaged over their area, coarser ones interpolated between; the corners stay corners.
    """
    ratio = pixel_um / wanted_um
    size = (max(round(image.shape[1] * ratio), 1), max(round(image.shape[0] * ratio), 1))
    if size == (image.shape[1], image.shape[0]):
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)


def cut(image: Array, centres: Array, side: int = SIDE) -> Array:
    """Crops (n, side, side) of an image (rows, columns) around `centres` (n, 2), y and x in its pixels, rounded.

    Beyond the image's border lies its 5th percentile, which is background in all but full images: mirrored pixels would
    make pairs of what is one, repeated ones bars.
    """
    half = side // 2
    background = int(np.percentile(image[::4, ::4], 5)) if image.dtype.kind == "u" else float(np.percentile(image, 5))
    wide = np.pad(image, half, constant_values=background)
    corners = np.clip(np.rint(np.asarray(centres)).astype(int), 0, np.array(image.shape) - 1)
    crops = [wide[y : y + side, x : x + side] for y, x in corners]
    return np.stack(crops) if crops else np.zeros((0, side, side), image.dtype)


def centres(truth: Truth, pixel_um: float, rng: np.random.Generator) -> Iterator[tuple[int, float, float]]:
    """Where a segmentation would see the nuclei: (row of `truth.objects`, y, x in the truth's pixels).

    A nucleus in several pieces (the plates of anaphase, a dead cell's fragments) is seen as one every other time, else
    as one of its pieces, larger ones more often. Left out is what touches the image's border, and what has no piece of
    `LEAST_UM2`.
    """
    height, width = truth.nuclei.shape
    boxes = find_objects(truth.nuclei)
    for row, number in enumerate(truth.objects["id"].tolist()):
        box = boxes[number - 1] if number <= len(boxes) else None
        if box is None or min(box[0].start, box[1].start) < 1 or box[0].stop >= height or box[1].stop >= width:
            continue
        mask = truth.nuclei[box] == number
        pieces, count = label(mask)
        areas = np.bincount(pieces.ravel(), minlength=count + 1)[1:] * pixel_um**2
        if areas.max() < LEAST_UM2:
            continue
        if count > 1 and rng.random() < 0.5:
            mask = pieces == 1 + rng.choice(count, p=areas / areas.sum())
        y, x = center_of_mass(mask)
        yield row, box[0].start + y, box[1].start + x


def crops(
    counts: npt.NDArray[np.uint16], truth: Truth, pixel_um: float, rng: np.random.Generator, wanted_um: float = PIXEL_UM
) -> list[Crop]:
    """Crops of all nuclei in an image (rows, columns) with its truth, off their middles as segmentations are.

    The offset is normal with 0.8 um along y and x, of one in ten with 2.5 um: chosen.
    """
    kinds = truth.kinds()
    found = [(row, y, x) for row, y, x in centres(truth, pixel_um, rng) if kinds[row] in OF_KIND]
    if not found:
        return []
    spread = np.where(rng.random(len(found)) < 0.1, 2.5, 0.8)[:, None]
    off = rng.standard_normal((len(found), 2)) * spread / wanted_um
    image = at_scale(counts, pixel_um, wanted_um)
    ratio = np.array(image.shape) / np.array(counts.shape)
    places = (np.array([place for _, *place in found]) + 0.5) * ratio - 0.5 + off
    pixels = cut(image, places)
    return [
        Crop(pixels[n].copy(), OF_KIND[kinds[row]], kinds[row], int(truth.objects["id"][row]))
        for n, (row, _, _) in enumerate(found)
    ]


def stacked(found: Sequence[Crop]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    """All pixels (n, 1, SIDE, SIDE) and all numbers of names (n,)."""
    pixels = np.stack([one.pixels for one in found])[:, None]
    return pixels, np.array([one.name for one in found], dtype=np.int64)
