"""SRCNN on cells: the published network, as wide as published."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, Measured, System, Training
from ._cells_quality import ABOUT, PIPELINE, choices, picture, scores

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

KEY = "srcnn-cells"


def _network() -> nn.Module:
    from ...networks.superresolve import Srcnn

    return Srcnn()


def _task() -> Task:
    from ._cells_task import EnlargeCellsTask, as_bicubic

    network = _network()
    as_bicubic(network.layers)  # type: ignore[arg-type]
    return EnlargeCellsTask(network)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="SRCNN: fluorescence of cells on twice as many pixels per side",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of nuclei, membranes or mitochondria, y and x of at least 16, normalised to "
            "its percentiles 3 and 99.8. The answer is float32 (1, 1, 2y, 2x): onscope brings it back to the frame's "
            "counts, so that a pixel of half the size shows what a whole one of this brightness would count."
        ),
        recipe=(
            "Nuclei, membranes and mitochondria of the specimen's scenarios dividing-cells and label-free: 40 to 130 % "
            "of their cells, fine pixels of 0.1 to 0.33 um, focus off by 0.7 um (standard deviation), 240 fields of "
            "256x256 turned and mirrored. Frames are the mean over 2x2 of these pixels, with 60 to 3000 photons in the "
            "brightest pixels over a background of 0.5 to 30, behind sCMOS sensors of many kinds; noise is drawn anew "
            "for every batch. In the paper frames are free of noise. The training begins with weights that let the "
            "bicubic interpolation pass. Loss: the logarithm of each crop's squared error."
        ),
        limits=(
            "Trained on simulated cells in moderate to good light alone: below about 60 photons in the brightest pixels "
            "denoise first. It takes noise out and samples finer; it gives back what pixels averaged away, not what the "
            "optics did not pass. It sees 13 fine pixels at once: noise that is wider than that stays. Percentiles are "
            "the whole frame's, so that a cut-out is not treated as in the full frame."
        ),
        cite=(
            {
                "text": "C. Dong, C. C. Loy, K. He, X. Tang, Image super-resolution using deep convolutional networks, "
                "IEEE TPAMI 38, 295 (2016)",
                "doi": "10.1109/TPAMI.2015.2439281",
            },
        ),
        tags=("super-resolution", "fluorescence", "2d", "srcnn", "cells"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@membranes"),
    training=Training(_task, steps=8000, learning_rate=1e-3),
    measured=Measured(scores, partial(picture, "SRCNN on held-out cells", "SRCNN"), about=ABOUT),
)
