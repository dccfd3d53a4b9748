"""A U-Net that finds beads: the shipped package `spots-beads` behind `care-beads`, beside a filter's maxima."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_laplace, maximum_filter

from ..._metrics import Found, match
from .._beads import ABOUT, DENOISED, beads, beads_system
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Measured

if TYPE_CHECKING:
    from ..._quality import Sample

Array = npt.NDArray[Any]
WIDTHS = (1.0, 1.5, 2.0, 3.0)
"""Pixels of the filters that are tried."""
THRESHOLDS = np.geomspace(0.5, 32, 25)
"""Heights of maxima that are tried, in robust standard deviations of the filtered frame."""
FILTER = "maxima of a Laplacian of Gaussian"
SHOWN = 160


def filtered_spots(frame: Array, width: float) -> tuple[Array, Array]:
    """Maxima of the negative Laplacian of Gaussian: y and x in pixels (n, 2), and heights in robust deviations (n,)."""
    answer = -gaussian_laplace(frame.astype(np.float64), width)
    spread = 1.4826 * float(np.median(np.abs(answer - np.median(answer)))) + 1e-9
    inner = np.pad(answer, 1, mode="edge")
    peaks = np.argwhere((answer == maximum_filter(answer, 5)) & (answer > 0))
    y, x = peaks[:, 0] + 1, peaks[:, 1] + 1
    off = [
        _vertex(inner[y - 1, x], inner[y, x], inner[y + 1, x]),
        _vertex(inner[y, x - 1], inner[y, x], inner[y, x + 1]),
    ]
    return peaks + np.stack(off, axis=1), inner[y, x] / spread


def _vertex(below: Array, middle: Array, above: Array) -> Array:
    """Of the parabola through three pixels each: where its top is beside the middle one."""
    curvature = below - 2 * middle + above
    top = np.divide(0.5 * (below - above), curvature, out=np.zeros_like(middle), where=curvature < 0)
    return np.asarray(np.clip(top, -0.5, 0.5))


def best_filtered(sample: Sample) -> Array:
    """Positions (n, 2) by the width and the threshold that are best for this frame, the truth known."""
    tried = []
    for width in WIDTHS:
        peaks, heights = filtered_spots(sample.frame, width)
        tried += [peaks[heights > threshold] for threshold in THRESHOLDS]
    return max(tried, key=lambda spots: judged(spots, sample).f1)


def judged(spots: Array, sample: Sample) -> Found:
    """Spots (n, 2) beside those of the truth; faint ones count neither way."""
    return match(spots, sample.spots, (sample.frame.shape[0], sample.frame.shape[1]), faint=sample.faint)


def _found(folder: Path, samples: tuple[Sample, ...]) -> list[Array]:
    results = answers(pipeline_of(DENOISED, folder), movie([one.frame for one in samples]))
    return [np.stack([one["answer"]["y"], one["answer"]["x"]], axis=1) for one in results]


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for held in beads(seeds):
        own = [judged(spots, one) for spots, one in zip(_found(folder, held.samples), held.samples, strict=True)]
        other = [judged(best_filtered(one), one) for one in held.samples]
        pairs = list(zip(own, other, strict=True))
        found.append(over_seeds(held.kind, "F1", "", [{"network": a.f1, FILTER: b.f1} for a, b in pairs]))
        apart = [{"network": a.rms_px, FILTER: b.rms_px} for a, b in pairs]
        found.append(over_seeds(held.kind, "error of position", "px", apart, less_is_better=True))
    return found


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for held in beads(1):
        sample = held.samples[0]
        tiles = [Tile(held.kind, sample.frame[:SHOWN, :SHOWN])]
        for title, spots in (("spots-beads", _found(folder, held.samples)[0]), (FILTER, best_filtered(sample))):
            one = judged(spots, sample)
            note = f"F1 {one.f1:.3f}, {one.matched} found, {one.spurious} false, {one.missed} missed"
            tiles.append(Tile(title, _circled(sample.frame, spots), note))
        rows.append([*tiles, Tile("truth", _circled(sample.frame, sample.spots), f"{len(sample.spots)} clear beads")])
    sheet("Spots in held-out beads", rows, file)


def _circled(frame: Array, spots: Array) -> Array:
    """The frame's corner, four times as large, with a ring around each spot."""
    large = cv2.resize(frame[:SHOWN, :SHOWN].astype(np.float32), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    white = float(np.percentile(large, 99.9))
    for y, x in spots:
        cv2.circle(large, (round(4 * float(x) + 2), round(4 * float(y) + 2)), 14, (white,), 1)
    return np.asarray(np.clip(large, 0, white))


SYSTEM = beads_system(
    "spots",
    DENOISED,
    Measured(
        _scores,
        _picture,
        about=ABOUT + "The filter has the width and the threshold that are best for each frame, the truth known; its "
        "maxima are refined by parabolas.",
    ),
)
