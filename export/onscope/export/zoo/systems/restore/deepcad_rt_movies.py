"""DeepCAD-RT on movies, answering the newest frame: noise taken out with what the frames before it show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.drawing import Look

from ... import PACKAGES
from ..._metrics import psnr
from ..._texts import Words
from .._classical import ssim
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from . import care_cells
from ._movie_filters import best_filters, changed, followed
from ._movies import FRAMES, KINDS, Movie, filmed, held_out

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "deepcad-rt-movies"
FEATURES, WINDOW = 8, 8
LOW, HIGH = 3.0, 99.8
PEAKS = (5.0, 20.0)
"""Photons of the brightest pixels of held-out movies."""
PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}"}
window: {length: 8, along: t, every: 1, on_gap: pad}
"""
FAST = "share of sudden changes followed"


def _network() -> nn.Module:
    from ...networks.restore import DeepCadRt

    return DeepCadRt(FEATURES, causal=True)


def _task() -> Task:
    from ._deepcad_task import DeepCadTask

    return DeepCadTask(_network())


def _choices() -> Choices:
    frames = [_film(kind, 100 + kind, 30.0).counts[:WINDOW] for kind in (1, 4)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:, :64, :96])[None],
        axes="btyx",
        output_axes=("bcyx",),
        pre=(percentiles(LOW, HIGH), cast("float32")),
        minimum=16,
        step=8,
        sizes=[(16, 24), (64, 104)],
        frames=[one[None] for one in frames],
        output_names=("image",),
        settings={"denormalise": {"image": "values"}},
    )


def _film(kind: int, number: int, peak: float) -> Movie:
    """A held-out movie through a camera of its own."""
    return filmed(held_out(kind, number), np.random.default_rng((number, kind)), peak)


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for kind, told in enumerate(KINDS):
        for peak in PEAKS:
            quality = [_judged(folder, _film(kind, number, peak)) for number in range(seeds)]
            for metric, unit in (("PSNR", "dB"), ("SSIM", ""), (FAST, "")):
                rows = [one[metric] for one in quality if one[metric]]
                if rows:
                    found.append(over_seeds(f"{told.name}, {peak:g} photons", metric, unit, rows))
    return found


def _judged(folder: Path, film: Movie) -> dict[str, dict[str, float]]:
    """By metric, of the frames that have a whole window: of the network, of CARE, of filters at their best."""
    images = _restored(folder, film)
    truth = film.truth[WINDOW:]
    rows = range(len(truth))
    before = film.truth[WINDOW - 1 : -1]
    sudden = changed(before, truth)
    return {
        "PSNR": {name: float(np.mean([psnr(one[n], truth[n]) for n in rows])) for name, one in images.items()},
        "SSIM": {name: float(np.mean([ssim(one[n], truth[n]) for n in rows])) for name, one in images.items()},
        FAST: {name: followed(one, before, truth, sudden) for name, one in images.items()} if sudden.any() else {},
    }


def _restored(folder: Path, film: Movie) -> dict[str, Array]:
    """Frames WINDOW and later, (t, y, x), by who made them."""
    own = _answered(pipeline_of(PIPELINE, folder), film.counts)
    beside = _answered(pipeline_of(care_cells.PIPELINE, PACKAGES / care_cells.KEY), film.counts)
    filters = best_filters(film.counts, film.truth, WINDOW)
    return {"network": own, "raw": film.counts[WINDOW:], "CARE, frame by frame": beside, **filters}


def _answered(pipeline: Any, counts: Array) -> Array:
    results = answers(pipeline, movie(list(counts)))
    return np.stack([np.asarray(one["denoise"]) for one in results])[WINDOW:]


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for kind, told in enumerate(KINDS):
        film = _film(kind, 0, 10.0)
        look = Look.of(film.truth[-1], glow=True)
        images = {name: one[-1] for name, one in _restored(folder, film).items()}
        names = [("raw", "one frame"), ("CARE, frame by frame", "CARE"), ("mean of frames, blurred", "mean, blurred")]
        tiles = [
            Tile(f"{told.name}: {title}" if name == "raw" else title, images[name], _note(images[name], film), look)
            for name, title in (*names, ("network", "DeepCAD-RT"))
        ]
        rows.append([*tiles, Tile("truth", film.truth[-1], "", look)])
    sheet("DeepCAD-RT on held-out movies, 10 photons in the brightest pixels", [*rows, *_blink(folder)], file)


