"""Vectors per pixel become a label image: each pixel points to its object's centre, and those that meet are one object.

Neven, De Brabandere, Proesmans and Van Gool, Instance Segmentation by Jointly Optimizing Spatial Embeddings and
Clustering Bandwidth, CVPR 2019; Lalit, Tomancak and Jug, EmbedSeg, Medical Image Analysis 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ._labels import Planes
from ._regions import numbered
from ._settings import Setting, taken

USUAL = ("offset_y", "offset_x", "margin", "seed")
MAPS = ("offset_y", "offset_x", "margin", "margin_y", "margin_x", "seed")
FORMS = ("pixels", "embedseg")
ROUNDS = 256
"""Rounds after which the clustering ends, which is told. Objects far from each other are clustered in one round."""
CELLS = 3
"""Cells of the picture of all ends that the widest margin is divided into."""
SHARPEST = 10.0
"""What the published networks' bandwidth is the exponential of."""
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
SETTINGS = (
    Setting("maps", "words", "what the channels are: offset_y, offset_x, margin (or margin_y, margin_x), seed", USUAL),
    Setting("form", "word", "pixels, or what the published networks answer (embedseg)", "pixels", choices=FORMS),
    Setting("unit", "number", "pixels that an offset and a margin of 1 stand for", 1.0, above=0),
    Setting("threshold", "number", "seed value of what is foreground", 0.5),
    Setting("seed_threshold", "number", "seed value of what may be a centre", 0.9),
    Setting("max_margin", "number", "pixels, the largest margin", 64.0, least=1, most=512),
    Setting("min_size", "whole", "pixels of the smallest object", 15, least=0),
)


class EmbeddingsDecoder:
    """Answers int32 labels (y, x), 0 for background, 1, 2, ... by the objects' first pixels, row by row.

    The output's channels are (`maps`) each pixel's offset to its object's centre, the margin around the centre within
    which what points there belongs to the object, and how sure the pixel is to be near a centre. The surest pixel
    above `seed_threshold` takes all foreground pixels (above `threshold`) that point into the ellipse of its margin
    around the place that it points to itself; then the surest of those that are left. Of objects of less than
    `min_size` pixels nothing is left.

    `form` pixels: offsets and margins in `unit` pixels, seeds as they are. `embedseg`: as the published networks
    answer, before their activations: the offset is `unit` times the hyperbolic tangent, the margin comes from a
    bandwidth, exp(10 s), by which a pixel belongs where exp(-s d^2) is above 1/2, the seed is a logit; `unit` is
    the grid's pixels less one (1023 of a grid of 1024).
    """

    columns: tuple[str, ...] = ()
    labels = True

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        self._maps = tuple(taken(SETTINGS, settings, "maps"))
        margins = [name for name in self._maps if name.startswith("margin")]
        if (
            set(self._maps) - set(MAPS)
            or not {"offset_y", "offset_x", "seed"} <= set(self._maps)
            or not (margins == ["margin"] or sorted(margins) == ["margin_x", "margin_y"])
        ):
            raise PipelineError(
                f"found the maps {', '.join(self._maps)} for embeddings, expected offset_y, offset_x, seed, and margin "
                "or margin_y and margin_x: correct maps"
            )
        self._planes = Planes(axes, len(self._maps), f"embeddings: {', '.join(self._maps)}")
        self._raw = taken(SETTINGS, settings, "form") == "embedseg"
        self._unit = np.float32(taken(SETTINGS, settings, "unit"))
        self._threshold = float(taken(SETTINGS, settings, "threshold"))
        self._seed = float(taken(SETTINGS, settings, "seed_threshold"))
        self._widest = float(taken(SETTINGS, settings, "max_margin"))
        self._smallest = int(taken(SETTINGS, settings, "min_size"))
        self.told: list[str] = []

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        maps = dict(zip(self._maps, self._planes.of(output), strict=True))
        seed = maps["seed"]
        if self._raw:
            with np.errstate(over="ignore"):
                seed = 1 / (1 + np.exp(-seed))
        places = np.flatnonzero(seed > self._threshold)
        labels = np.zeros(seed.shape, np.int32)
        self.told = []
        if not len(places):
            return labels, "yx"
        own = np.stack(np.divmod(places, seed.shape[1]), axis=1).astype(np.float32)
        offset = np.stack([maps["offset_y"].ravel()[places], maps["offset_x"].ravel()[places]], axis=1)
        offset = np.tanh(offset) if self._raw else offset
        reach = np.float32(max(seed.shape))
        points_to = own + np.clip(self._unit * offset, -reach, reach)
        names = [name if name in maps else "margin" for name in ("margin_y", "margin_x")]
        margin = self._margins(np.stack([maps[name].ravel()[places] for name in names], axis=1))
        sure = seed.ravel()[places]
        found, rounds = clustered(points_to, margin, sure, self._seed)
        if rounds >= ROUNDS:
            self.told = [f"objects after {ROUNDS} rounds of clustering were left out: margins too wide, or no objects"]
        labels.ravel()[places] = found
        return numbered(labels, self._smallest), "yx"

    def _margins(self, margin: Floats) -> Floats:
        if self._raw:
            exponent = np.clip(-SHARPEST * margin, -80, 80).astype(np.float32)
            margin = np.sqrt(np.float32(np.log(2)) * np.exp(exponent))
        return np.asarray(np.clip(self._unit * margin, 0, self._widest), np.float32)


