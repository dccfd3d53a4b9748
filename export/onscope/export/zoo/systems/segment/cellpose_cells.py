"""Cellpose on nuclei: flows to the middle of each, at a quarter of the published widths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.package import make_step

from ..._texts import Words
from ...recipes import NUCLEI, Part, made
from ...recipes._nuclei import LEAST_SPAN, PERCENTILES
from .._score import Score
from .._system import Live, Measured, System, Training
from ._measured import ABOUT, beside_unet, scores
from ._picture import picture

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

KEY = "cellpose-cells"
WIDTHS = (8, 16, 32, 64)
DECODED = {
    "cellprob_threshold": 0.0, "flow_threshold": 0.0, "do_3D": False, "min_size": 15, "output_dtype": "uint32",
}  # fmt: skip
"""Cellpose's own, but that flows are not checked (0.4): the check took nuclei away that the frame's border cuts, whose
flows lead out of it, and others. Chosen on specimens of the validation part."""
FIRST = 10
"""Of the held-out specimens that are measured: scores of those before had been seen when this was chosen."""
PIPELINE = """schema: 1
stages:
  cells: {package: "{package}"}
  table: {measure: cells, intensity: [frame]}
"""


def _network() -> nn.Module:
    from ...networks.segment import Cellpose

    return Cellpose(1, WIDTHS)


def _task() -> Task:
    from ._cellpose_task import CellposeTask

    return CellposeTask(_network())


def _choices() -> Choices:
    frames = [made(NUCLEI, Part.VALIDATION, number)[0].counts for number in (2, 3, 10)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:64, :96])[None, None],
        pre=(percentiles(*PERCENTILES, ("y", "x"), LEAST_SPAN), cast("float32")),
        post=((make_step("cellpose_flow_dynamics", DECODED),),),
        output_names=("labels",),
        minimum=16,
        step=8,
        sizes=[(32, 48), (64, 112), (136, 80)],
        frames=[np.ascontiguousarray(one[:160, :160]) for one in frames[1:]],
    )


def _scores(folder: Path, seeds: int) -> list[Score]:
    return scores(beside_unet(PIPELINE, "cells", folder), seeds, FIRST)


def _picture(folder: Path, file: Path) -> None:
    found = beside_unet(PIPELINE, "cells", folder)
    picture("Cellpose on held-out nuclei", {"Cellpose": found.pop("network"), **found}, file, FIRST)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="Cellpose with a quarter of its channels: single nuclei by flows that lead to their middles",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of labelled nuclei or chromatin, y and x of at least 16 and multiples of 8 "
            "(onscope pads others), scaled so that its percentiles 1 and 99.8 become 0 and 1. The graph answers "
            "float32 (1, 3, y, x): the flow along y and x, five times the unit flow, and the logit of being part of "
            "a nucleus. Behind it `cellpose_flow_dynamics` makes a label image: onscope's own decoder, or Cellpose's, "
            "carries it out. "
            "Unlike the published models it wants no diameter beforehand: nuclei may be about 12 to 100 pixels wide."
        ),
        recipe=(
            "The fields of `unet-cells`: cultures of `onscope.specimen` by the plan of the recipe for nuclei (sparse "
            "to crowded, dividing and dying, 10x/0.30 to 60x/1.40, pixels of 0.15 to 1 um, in and out of focus, 8 to "
            "3000 photons per pixel of a nucleus), 480 of 255x255, stretched by up to 1.9 and in 40 % laid over "
            "themselves. Crops of 144x144, turned, mirrored, lit and graded anew in batches of 4. Loss as published: "
            "half the squared error of the flows, and cross entropy. The published network with a quarter of the "
            "channels and one input. No real image was trained on."
        ),
        limits=(
            "Trained on simulated nuclei alone, and on nuclei only: it is no generalist as the published models are, "
            "which have learned from many kinds of cells. On simulated nuclei it does not beat `unet-cells`: F1 at "
            "0.5 is the same to 0.001 in rare-event and wound, 0.01 to 0.03 lower elsewhere, and 0.08 lower on dying "
            "cells; chromosomes out of focus are outlined with their halo, or in part. On StarDist's real example "
            "image (125 nuclei, never trained on) F1 is 0.887 at 0.5 and 0.837 at 0.7, beside unet-cells (0.749 and "
            "0.705; Otsu and watershed 0.736 and 0.521) and nuclei-cells (0.917 and 0.802); the count is 9 % off, for"
            " it merges nuclei that touch. Flows are not checked (`flow_threshold`: 0; Cellpose's own: 0.4), since "
            "the check takes nuclei away that the frame's border cuts. Following the flows takes time on the "
            "processor (120 ms for 512x512 pixels with 200 objects). Nuclei that lie over each other are parted "
            "somewhere. Look at what it does on your images before you count with it."
        ),
        cite=(
            {
                "text": "C. Stringer, T. Wang, M. Michaelos, M. Pachitariu, Cellpose: a generalist algorithm for "
                "cellular segmentation, Nature Methods 18, 100 (2021)",
                "doi": "10.1038/s41592-020-01018-x",
            },
        ),
        tags=("instance-segmentation", "nuclei", "fluorescence", "2d", "cellpose", "cells"),
        settings={},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei"),
    training=Training(_task, steps=3000, learning_rate=3e-3),
    measured=Measured(_scores, _picture, about=ABOUT),
)
