"""DeLTA's segmentation: bacteria in mother machines, parted where they touch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._matching import Matched, matched
from ..._texts import Words
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._bacteria import PIXEL_UM
from ._mother_machines import Movie, held_out
from ._watersheds import watersheds

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "delta-segment"
FEATURES, DEPTH = 8, 3
LOW, HIGH = 1.0, 99.8
PIPELINE = """schema: 1
stages:
  bacteria: {package: "{package}"}
"""
KINDS: dict[str, dict[str, Any]] = {
    "mother machines of many kinds": {"varied": True},
    "the scenario bacteria": {"varied": False},
    "the scenario bacteria, 5 % of its light": {"varied": False, "photons": 0.05},
}
OVERLAPS = (0.5, 0.7)
FRAMES, INTERVAL_S = 2, 600.0
"""Of each held-out specimen."""


def _network() -> nn.Module:
    from ...networks.track import DeltaSegmentation

    return DeltaSegmentation(FEATURES, DEPTH)


def _task() -> Task:
    from ._delta_task import SegmentTask

    return SegmentTask(_network())


def _choices() -> Choices:
    frames = [np.ascontiguousarray(held_out(900 + n, 1, 60.0, varied=True).frames[0][-160:, :160]) for n in range(3)]
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(LOW, HIGH, ("y", "x")), cast("float32")),
        output_names=("bacteria",),
        minimum=16,
        step=8,
        sizes=[(16, 24), (64, 104), (136, 80)],
        frames=frames[1:],
        settings={"decode": "instances", "maps": ["foreground"], "seeds": "parts", "pixel_um": PIXEL_UM},
    )


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for name, how in KINDS.items():
        rows = [_judged(folder, held_out(number, FRAMES, INTERVAL_S, **how)) for number in range(seeds)]
        for metric in rows[0]:
            found.append(over_seeds(name, metric, "", [row[metric] for row in rows]))
    return found


def _judged(folder: Path, seen: Movie) -> dict[str, dict[str, float]]:
    """By metric, of the network and of the watershed with those settings that suit each frame best."""
    ours = _sum(matched(*both) for both in zip(seen.labels, segmented(folder, list(seen.frames)), strict=True))
    best = [
        {name: max((matched(truth, one) for one in ways), key=lambda one: one.f1(0.5)) for name, ways in found.items()}
        for truth, found in ((truth, watersheds(frame)) for truth, frame in zip(seen.labels, seen.frames, strict=True))
    ]
    all_ways = {"network": ours, **{name: _sum(one[name] for one in best) for name in best[0]}}
    scores = {f"F1 at IoU {least}": {name: one.f1(least) for name, one in all_ways.items()} for least in OVERLAPS}
    whole = {name: one.panoptic() for name, one in all_ways.items()}
    return {**scores, "panoptic quality": whole}


def segmented(folder: Path, frames: Sequence[Array]) -> list[Array]:
    """Label images of frames (y, x), through the runtime."""
    return [np.asarray(one["bacteria"]) for one in answers(pipeline_of(PIPELINE, folder), movie(frames), PIXEL_UM)]


def _sum(parts: Any) -> Matched:
    first, *others = parts
    for one in others:
        first = first + one
    return first  # type: ignore[no-any-return]


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for name, how in KINDS.items():
        seen = held_out(0, 1, 60.0, **how)
        frame, truth = seen.frames[0], seen.labels[0]
        own = segmented(folder, [frame])[0]
        classical = {
            way: max(ones, key=lambda one: matched(truth, one).f1(0.5)) for way, ones in watersheds(frame).items()
        }
        way = max(classical, key=lambda one: matched(truth, classical[one]).f1(0.5))
        rows.append(
            [
                Tile(name, frame),
                Tile(way, classical[way], _told(truth, classical[way]) + ", settings chosen by the truth"),
                Tile("DeLTA", own, _told(truth, own)),
                Tile("truth", truth),
            ]
        )
    sheet("DeLTA's segmentation of held-out bacteria", rows, file)


def _told(truth: Array, found: Array) -> str:
    return f"F1 {matched(truth, found).f1(0.5):.2f}"


CITE = {
    "text": "J.-B. Lugagne, H. Lin, M. J. Dunlop, DeLTA: Automated cell segmentation, tracking, and lineage "
    "reconstruction using deep learning, PLOS Computational Biology 16, e1007673 (2020)",
    "doi": "10.1371/journal.pcbi.1007673",
}
DEVICES = (
    "the specimen's scenario bacteria in 60 devices drawn at random: channels 3.5 to 7 um apart, bacteria 0.75 to"
    " 1.15 um wide that double in 18 to 50 minutes, pixels of 0.055 to 0.076 um, other phase rings, focus off by "
    "0.2 um, random sCMOS sensors whose wells are filled to 10 to 90 %; series of 4 frames at intervals of 40 to "
    "200 s"
)
SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="DeLTA's U-Net with eight features: bacteria in mother machines, phase contrast, as a label image",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of phase contrast at about 0.065 um per pixel, y and x of at least 16 "
            "and multiples of 8 (onscope pads others), normalised to its percentiles 1 and 99.8. One float32 "
            "output of the same shape: the probability of a bacterium, with gaps between those that touch. "
            "onscope makes a label image of its connected parts; `rescale: true` brings frames of other pixel "
            "sizes to the trained one."
        ),
        recipe=(
            f"Phase contrast of {DEVICES}, turned and mirrored. The truth has a gap of one pixel of each where two"
            " touch, which weighs up to 11 times as much in the cross entropy (Ronneberger 2015). Four levels "
            "with 8 to 64 features; the paper's network has five with 64 to 1024."
        ),
        limits=(
            "Trained on simulated rods in straight channels alone, along the image's axes; filaments, bent or "
            "dead cells and colonies on agarose were never shown. The gap between two that touch is cut from "
            "both: areas are a few per cent too small. What lies in the trench is dark, what lies in a channel "
            "bright: both were learned."
        ),
        cite=(CITE,),
        settings={},
        tags=("segmentation", "bacteria", "mother machine", "phase contrast", "2d", "unet", "delta"),
    ),
    live=Live(PIPELINE, "specimen:bacteria@phase"),
    training=Training(_task, steps=1600, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on two frames of each of several specimens that training never saw, 10 "
            "minutes apart; mean and standard deviation over the specimens. F1 of bacteria that overlap with a "
            "true one by so much (intersection over union), and panoptic quality. The watersheds have, frame by "
            "frame, those of 12 (Otsu) and 36 (local threshold) settings that suit the truth best."
        ),
    ),
)