def _note(image: Array, film: Movie) -> str:
    return f"{psnr(image, film.truth[-1]):.1f} dB"


def _blink(folder: Path) -> list[list[Tile]]:
    """The largest sudden change of blinking molecules: the frame before, and the two from it on."""
    kind = next(n for n, one in enumerate(KINDS) if one.name == "blinking molecules")
    film = _film(kind, 1, 40.0)
    images = _restored(folder, film)
    truth = film.truth[WINDOW:]
    step = np.max(truth[1:-1] - truth[:-2], axis=(1, 2))
    at = int(np.argmax(step)) + 1
    y, x = np.unravel_index(np.argmax(truth[at] - truth[at - 1]), truth[at].shape)
    top, left = (int(np.clip(place - 20, 0, size - 40)) for place, size in zip((y, x), truth[at].shape, strict=True))
    look = Look.of(truth[at], glow=True)
    found = []
    for when, title in ((at - 1, "before a molecule shines"), (at, "its first frame"), (at + 1, "the next frame")):
        cut = (when, slice(top, top + 40), slice(left, left + 40))
        tiles = [
            Tile(f"{name}", images[key][cut], title if key == "raw" else "", look)
            for key, name in (("raw", "raw"), ("CARE, frame by frame", "CARE"), ("network", "DeepCAD-RT"))
        ]
        found.append([*tiles, Tile("truth", truth[cut], "", look)])
    return found


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="DeepCAD-RT with eight features, answering the newest frame: movies denoised as they come",
        takes_and_gives=(
            "Windows of 8 uint16 frames (1, 8, y, x) that follow one another, y and x of at least 16 and multiples "
            "of 8 (onscope pads others), normalised to the window's percentiles 3 and 99.8. The answer is the newest "
            "frame, float32 (1, 1, y, x), without waiting for later ones; onscope brings it back to the frame's "
            "counts. `window: {length: 8, along: t, every: 1, on_gap: pad}` slides frame by frame and answers from "
            "the first frame on."
        ),
        recipe=(
            f"Movies of {FRAMES} frames of {', '.join(kind.name for kind in KINDS)} of the specimen's scenarios, 20 "
            "of each, at speeds from still to several pixels per frame, the stage creeping in a half of them, 4 to "
            "400 photons in the brightest pixels over a background of 0.5 to 30, behind sCMOS sensors of many kinds "
            "and EMCCDs (15 %). Self-supervised as published: every second noisy frame goes in, and those that were "
            "left out are the targets; no noise-free frame takes part in the loss. What differs from the paper: the "
            "network answers the newest frame alone (causal), which counts as much as all others in training; 8 "
            "features in place of 16; the target lies before or after its frame, at random; the loss is the squared "
            "error in dB relative to that between the two frames (the paper: L1 and L2); noise is drawn anew for "
            "every window of the simulated movies, where the paper trains on the recording itself; percentiles in "
            "place of the mean."
        ),
        limits=(
            "It leans on the frames before. What appears in one frame and is gone in the next is taken for noise and "
            "dimmed; what switches on is shown late, and what moved leaves a trail (the table has what share of a "
            "sudden change is followed at once; 1 is all of it). Do not time single-frame events such as blinks or "
            "the onset of spikes on its answer, and localise no single molecules in it. In the first frames of a "
            "movie there is little to lean on, and more noise stays. Trained on simulated movies alone."
        ),
        cite=(
            {
                "text": "X. Li et al., Real-time denoising enables high-sensitivity fluorescence time-lapse imaging "
                "beyond the shot-noise limit, Nature Biotechnology 41, 282 (2023)",
                "doi": "10.1038/s41587-022-01450-8",
            },
        ),
        tags=("denoising", "fluorescence", "time", "deepcad-rt", "self-supervised"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:spots@emitters"),
    training=Training(_task, steps=2200, learning_rate=3e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on movies of specimens that training never saw, each behind a camera of "
            "its own, frames 9 to 20; mean and standard deviation over the seeds. PSNR over the span of the truth. "
            "CARE is `care-cells`, which was trained on cells and not on bacteria, molecules and beads. The Gaussian "
            "(one frame), the mean of the last n frames and that mean blurred have the parameters that suit each "
            "movie best, the truth known. Sudden changes are pixels whose truth changed by more than a quarter of "
            "its span from the frame before; followed is the share of that change that the answer shows at once (the "
            "slope of the answer's change on the true one), as far as a movie has at least 30 such pixels."
        ),
    ),
    cost_shape=(256, 256),
    window=WINDOW,
)
