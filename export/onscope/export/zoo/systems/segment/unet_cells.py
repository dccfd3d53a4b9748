"""U-Net on nuclei: background, inside and outline of each, and single nuclei by a watershed from the insides."""

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
from ._measured import ABOUT, USUAL, best_watershed, live, scores
from ._picture import picture

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

KEY = "unet-cells"
FEATURES = 8
DECODED = {"seed_threshold": 0.35, "min_size": 30}
"""Chosen on specimens of the validation part."""
PROVING = (3, 10)
"""Specimens of the validation part."""
PIPELINE = """schema: 1
stages:
  nuclei: {package: "{package}"}
  cells: {measure: nuclei, intensity: [frame]}
"""


def _network() -> nn.Module:
    from ...networks.segment import UNet

    return UNet(1, 3, FEATURES, norm=True)


def _task() -> Task:
    from ._unet_task import UnetTask

    return UnetTask(_network())


def _choices() -> Choices:
    frames = [made(NUCLEI, Part.VALIDATION, number)[0].counts for number in (2, *PROVING)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:64, :96])[None, None],
        pre=(percentiles(*PERCENTILES, ("y", "x"), LEAST_SPAN), cast("float32")),
        post=((make_step("softmax", {"axis": "channel"}),),),
        output_names=("classes",),
        minimum=16,
        step=16,
        sizes=[(32, 48), (64, 112), (144, 80)],
        frames=[np.ascontiguousarray(one[:160, :160]) for one in frames[1:]],
    )


def _scores(folder: Path, seeds: int) -> list[Score]:
    return scores({"network": live(PIPELINE, "nuclei", folder), USUAL: best_watershed}, seeds)


def _picture(folder: Path, file: Path) -> None:
    found = {"U-Net": live(PIPELINE, "nuclei", folder), USUAL: best_watershed}
    picture("U-Net on held-out nuclei", found, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="A U-Net with eight features that parts nuclei, also where they touch, to count and measure them",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of labelled nuclei or chromatin, y and x of at least 16 and multiples of 16 "
            "(onscope pads others), scaled so that its percentiles 1 and 99.8 become 0 and 1. The answer is float32 "
            "(1, 3, y, x): the probabilities of background, inside and outline of a nucleus. Behind it the decoder "
            "`instances` makes a label image: what is no background is parted by a watershed from the insides, and "
            "`measure` gives count, places, areas and shapes."
        ),
        recipe=(
            "Cultures of `onscope.specimen` by the plan of the recipe for nuclei: sparse to crowded, dividing and "
            "dying, seven lenses (10x/0.30 to 60x/1.40, pixels of 0.15 to 1 um), in and out of focus, 8 to 3000 "
            "photons per pixel of a nucleus, sCMOS and EMCCD; 120 specimens with 4 fields of 255x255, each twice, "
            "stretched by up to 1.9 and in 40 % laid over itself. Crops of 160x160, turned, mirrored, lit and graded "
            "anew in batches of 4. Loss: cross entropy, pixels between two nuclei weighing up to 9 times, as in the "
            "paper. The published network (four levels, 64 features) with an eighth of the features and with batch "
            "normalisation. No real image was trained on."
        ),
        limits=(
            "Trained on simulated nuclei alone: tissue, folded or lobed nuclei and dyes that stain much else were not "
            "in the training. Nuclei of less than 8 pixels' width run together: enlarge the image before. Nuclei that "
            "lie over each other are parted somewhere, since each pixel belongs to one of them. A frame of noise alone "
            "is scaled by its noise, and specks of at least 30 pixels are then taken for nuclei at times. "
            "On StarDist's real example image (125 nuclei, never trained on) it is worse than nuclei-cells: F1 at 0.5 "
            "of 0.749 against 0.917 (Otsu and watershed 0.736), the count 18 % off against 6 %, for it merges nuclei "
            "that touch. (Another training, with wider outlines and more overlaps, reached 0.817 on it, and lost about "
            "0.01 of F1 on simulated nuclei: it was not taken.) Chromosomes of mitotic cells out of focus are outlined "
            "with their halo, in pieces."
        ),
        cite=(
            {
                "text": "T. Falk et al., U-Net: deep learning for cell counting, detection, and morphometry, Nature "
                "Methods 16, 67 (2019)",
                "doi": "10.1038/s41592-018-0261-2",
            },
            {
                "text": "O. Ronneberger, P. Fischer, T. Brox, U-Net: convolutional networks for biomedical image "
                "segmentation, MICCAI 2015",
                "doi": "10.1007/978-3-319-24574-4_28",
            },
        ),
        tags=("instance-segmentation", "nuclei", "fluorescence", "2d", "unet", "cells"),
        settings={
            "decode": "instances",
            "maps": ["background", "interior", "boundary"],
            **DECODED,
        },
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei"),
    training=Training(_task, steps=4000, learning_rate=3e-3),
    measured=Measured(_scores, _picture, about=ABOUT),
)
