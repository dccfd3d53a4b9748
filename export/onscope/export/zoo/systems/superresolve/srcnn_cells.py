"""SRCNN on cells: the published network, as wide as published."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, Measured, System, Training
from ._cells_quality import ABOUT, PIPELINE, choices, picture, scores
from ._cells_words import GIVES, LEARNT_FROM, NOT_REAL, on_real_images

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
    # Brighter examples, as the deeper networks see, cost it 0.3 dB on validation specimens.
    return EnlargeCellsTask(network, brighter=None)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="SRCNN: fluorescence of cells on twice as many pixels per side",
        takes_and_gives=GIVES,
        recipe=(
            f"{LEARNT_FROM} The training begins with weights that let the bicubic interpolation pass. Loss: the "
            "logarithm of each crop's squared error."
        ),
        limits=(
            f"{NOT_REAL} It sees 13 fine pixels at once: noise that is wider than that stays. On mitochondria at "
            "2000 photons Richardson-Lucy with the best parameters, and even bicubic interpolation, are ahead of it. "
            + on_real_images("31.6 / 39.4, 47.5 / 49.2, 48.9 / 52.0, 33.2 / 34.1 and 43.6 / 44.7")
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