def clustered(points_to: Floats, margin: Floats, sure: Floats, least: float) -> tuple[npt.NDArray[np.int32], int]:
    """The cluster (n,) of each pixel, 0: none; and in how many rounds.

    `points_to` (n, 2) and `margin` (n, 2) are y and x, `sure` (n,). The same as taking the surest pixel again and
    again: one is a centre in a round if no surer one is left that points so near it that their ellipses might meet.
    """
    widest = float(margin[sure > least].max(initial=0))
    # Where pixels point to, as a coarse picture with a rim, so that those who point out of the frame are told apart.
    cell = max(1.0, widest / CELLS)
    reach = int(np.ceil(widest / cell)) + 1
    rim = 2 * reach + 1
    points = np.floor(points_to / np.float32(cell)).astype(np.intp)
    low = points.min(0) - rim
    size = points.max(0) - low + 1 + rim
    bins = (points - low) @ np.array([size[1], 1])
    owner = np.zeros(len(sure), np.int32)
    # The surest first; equals as if at random, or each would wait for its neighbour. Ranks have no ties.
    shuffled = (np.arange(len(sure), dtype=np.uint32) * np.uint32(2654435761)).astype(np.uint32)
    order = np.lexsort((shuffled, -sure))
    rank = np.empty(len(sure), np.float32)
    rank[order] = np.arange(len(sure), 0, -1)
    left = np.arange(len(sure))
    count = 0
    for done in range(ROUNDS):
        candidates = left[sure[left] > least]
        if not len(candidates):
            return owner, done
        best = np.zeros(int(size[0] * size[1]), np.float32)
        np.maximum.at(best, bins[candidates], rank[candidates])
        around = _widest(best.reshape(size), rim).ravel()
        centres = candidates[rank[candidates] == around[bins[candidates]]]
        # Boxes around the centres, none of which meet.
        boxes = np.zeros(int(size[0] * size[1]), np.float32)
        boxes[bins[centres]] = np.arange(1, len(centres) + 1)
        near = _widest(boxes.reshape(size), reach).ravel()[bins[left]].astype(np.intp)
        pixels = left[near > 0]
        centre = centres[near[near > 0] - 1]
        away = (points_to[pixels] - points_to[centre]) / np.maximum(margin[centre], np.float32(1e-6))
        inside = ((away**2).sum(1) < 1) | (pixels == centre)
        number = np.zeros(len(sure), np.int32)
        number[centres] = np.arange(count + 1, count + len(centres) + 1, dtype=np.int32)
        owner[pixels[inside]] = number[centre[inside]]
        count += len(centres)
        left = left[owner[left] == 0]
    return owner, ROUNDS


def _widest(values: Floats, reach: int) -> Floats:
    """The largest value within a square of `reach` to each side."""
    rows = cv2.dilate(values, np.ones((1, 2 * reach + 1), np.uint8))
    return np.asarray(cv2.dilate(rows, np.ones((2 * reach + 1, 1), np.uint8)), np.float32)
