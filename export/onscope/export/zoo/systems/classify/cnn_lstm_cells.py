"""A CNN with a memory on one watched cell: phases of mitosis and death, frame by frame, in faint light."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices, FurtherInput
from onscope.export._steps import cast, percentiles
from onscope.runtime import Result

from ... import PACKAGES
from ..._texts import Words
from ...recipes import Part
from .._live_path import Image, answers, movie, pipeline_of
from .._score import Score
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from . import lenet_cells
from ._classified import CROPS_ALONE, told_scores
from ._courses import CLASSES, PIXEL_UM, SIDE, TIMES, courses, filmed
from ._features import PERCENTILES

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "cnn-lstm-cells"
HIDDEN, DEPTH, WIDTH = 48, 18, 10
PEAKS = (6.0, 15.0, 50.0)
"""Photons of the brightest pixels in a held-out course's first frame."""
PER_SEED, MOST = 2, 12
"""Specimens of a seed, and courses of each at most."""
ALONE, SMOOTHED, OVER = "each frame by itself", "mean of three frames' scores", 3
PER_FRAME = "LeNet-5, frame by frame"
PIPELINE = """schema: 1
stages:
  phase: {package: "{package}", rescale: true}
window: {length: 1, along: t, on_gap: reset}
"""


def _network() -> nn.Module:
    from ...networks.classify import CnnLstm

    return CnnLstm(1, len(CLASSES), HIDDEN, DEPTH, WIDTH)


def _task() -> Task:
    from ...networks.classify import CnnLstm
    from ._course_task import CourseTask

    network = _network()
    assert isinstance(network, CnnLstm)
    return CourseTask(network)


def _choices() -> Choices:
    from ...networks.classify import STATE

    light = courses(Part.VALIDATION, 1)["light"][0]
    frames = filmed(light, np.random.default_rng(0), 30.0)
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(*PERCENTILES, ("y", "x")), cast("float32")),
        output_names=("classes", *(one["output"] for one in STATE)),
        output_axes=("bc", "bc", "bc"),
        further=[FurtherInput(one["input"], "bc", (1, HIDDEN)) for one in STATE],
        minimum=32,
        step=1,
        sizes=[(48, 64), (97, 66)],
        frames=[frames[4], frames[8]],
        settings={"state": [dict(one) for one in STATE]},
        pixel_um=PIXEL_UM,
    )


def _courses(seed: int, peak: float) -> list[tuple[Array, Array]]:
    """Held-out movies uint16 (TIMES, SIDE, SIDE) of one seed, and the classes (TIMES,)."""
    found = []
    for number in range(PER_SEED * seed, PER_SEED * (seed + 1)):
        told, rng = courses(Part.HELD_OUT, 1, number), np.random.default_rng((number, round(peak)))
        found += [
            (filmed(light, rng, peak), names)
            for light, names in zip(told["light"][:MOST], told["names"][:MOST], strict=True)
        ]
    return found


def _chances(folder: Path, movies: Sequence[Array], *, remember: bool) -> list[Array]:
    """Scores (TIMES, classes) of each movie; without memory each frame is shown as a place of its own."""
    images = []
    for number, course in enumerate(movies):
        for time, frame in enumerate(course):
            index = {"p": number, "t": time} if remember else {"p": number * TIMES + time, "t": 0}
            images.append(Image(frame, index))
    results = answers(pipeline_of(PIPELINE, folder), images, PIXEL_UM)
    return _by_course(results)


def _per_frame(movies: Sequence[Array]) -> list[Array]:
    """Scores (TIMES, classes) by a network that was trained on single frames of such courses."""
    frames = np.concatenate(movies)  # on pixels twice as large, as it was trained
    coarse = np.rint(frames.reshape(len(frames), SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))).astype(np.uint16)
    results = answers(pipeline_of(CROPS_ALONE, PACKAGES / lenet_cells.KEY), movie(list(coarse)))
    return _by_course(results)


def _by_course(results: Sequence[Result]) -> list[Array]:
    """Scores (TIMES, classes) of each course, of the results of all frames."""
    rows = np.array([[one["phase"][f"score_{name}"][0] for name in CLASSES] for one in results])
    return list(rows.reshape(-1, TIMES, len(CLASSES)))


