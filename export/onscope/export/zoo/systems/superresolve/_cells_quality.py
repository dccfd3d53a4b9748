"""How well networks enlarge held-out cells: what is common to those of one job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.drawing import Look

from ..._metrics import psnr
from .._classical import ssim
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._structures import Frame
from ._enlarging import best_enlargements
from ._fine import HIGH, LOW, SCALE, held_out_frame, kind_names

Array = npt.NDArray[Any]
Others = Callable[[Path, Sequence[Frame]], Mapping[str, Sequence[Array]]]
"""Further baselines: what they make of frames, by name; given the measured package's folder."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Held-out samples: names of their kinds, and a frame by kind, number and photons of its brightest pixels.

    With `fitted` the filters' images are brought to the truth's brightness: see `best_enlargements`.
    """

    names: Sequence[str]
    frame: Callable[[int, int, float], Frame]
    fitted: bool = False


FIRST = 10
"""Of the measured specimens: SRCNN's recipes were compared and its first weights measured on those before."""
CELLS = Samples(kind_names(), held_out_frame)
PEAKS = (100.0, 400.0, 2000.0)
"""Photons of the brightest pixels of held-out frames."""
SHOWN = 400.0
"""The same, of the picture."""
STAGE = "enlarge"
PIPELINE = """schema: 1
stages:
  enlarge: {package: "{package}"}
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured of an image and its truth."""

    name: str
    unit: str
    of: Callable[[Array, Array], float]
    less_is_better: bool = False


METRICS = (Metric("PSNR", "dB", psnr), Metric("SSIM", "", ssim))
ABOUT = (
    "Measured through the runtime on 128x128 frames of specimens that training never saw, each behind a camera of its "
    "own; mean and standard deviation over the seeds. The truth is the noise-free image on 256x256 pixels, behind the "
    "same optics. PSNR over the span of the truth. The filters' parameters are those with the best PSNR on each frame, "
    "the truth known: the Gaussian's width; of Richardson-Lucy the width, the iterations, the background, and "
    "whether its estimate is blurred again."
)


def choices(minimum: int = 16, step: int = 1, samples: Samples = CELLS) -> Choices:
    """How all of them are exported: percentiles before, the frame's own counts behind, twice the pixels."""
    frames = [samples.frame(kind, 100 + kind, 400.0).counts for kind in range(len(samples.names))]
    return Choices(
        example=np.ascontiguousarray(frames[0][:48, :64])[None, None],
        pre=(percentiles(LOW, HIGH, ("y", "x")), cast("float32")),
        output_names=("image",),
        minimum=minimum,
        step=step,
        sizes=[
            (minimum, minimum + step),
            *((-(-y // step) * step, -(-x // step) * step) for y, x in ((64, 100), (76, 52))),
        ],
        frames=[frame[:96, :96] for frame in frames[1:]],
        settings={"denormalise": {"image": "values"}, "scale": SCALE},
    )


def enlarged(folder: Path, frames: Sequence[Frame], pipeline: str = PIPELINE, stage: str = STAGE) -> list[Array]:
    """What the package in `folder` makes of frames, in counts, float (2y, 2x) each."""
    results = answers(pipeline_of(pipeline, folder), movie([frame.counts for frame in frames]))
    return [np.asarray(one[stage]).squeeze() for one in results]


def scores(
    folder: Path,
    seeds: int,
    others: Others | None = None,
    metrics: Sequence[Metric] = METRICS,
    samples: Samples = CELLS,
) -> list[Score]:
    """Of all kinds of structures and light levels, each over so many seeds, beside the filters and `others`."""
    found = []
    for kind, name in enumerate(samples.names):
        for peak in PEAKS:
            frames = [samples.frame(kind, number, peak) for number in range(FIRST, FIRST + seeds)]
            images = _images(folder, frames, others, samples.fitted)
            for metric in metrics:
                rows = [
                    {by: metric.of(image, frame.truth) for by, image in one.items()}
                    for frame, one in zip(frames, images, strict=True)
                ]
                more = {"less_is_better": True} if metric.less_is_better else {}
                found.append(over_seeds(f"{name}, {peak:g} photons", metric.name, metric.unit, rows, **more))
    return found


def _images(folder: Path, frames: Sequence[Frame], others: Others | None, fitted: bool) -> list[dict[str, Array]]:
    """Of each frame, the network's image and the baselines', by name."""
    made = {"network": enlarged(folder, frames), **({} if others is None else others(folder, frames))}
    return [
        {name: images[n] for name, images in made.items()} | best_enlargements(frame.counts, frame.truth, fitted)
        for n, frame in enumerate(frames)
    ]


def picture(heading: str, name: str, folder: Path, file: Path, samples: Samples = CELLS) -> None:
    """A row for each kind of structure, the first measured one: part of the frame, the best filter's, the network's,
    and the truth.
    """
    rows = []
    for kind, title in enumerate(samples.names):
        frame = samples.frame(kind, FIRST, SHOWN)
        filters = best_enlargements(frame.counts, frame.truth, samples.fitted)
        best = max(("Gaussian, then bicubic", "Richardson-Lucy"), key=lambda one: psnr(filters[one], frame.truth))
        images = {best: filters[best], name: enlarged(folder, [frame])[0]}
        part = _busiest(frame.truth)
        look = Look.of(frame.truth[part], glow=True)
        small = tuple(slice(one.start // SCALE, one.stop // SCALE) for one in part)
        # A truth of another brightness does not say what is white in the frame.
        seen = Look.of(frame.counts[small], glow=True) if samples.fitted else look
        tiles = [Tile(title, frame.counts[small], f"as the camera gives it, {SHOWN:g} photons", seen)]
        tiles += [
            Tile(by, image[part], f"{psnr(image, frame.truth):.1f} dB, SSIM {ssim(image, frame.truth):.3f}", look)
            for by, image in images.items()
        ]
        rows.append([*tiles, Tile("truth", frame.truth[part], "", look)])
    sheet(heading, rows, file)


def _busiest(truth: Array, side: int = 96) -> tuple[slice, slice]:
    """The part of an image with the most structure: even places that the frame's pixels have too."""
    places = [(y, x) for y in range(0, truth.shape[0] - side + 1, 32) for x in range(0, truth.shape[1] - side + 1, 32)]
    y, x = max(places, key=lambda at: float(truth[at[0] : at[0] + side, at[1] : at[1] + side].std()))
    return slice(y, y + side), slice(x, x + side)
