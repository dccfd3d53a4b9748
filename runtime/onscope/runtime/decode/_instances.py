"""Maps of foreground and of boundaries or distances become a label image, by a watershed from seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ._labels import Planes
from ._regions import numbered
from ._settings import Setting, taken
from ._watershed import watershed

MAPS = ("background", "foreground", "interior", "boundary", "distance")
USUAL = {1: ("foreground",), 2: ("foreground", "boundary"), 3: ("background", "interior", "boundary")}
"""What the channels are where the package does not say, by their number."""
SEEDS = ("boundary", "distance", "parts")
LARGEST = 1e6
"""Values beyond are cut: infinities have no slope."""
Floats = npt.NDArray[np.float32]


SETTINGS = (
    Setting("maps", "words", "what the channels are: background, foreground, interior, boundary, distance"),
    Setting("threshold", "number", "what is foreground", 0.5),
    Setting("seeds", "word", "what divides the foreground", choices=SEEDS),
    Setting("seed_threshold", "number", "what is a seed (0.5 by boundaries, 0 by distances)"),
    Setting("min_distance", "whole", "pixels between the peaks of distances that are seeds", 5, least=1, most=255),
    Setting("smooth", "number", "pixels by which distances are smoothed", 1.0, least=0, most=100),
    Setting("min_size", "whole", "pixels of the smallest object", 15, least=0),
)


@dataclass(frozen=True, slots=True)
class _Way:
    """What the channels are, and what seeds are: `seeds`, above `least`."""

    maps: tuple[str, ...]
    planes: Planes
    seeds: str
    least: float

    @classmethod
    def of(cls, maps: Sequence[str], axes: Sequence[str], seeds: str | None, least: float | None) -> _Way:
        """With what is usual of such maps where nothing is stated (None). Raises PipelineError."""
        if unknown := [name for name in maps if name not in MAPS]:
            raise PipelineError(
                f"found the maps {', '.join(unknown)} for instances, expected some of {', '.join(MAPS)}: correct maps"
            )
        if not set(maps) - {"boundary"}:
            raise PipelineError("found the map boundary alone for instances, expected what lies between: correct maps")
        if seeds is None:
            seeds = "boundary" if {"interior", "boundary"} & set(maps) and "distance" not in maps else "distance"
        if least is None:
            least = 0.5 if seeds == "boundary" else 0.0
        return cls(tuple(maps), Planes(axes, len(maps), f"instances from {', '.join(maps)}"), seeds, least)


class InstancesDecoder:
    """Answers int32 labels (y, x), 0 for background, 1, 2, ... by the objects' first pixels, row by row.

    `maps` says what the output's channels are (foreground; foreground, boundary; or background, interior, boundary
    where it does not). What is foreground by more than `threshold` is divided by a watershed whose seeds are, by
    `seeds`: "boundary": connected parts where the interior (foreground less boundary) is above `seed_threshold`;
    "distance": peaks at least `min_distance` pixels apart of the distance map (or of the distance to the background),
    smoothed by `smooth` pixels, above `seed_threshold`; "parts": nothing, each connected part is an object. Objects
    of less than `min_size` pixels are left out, and what is connected to no seed.
    """

    columns: tuple[str, ...] = ()
    labels = True

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        import scipy.sparse.csgraph  # noqa: F401 - which takes a while: not in the middle of a run

        self._axes = tuple(axes) if "channel" in axes else ("channel", *axes)
        self._added = "channel" not in axes
        stated = taken(SETTINGS, settings, "maps")
        self._stated = taken(SETTINGS, settings, "seeds"), taken(SETTINGS, settings, "seed_threshold")
        self._threshold = float(taken(SETTINGS, settings, "threshold"))
        self._apart = int(taken(SETTINGS, settings, "min_distance"))
        self._smooth = float(taken(SETTINGS, settings, "smooth"))
        self._smallest = int(taken(SETTINGS, settings, "min_size"))
        self.told: list[str] = []
        self._way = _Way.of(stated, self._axes, *self._stated) if stated else None

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        output = output[None] if self._added else output
        if self._way is None:
            channels = output.shape[self._axes.index("channel")]
            if channels not in USUAL:
                raise PipelineError(
                    f"found {channels} channels for instances and no maps, expected the names of the channels: put "
                    f"maps, some of {', '.join(MAPS)}, into config.onscope of the package"
                )
            self._way = _Way.of(USUAL[channels], self._axes, *self._stated)
        way = self._way
        maps = dict(zip(way.maps, np.clip(way.planes.of(output), -LARGEST, LARGEST), strict=True))
        mask = _foreground(maps) > self._threshold
        if way.seeds == "parts":
            found = _parts(mask)
        elif way.seeds == "boundary":
            height = _interior(maps)
            found = watershed(height, _parts(mask & (height > way.least)), mask)
        else:
            height = self._distance(maps, mask)
            found = watershed(height, self._peaks(height, mask, way.least), mask)
        return numbered(found, self._smallest), "yx"

    def _distance(self, maps: Mapping[str, Floats], mask: npt.NDArray[np.bool_]) -> Floats:
        if "distance" in maps:
            distance = maps["distance"]
        else:  # outside of the frame is no background: objects go on there
            away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
            distance = np.minimum(away, max(mask.shape)).astype(np.float32)  # of no background at all
        if self._smooth:
            blurred = cv2.GaussianBlur(distance, (0, 0), self._smooth, borderType=cv2.BORDER_REPLICATE)
            distance = np.asarray(blurred, np.float32)
        return distance

    def _peaks(self, height: Floats, mask: npt.NDArray[np.bool_], least: float) -> npt.NDArray[np.int32]:
        side = 2 * self._apart + 1
        square = np.ones((side, side), np.uint8)
        inside = np.where(mask, height, np.float32(-2 * LARGEST))
        return _parts((cv2.dilate(inside, square) == inside) & mask & (height > least))


def _foreground(maps: Mapping[str, Floats]) -> Floats:
    if "foreground" in maps:
        return maps["foreground"]
    if "background" in maps:
        return 1 - maps["background"]
    if "interior" in maps:
        return maps["interior"] + maps.get("boundary", np.float32(0))
    return maps["distance"]


def _interior(maps: Mapping[str, Floats]) -> Floats:
    if "interior" in maps:
        return maps["interior"]
    return np.asarray(_foreground(maps) - maps.get("boundary", np.float32(0)), np.float32)


def _parts(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    return np.asarray(labels, np.int32)