def smoothed(chances: Array) -> Array:
    """The mean of each frame's scores and of those of the frames before it, `OVER` in all, (times, classes)."""
    return np.stack([chances[max(0, time - OVER + 1) : time + 1].mean(axis=0) for time in range(len(chances))])


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for peak in PEAKS:
        rows = []
        for seed in range(seeds):
            movies, names = zip(*_courses(seed, peak), strict=True)
            true = np.concatenate(names).tolist()
            alone = _chances(folder, movies, remember=False)
            told = {"network": _chances(folder, movies, remember=True), ALONE: alone}
            told[SMOOTHED] = [smoothed(one) for one in alone]
            told[PER_FRAME] = _per_frame(movies)
            best = {name: np.concatenate(each).argmax(axis=1).tolist() for name, each in told.items()}
            rows.append({name: (said, true) for name, said in best.items()})
        found += told_scores(f"{peak:g} photons", rows)
    return found


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for seed, peak in ((0, 6.0), (1, 15.0)):
        found = _courses(seed, peak)
        course, names = max(found, key=lambda one: len(np.unique(one[1])))
        with_memory, alone = (_chances(folder, [course], remember=each)[0].argmax(axis=1) for each in (True, False))
        tiles = []
        for time in range(0, TIMES, 2):
            told = f"{CLASSES[with_memory[time]]} (alone: {CLASSES[alone[time]]})"
            tiles.append(Tile(f"{3 * time} min: {CLASSES[names[time]]}", course[time], told))
        rows.append(tiles)
    sheet("Courses of held-out cells, 6 and 15 photons: the truth above, what is told below", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="A small ResNet with an LSTM that watches one cell: interphase, mitosis or death, in faint light",
        takes_and_gives=(
            f"Frames of one place, uint16 (1, 1, y, x), about {SIDE} x {SIDE} pixels of {PIXEL_UM} um (a stage with "
            "`rescale: true` brings frames to them) around one cell with labelled chromatin, every three minutes; "
            "scaled so that the percentiles 1 and 99.8 become 0 and 1. Beside the frame the memory of the frames "
            f"before goes in, two float32 (1, {HIDDEN}), zeros at first; onscope carries it from frame to frame "
            "(config.onscope.state) and begins anew when the stage moves or a frame is missing. The answer is float32 "
            f"(1, {len(CLASSES)}): the probabilities of {', '.join(CLASSES)} for the cell in the middle."
        ),
        recipe=(
            "Cultures of `onscope.specimen` (dividing-cells) in which much happens: 30 to 70 % in mitosis at first, "
            "cycles of 1.5 to 5 h, 5 to 50 % dying per hour, nuclei of 11 to 16 um; 60 specimens, of each at most 14 "
            f"places for {TIMES} frames three minutes apart, those where the class changes first. Turned, mirrored, "
            "with 3 to 100 photons in the brightest pixels, one sCMOS sensor per course, noise drawn anew for every "
            "batch of 14; three in ten begin in the middle of the course. Loss: cross entropy at every time. The paper "
            "classifies single images of blood cells; here the sequence is that of the frames."
        ),
        limits=(
            "Trained on simulated cultures alone, at one interval of three minutes; at another one the memory means "
            "something else. The cell must stay near the middle: it follows nothing. Early prophase looks like "
            "interphase to it and late telophase like anaphase or interphase. Its scores are not calibrated."
        ),
        cite=(
            {
                "text": "A. M. Patil, M. D. Patil, G. K. Birajdar, White blood cells image classification using deep "
                "learning with canonical correlation analysis, IRBM 42, 378 (2021)",
                "doi": "10.1016/j.irbm.2020.08.005",
            },
            {
                "text": "S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9, 1735 (1997)",
                "doi": "10.1162/neco.1997.9.8.1735",
            },
        ),
        tags=("classification", "time-series", "mitosis", "fluorescence", "2d", "resnet", "lstm", "cells"),
        settings={"decode": "classes", "classes": list(CLASSES)},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei,size=128"),
    training=Training(_task, steps=1500, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on specimens that training never saw: courses of 12 frames of 64x64 in which "
            "classes change first, at most 12 of each of two specimens per seed; mean and standard deviation over the "
            "seeds, all frames alike. Beside it the same network without its memory, each frame by itself (it was "
            "trained on first frames too), the mean of three successive frames' scores of that, and `lenet-cells`, a "
            "smaller network that was trained on single frames of such courses, all classes alike."
        ),
    ),
    cost_shape=(128, 128),
)
