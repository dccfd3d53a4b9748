"""LEAP on bacteria: the middles of their round ends and of themselves, as key points of many rods in a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._agreement import near_pairs
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from ...recipes import Part, Recipe, made
from ...recipes._nuclei import LEAST_SPAN, PERCENTILES
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ..track._watersheds import otsu_watersheds
from ._rods import LIGHTS, PIXEL_UM, POINTS, RODS, Rods, as_it_is, rods

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "leap-poles"
FEATURES = 12
NEAR_PX = 4.0
"""A point is found when an answer lies within so many pixels: less than half a rod's width."""
PER_SEED = 2
ELLIPSES = "Otsu + watershed + moments"
PIPELINE = """schema: 1
stages:
  points: {package: "{package}", rescale: true}
"""
HELD_OUT = {light: Recipe(f"rods as they are, {light}", "bacteria", partial(as_it_is, light), rods) for light in LIGHTS}


def _network() -> nn.Module:
    from ...networks.segment import Leap

    return Leap(1, len(POINTS), FEATURES)


def _task() -> Task:
    from ._leap_task import LeapTask

    return LeapTask(_network())


def _choices() -> Choices:
    frames = [one.counts for one in made(RODS, Part.VALIDATION, 0)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:96, :128])[None, None],
        pre=(percentiles(*PERCENTILES, ("y", "x"), LEAST_SPAN), cast("float32")),
        output_names=("points",),
        minimum=16,
        step=4,
        sizes=[(32, 48), (64, 112), (132, 80)],
        frames=[np.ascontiguousarray(one[:160, :160]) for one in frames[1:3]],
        pixel_um=PIXEL_UM,
    )


def _fields(kind: str, seed: int) -> list[Rods]:
    """Held-out frames of one seed, of a kind: as in training, or the scenario's own in one of LIGHTS."""
    numbers = range(PER_SEED * seed, PER_SEED * (seed + 1))
    if kind == "as in training":
        return [one for number in numbers for one in made(RODS, Part.HELD_OUT, number)]
    return [one for number in numbers for one in made(HELD_OUT[kind], Part.HELD_OUT, number)]


def _told(folder: Path, frames: Sequence[Array]) -> list[dict[str, Array]]:
    """The key points that the package answers with, arrays (n, 2) of y and x by POINTS."""
    tables = [one["points"] for one in answers(pipeline_of(PIPELINE, folder), movie(frames), PIXEL_UM)]
    return [
        {name: np.stack([t["y"], t["x"]], axis=1)[t["class"] == number] for number, name in enumerate(POINTS)}
        for t in tables
    ]


def ellipses(labels: Array) -> dict[str, Array]:
    """Of each part of a label image (y, x) the key points of the rod that has its moments."""
    from skimage.measure import regionprops

    poles, middles = [], []
    for part in regionprops(labels):  # type: ignore[no-untyped-call]
        centre = np.array(part.centroid)
        axis = np.array([np.cos(part.orientation), np.sin(part.orientation)])
        half = half_length(part.axis_major_length, part.axis_minor_length)
        poles += [centre + half * axis, centre - half * axis]
        middles.append(centre)
    return {"pole": np.reshape(poles, (-1, 2)), "middle": np.reshape(middles, (-1, 2))}


def half_length(major: float, minor: float) -> float:
    """Half the distance between the middles of the round ends of the rod whose ellipse has these axes.

    The axes are 4 standard deviations of the pixels' places. Of a rod whose round ends have the radius 1 and middles
    2 k apart, the second moments are 4 k^3 / 3 + pi k^2 + 8 k / 3 + pi / 4 along and 4 k / 3 + pi / 4 across it, both
    over its area 4 k + pi.
    """
    k = np.linspace(0, 40, 4001)
    across = 4 * k / 3 + math.pi / 4
    along = 4 * k**3 / 3 + math.pi * k**2 + 8 * k / 3 + math.pi / 4
    lengths = np.interp((major / max(minor, 1e-6)) ** 2, along / across, k)
    radius = minor / 4 * np.sqrt((4 * lengths + math.pi) / (4 * lengths / 3 + math.pi / 4))
    return float(lengths * radius)


def best_ellipses(one: Rods) -> dict[str, Array]:
    """Without a network: Otsu's threshold and the watershed whose settings suit the poles best, the truth known."""
    told = [ellipses(labels) for labels in otsu_watersheds(one.counts)]
    return max(told, key=lambda points: judged([one], [points], "pole")[0])


