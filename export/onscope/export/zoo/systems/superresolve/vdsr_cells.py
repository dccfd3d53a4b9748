"""VDSR on cells: twelve of its layers, with sixteen features."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, Measured, System, Training
from ._beside_srcnn import srcnn
from ._cells_quality import ABOUT, PIPELINE, choices, picture, scores
from ._cells_words import BRIGHTER_TOO, GIVES, LEARNT_FROM, NOT_REAL, on_real_images

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

KEY = "vdsr-cells"
FEATURES, LAYERS = 16, 12


def _network() -> nn.Module:
    from ...networks.superresolve import Vdsr

    return Vdsr(FEATURES, LAYERS)


def _task() -> Task:
    from ._cells_task import EnlargeCellsTask

    return EnlargeCellsTask(_network(), batch=6)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="VDSR with twelve layers: fluorescence of cells on twice as many pixels per side",
        takes_and_gives=GIVES,
        recipe=f"{LEARNT_FROM} {BRIGHTER_TOO} Loss: the logarithm of each crop's squared error.",
        limits=(
            f"{NOT_REAL} The paper's network has twenty layers of 64 features; this one sees 25 fine pixels at once. "
            "It is within 0.4 dB of SRCNN up to 400 photons, and 0.4 to 1.2 dB ahead of it at 2000; on mitochondria at "
            "2000 photons Richardson-Lucy with the best parameters, and even bicubic interpolation, are ahead of it. "
            + on_real_images("32.0 / 39.4, 47.7 / 49.2, 49.6 / 52.0, 33.3 / 34.1 and 43.6 / 44.7")
        ),
        cite=(
            {
                "text": "J. Kim, J. K. Lee, K. M. Lee, Accurate image super-resolution using very deep convolutional "
                "networks, CVPR 2016",
                "doi": "10.1109/CVPR.2016.182",
            },
        ),
        tags=("super-resolution", "fluorescence", "2d", "vdsr", "cells"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@membranes"),
    training=Training(_task, steps=5000, learning_rate=2e-3),
    measured=Measured(
        partial(scores, others=srcnn),
        partial(picture, "VDSR on held-out cells", "VDSR"),
        about=f"{ABOUT} SRCNN is the package srcnn-cells.",
    ),
)
