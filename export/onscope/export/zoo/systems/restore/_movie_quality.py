"""How good a network is on held-out movies: beside CARE frame by frame and filters in space and time, and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.drawing import Look

from ... import PACKAGES
from ..._metrics import psnr
from .._classical import ssim
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from . import care_cells
from ._movie_filters import best_filters, changed, followed
from ._movies import FRAMES, HIGH, KINDS, LOW, Movie, filmed, held_out

Array = npt.NDArray[Any]
PEAKS = (5.0, 20.0)
"""Photons of the brightest pixels of held-out movies."""
FIRST = 1100
"""The first held-out specimen that is measured: shorter trainings were looked at on some of those before it."""
BEGIN = 8
"""The first frame that counts: those before it are the longest window's."""
SUDDEN = "share of sudden changes followed"
CARE, MEAN = "CARE, frame by frame", "mean of frames, blurred"
ABOUT = (
    "Measured through the runtime on movies of specimens that training never saw, each behind a camera of its own, "
    f"frames {BEGIN + 1} to {FRAMES}; mean and standard deviation over the seeds. PSNR over the span of the truth. "
    "CARE is `care-cells`, which was trained on cells and not on bacteria, molecules and beads. The Gaussian (one "
    "frame), the mean of the last n frames and that mean blurred have the parameters that suit each movie best, the "
    "truth known. Sudden changes are pixels whose truth changed by more than a quarter of its span from the frame "
    "before; followed is the share of that change that the answer shows at once (the slope of the answer's change on "
    "the true one), as far as a movie has at least 30 such pixels."
)


def film(kind: int, number: int, peak: float) -> Movie:
    """A held-out movie through a camera of its own."""
    return filmed(held_out(kind, number), np.random.default_rng((number, kind)), peak)


def movie_choices(window: int, step: int) -> Choices:
    """How a network of windows of so many frames is exported, whose sides are multiples of `step`."""
    frames = [film(kind, 100 + kind, 30.0).counts[:window] for kind in (1, 4)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:, :64, :96])[None],
        axes="btyx",
        output_axes=("bcyx",),
        pre=(percentiles(LOW, HIGH), cast("float32")),
        minimum=16,
        step=step,
        sizes=[(16, 16 + step), (64, 104)],
        frames=[one[None] for one in frames],
        output_names=("image",),
        settings={"denormalise": {"image": "values"}},
    )


@dataclass(frozen=True, slots=True)
class MovieQuality:
    """Of a network of this `name` that a `pipeline` runs."""

    name: str
    pipeline: str

    def scores(self, folder: Path, seeds: int) -> list[Score]:
        """PSNR, SSIM and the share of sudden changes followed, of each kind of movie at each of `PEAKS`."""
        found = []
        for kind, told in enumerate(KINDS):
            for peak in PEAKS:
                films = (film(kind, number, peak) for number in range(FIRST, FIRST + seeds))
                quality = [_judged(self._restored(folder, one), one.truth) for one in films]
                for metric, unit in (("PSNR", "dB"), ("SSIM", ""), (SUDDEN, "")):
                    rows = [one[metric] for one in quality if one[metric]]
                    if rows:
                        found.append(over_seeds(f"{told.name}, {peak:g} photons", metric, unit, rows))
        return found

    def picture(self, folder: Path, file: Path) -> None:
        """A row for each kind of movie, and the largest rise of blinking molecules."""
        rows = []
        for kind, told in enumerate(KINDS):
            one = film(kind, FIRST, 10.0)
            look = Look.of(one.truth[-1], glow=True)
            images = {name: movie[-1] for name, movie in self._restored(folder, one).items()}
            names = (
                ("raw", f"{told.name}: one frame"),
                (CARE, "CARE"),
                (MEAN, "mean, blurred"),
                ("network", self.name),
            )
            tiles = [
                Tile(title, images[name], f"{psnr(images[name], one.truth[-1]):.1f} dB", look) for name, title in names
            ]
            rows.append([*tiles, Tile("truth", one.truth[-1], "", look)])
        title = f"{self.name} on held-out movies, 10 photons in the brightest pixels"
        sheet(title, [*rows, *self._blink(folder)], file)

    def _restored(self, folder: Path, one: Movie) -> dict[str, Array]:
        """Frames `BEGIN` and later, (t, y, x), by who made them."""
        own = answered(pipeline_of(self.pipeline, folder), one.counts)
        beside = answered(pipeline_of(care_cells.PIPELINE, PACKAGES / care_cells.KEY), one.counts)
        filters = best_filters(one.counts, one.truth, BEGIN)
        return {"network": own, "raw": one.counts[BEGIN:], CARE: beside, **filters}

    def _blink(self, folder: Path) -> list[list[Tile]]:
        """The largest sudden rise of blinking molecules: the frame before, and the two from it on."""
        kind = next(n for n, one in enumerate(KINDS) if one.name == "blinking molecules")
        one = film(kind, FIRST + 1, 40.0)
        images = self._restored(folder, one)
        truth = one.truth[BEGIN:]
        step = np.max(truth[1:-1] - truth[:-2], axis=(1, 2))
        at = int(np.argmax(step)) + 1
        y, x = np.unravel_index(np.argmax(truth[at] - truth[at - 1]), truth[at].shape)
        top, left = (
            int(np.clip(place - 20, 0, size - 40)) for place, size in zip((y, x), truth[at].shape, strict=True)
        )
        look = Look.of(truth[at], glow=True)
        found = []
        for when, title in ((at - 1, "before a rise"), (at, "the rise"), (at + 1, "after it")):
            cut = (when, slice(top, top + 40), slice(left, left + 40))
            names = (
                ("raw", f"{title}: raw, 40 photons"),
                (CARE, "CARE"),
                (MEAN, "mean, blurred"),
                ("network", self.name),
            )
            tiles = [Tile(name, images[key][cut], "", look) for key, name in names]
            found.append([*tiles, Tile("truth", truth[cut], "", look)])
        return found


def answered(pipeline: Any, counts: Array) -> Array:
    """What a pipeline makes of the frames `BEGIN` and later of a movie (t, y, x)."""
    results = answers(pipeline, movie(list(counts)))
    return np.stack([np.asarray(one["denoise"]) for one in results])[BEGIN:]


def _judged(images: dict[str, Array], truth: Array) -> dict[str, dict[str, float]]:
    """By metric, of the frames that have a whole window: of the network, of CARE, of filters at their best."""
    aim, before = truth[BEGIN:], truth[BEGIN - 1 : -1]
    rows = range(len(aim))
    sudden = changed(before, aim)
    return {
        "PSNR": {name: float(np.mean([psnr(one[n], aim[n]) for n in rows])) for name, one in images.items()},
        "SSIM": {name: float(np.mean([ssim(one[n], aim[n]) for n in rows])) for name, one in images.items()},
        SUDDEN: {name: followed(one, before, aim, sudden) for name, one in images.items()} if sudden.any() else {},
    }