def judged(given: Sequence[Rods], told: Sequence[dict[str, Array]], name: str) -> tuple[float, float]:
    """F1 of the points of a name within `NEAR_PX`, and the mean distance of those found in pixels (`NEAR_PX`: none)."""
    hits, every, away = 0, 0, 0.0
    for one, found in zip(given, told, strict=True):
        _, _, distance = near_pairs(found[name], one.points[name], NEAR_PX)
        hits, away = hits + len(distance), away + float(distance.sum())
        every += len(found[name]) + len(one.points[name])
    return (2 * hits / every if every else 1.0), (away / hits if hits else NEAR_PX)


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for kind in ("as in training", *LIGHTS):
        groups = [_fields(kind, seed) for seed in range(seeds)]
        answered = [_told(folder, [one.counts for one in group]) for group in groups]
        usual = [[best_ellipses(one) for one in group] for group in groups]
        for name in POINTS:
            rows = [
                {"network": judged(group, told, name), ELLIPSES: judged(group, beside, name)}
                for group, told, beside in zip(groups, answered, usual, strict=True)
            ]
            for place, (metric, unit) in enumerate(((f"F1 of {name}s", ""), (f"error of {name}s", "px"))):
                values = [{who: pair[place] for who, pair in row.items()} for row in rows]
                found.append(over_seeds(kind, metric, unit, values, less_is_better=bool(place)))
    return found


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for kind in ("phase", "bodies", "as in training"):
        one = _fields(kind, 0)[0]
        tiles = [Tile(f"{kind}, truth", _marked(one.counts, one.points))]
        for title, told in (("LEAP", _told(folder, [one.counts])[0]), (ELLIPSES, best_ellipses(one))):
            score, away = judged([one], [told], "pole")
            tiles.append(Tile(title, _marked(one.counts, told), f"poles: F1 {score:.2f}, {away:.2f} px off"))
        rows.append(tiles)
    sheet("Key points of held-out bacteria: poles as crosses, middles as squares", rows, file)


def _marked(counts: Array, points: dict[str, Array], factor: int = 3) -> Array:
    """The frame, larger, with a bright cross at each pole and a dark square at each middle."""
    low, high = np.percentile(counts, (1, 99.8))
    grey = np.clip((counts - low) / (high - low + 1e-6), 0, 1).astype(np.float32) * 0.7
    image = np.ascontiguousarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST))
    for name, draw in (("pole", cv2.MARKER_CROSS), ("middle", cv2.MARKER_SQUARE)):
        for y, x in points[name]:
            at = (round(factor * x + 1), round(factor * y + 1))
            for width, value in ((5, 0.0), (2, 1.0)):
                cv2.drawMarker(image, at, value, draw, 12, width)
    return image


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="LEAP with twelve features: the poles and the middle of each rod-shaped bacterium in a frame",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of rods in phase contrast or fluorescence, y and x of at least 16 and "
            f"multiples of 4 (onscope pads others), with pixels of about {PIXEL_UM} um (a stage with `rescale: true` "
            "brings frames to it), scaled so that its percentiles 1 and 99.8 become 0 and 1. The answer is float32 "
            "(1, 2, y, x): heat maps of poles and of middles, Gaussians of height 1. The decoder `peaks` makes a table "
            "y, x, class, score of them, with sub-pixel places. A pole is the middle of a rod's round end, half a "
            "width from the tip, so that those of neighbours that touch are a width apart. Unlike the published use "
            "there are many rods in a frame, and as many points of a kind."
        ),
        recipe=(
            "Mother machines of `onscope.specimen` (bacteria): rods 0.8 to 1.15 um wide that add 1.8 to 3.4 um, "
            "channels 3.5 to 6.5 um apart, pixels of 0.1 um (log-normal, 18 %), focus off by 0.25 um, 15 to 200 % of "
            "the light, phase contrast and fluorescence alike; 60 specimens with six frames of 192x192. Crops of "
            "128x128, turned by quarters, mirrored, lit and graded anew in batches of 6. Loss: squared error of the "
            "heat maps, 31 times as heavy at a key point as in the background."
        ),
        limits=(
            "Middles are not to be relied on: along a rod it answers several of them (F1 0.36 to 0.49), and in "
            "fluorescence a watershed is well ahead (0.74); take the place half way between two poles. Poles are found "
            "much better than by a watershed in phase contrast, as well as by one in fluorescence, and in devices as "
            "different as those of the training it is hardly ahead (0.64, 0.62). Nothing says which poles belong to "
            "one rod. Trained on simulated E. coli in straight channels: bent rods, cocci, chains, filaments, clumps "
            "on agar and rods at 45 degrees were not in the training."
        ),
        cite=(
            {
                "text": "T. D. Pereira et al., Fast animal pose estimation using deep neural networks, Nature Methods "
                "16, 117 (2019)",
                "doi": "10.1038/s41592-018-0234-5",
            },
        ),
        tags=("key-points", "bacteria", "phase-contrast", "fluorescence", "2d", "leap"),
        settings={
            "decode": "peaks",
            "threshold": 0.4,
            "min_distance": 3,
        },
    ),
    live=Live(PIPELINE, "specimen:bacteria@phase"),
    training=Training(_task, steps=2200, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on devices that training never saw: six frames of each of two specimens per "
            "seed as in training, and the scenario's own device and light on pixels of 0.1 um, two frames of 256x256 "
            "per seed; mean and standard deviation over the seeds. A point counts as found within 4 pixels; the error "
            "is the mean distance of those found. Beside it Otsu's threshold, for what is bright or dark, and a "
            "watershed, with the settings of twelve that find most poles of the frame, the truth known, and of each "
            "part the rod that has its moments."
        ),
    ),
)
