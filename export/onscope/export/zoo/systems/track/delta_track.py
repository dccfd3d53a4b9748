"""DeLTA's tracker: which bacterium has become which, and which ones are its daughters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast

from ..._texts import Words
from ...recipes import Part
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._system import Live, Measured, System, Training
from ._bacteria import PIXEL_UM
from ._lineage_picture import draw
from ._linking import best_tracks, overlapping, scored, told
from ._mother_machines import Movie, held_out
from .delta_segment import CITE, DEVICES

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "delta-track"
FEATURES, DEPTH = 8, 4
SIDE = 96
PIPELINE = """schema: 1
stages:
  bacteria: {package: "{folder}/delta-segment"}
  cells: {measure: bacteria}
  lineage: {package: "{package}", pairs: cells, rescale: true}
"""
INTERVALS_S = (60.0, 180.0)
FRAMES = 12
FIRST = 3000
"""Of the held-out specimens measured on: nothing was chosen by these, others were looked at before."""
METRICS = ("TRA", "links F1", "division F1", "switches per 1000")


def _network() -> nn.Module:
    from ._delta_task import StandardisedTracking

    return StandardisedTracking(FEATURES, DEPTH)


def _task() -> Task:
    from ._delta_task import TrackTask

    return TrackTask(_network())


def _choices() -> Choices:
    from ...networks.track import DELTA_PAIR

    first, *others = _pairs()
    return Choices(
        example=first[None],
        pre=(cast("float32"),),
        output_names=("gone_to",),
        channel_names=DELTA_PAIR,
        fixed=True,
        frames=others,
        batches=True,
        settings={"decode": "image", "pair": list(DELTA_PAIR), "pixel_um": 2 * PIXEL_UM},
    )


def _pairs() -> list[Array]:
    """Three crops as the runtime makes them, uint16 (4, SIDE, SIDE), of series that training never saw."""
    from ._bacteria import series
    from ._delta_task import TrackTask

    task = TrackTask(_network(), series(Part.VALIDATION, 1))
    rng = np.random.default_rng(0)
    return [task.example(rng)[0].astype(np.uint16) for _ in range(3)]


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for varied in (False, True):
        name = "mother machines of many kinds" if varied else "the scenario bacteria"
        for interval in INTERVALS_S:
            movies = [held_out(FIRST + number, FRAMES, interval, varied=varied) for number in range(seeds)]
            rows = [_judged(folder, one) for one in movies]
            for metric in METRICS:
                values = [{way: one[metric] for way, one in row.items()} for row in rows]
                less = metric.startswith("switches")
                found.append(over_seeds(f"{name}, every {interval:g} s", metric, "", values, less_is_better=less))
    return found


def _judged(folder: Path, seen: Movie) -> dict[str, dict[str, float]]:
    """By way of linking the scores, all of the same found bacteria."""
    results = answers(pipeline_of(PIPELINE, folder), movie(list(seen.frames)), seen.pixel_um)
    labels = [np.asarray(one["bacteria"]) for one in results]
    tables = [np.asarray(one["cells"]) for one in results]
    ours = told(tables, [np.asarray(one["lineage"]) for one in results])
    ways = {"network": ours, "overlap": overlapping(tables, labels)}
    scores = {name: scored(seen, labels, one) for name, one in ways.items()}
    return {**scores, "nearest places (track)": best_tracks(seen, labels, tables)}


def _picture(folder: Path, file: Path) -> None:
    seen = held_out(FIRST, 6, 180.0, varied=False)
    results = answers(pipeline_of(PIPELINE, folder), movie(list(seen.frames)), seen.pixel_um)
    draw(seen, [dict(one.answers) for one in results], file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="DeLTA's tracking U-Net with eight features: where a bacterium is next, and its daughters",
        takes_and_gives=(
            f"Crops (n, 4, {SIDE}, {SIDE}) uint16 around one bacterium at 0.13 um per pixel: the last frame, in it"
            " the mask of that bacterium (0 and 1), this frame, and the mask of all bacteria in it. Frames are "
            "counts; the network standardises each crop of a frame by its mean and spread. One float32 output of "
            "two channels: where it is now (its mother half, if it divided), and where its daughter is. A stage "
            "`pairs` of onscope cuts the crops around all objects of a label image (`zoo/delta-segment`), and "
            "makes tracks of the masks. Crops have one size alone; take `rescale: true`."
        ),
        recipe=(
            f"Pairs of successive frames of {DEVICES}; crops turned and mirrored, three in ten of bacteria that "
            "divide, one in ten of those that were washed away. Masks are the truth's with gaps, one in five a "
            "pixel wider, one in five narrower, and of one crop in ten a bacterium is missing. As a segmentation "
            "does where a septum shows, bacteria are parted before they divide: then one half becomes one half or "
            "daughter. Cross entropy of mother, daughter and neither, background weighs a twentieth. Five levels with "
            "8 to 128 features (the paper's: 64 to 1024)."
        ),
        limits=(
            "Trained on simulated mother machines alone, at intervals of 40 to 200 s in which a bacterium moves by at"
            " most about its own length. Over longer ones neighbours are mistaken for each other. It is worth its "
            "time where bacteria move by about half their length and more from frame to frame: where they move less "
            "(every 60 s, or slow ones) linking by overlap is as good or better and needs no network. It finds "
            "divisions no better than overlap does in three of the four cases measured. It links what was segmented: "
            "bacteria that were merged or missed there are lost here, and delta-segment parts nearly every one a "
            "frame or two before it has divided."
        ),
        cite=(CITE,),
        settings={},
        tags=("tracking", "lineage", "bacteria", "mother machine", "phase contrast", "2d", "unet", "delta"),
    ),
    live=Live(PIPELINE, "specimen:bacteria@phase"),
    training=Training(_task, steps=4000, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            f"Measured through the runtime on {FRAMES} frames of each of several specimens that training never "
            "saw, bacteria found by delta-segment for all ways of linking; mean and standard deviation over the "
            "specimens. TRA is the Cell Tracking Challenge's (segmentation counts), links F1 counts pairs of "
            "bacteria of successive frames, division F1 mothers with both daughters (one or two frames off is as "
            "good). Overlap: each bacterium goes to the one before that it shares most pixels with, two at most "
            "to one. Nearest places: the runtime's stage `track` with divisions, at that of 8 largest distances "
            "which gives each movie's best TRA."
        ),
    ),
)
