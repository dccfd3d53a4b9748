"""SRGAN on cells: SRResNet with five blocks of sixteen features, trained against the discriminator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, Measured, System, Training
from ._beside_srcnn import srcnn
from ._cells_quality import ABOUT, METRICS, PIPELINE, Metric, choices, picture, scores
from ._cells_words import BRIGHTER_TOO, GIVES, LEARNT_FROM, NOT_REAL, on_real_images
from ._resolution import spectrum_error_db

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

KEY = "srgan-cells"
FEATURES, BLOCKS = 16, 5
ALONE, WEIGHT = 2500, 0.15
"""Batches before the discriminator has a say, and of how much weight its word is then."""
SPECTRUM = Metric("error of the spectrum", "dB", spectrum_error_db, less_is_better=True)


def _network() -> nn.Module:
    from ...networks.superresolve import SrResNet

    return SrResNet(FEATURES, BLOCKS, scale=2)


def _task() -> Task:
    from ...networks.superresolve import SrganDiscriminator
    from ._adversarial_task import AdversarialTask

    return AdversarialTask(_network(), SrganDiscriminator(8, side=64, dense=64), ALONE, WEIGHT)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="SRGAN with five blocks: fluorescence of cells on twice as many pixels per side",
        takes_and_gives=GIVES,
        recipe=(
            f"{LEARNT_FROM} {BRIGHTER_TOO} Loss: the logarithm of each crop's squared error, alone for 2500 batches; "
            "then 0.15 times the discriminator's cross entropy beside it (the discriminator at eight features, on "
            "64x64 fine pixels). The paper compares features of a network that knows photographs where pixels are "
            "compared here."
        ),
        limits=(
            f"{NOT_REAL} It is taught to draw what looks like the sample, texture included: where noise hides it, it "
            "may invent, and no measurement should rest on its finest details. At this weight the discriminator "
            "brought little texture: images are as smooth as SRCNN's, and their spectrum is nearer to the truth's on "
            "mitochondria alone. At 100 photons its PSNR is 0.4 to 1 dB above SRCNN's, at 2000 as much below it, and "
            "there bicubic interpolation is ahead of it on mitochondria. The paper enlarges four times, with sixteen "
            "blocks of 64 features. "
            + on_real_images("30.3 / 39.4, 47.4 / 49.2, 48.1 / 52.0, 33.1 / 34.1 and 43.5 / 44.7")
        ),
        cite=(
            {
                "text": "C. Ledig et al., Photo-realistic single image super-resolution using a generative adversarial "
                "network, CVPR 2017",
                "doi": "10.1109/CVPR.2017.19",
            },
        ),
        tags=("super-resolution", "fluorescence", "2d", "srgan", "gan", "cells"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@membranes"),
    training=Training(_task, steps=5000, learning_rate=1e-3),
    measured=Measured(
        partial(scores, others=srcnn, metrics=(*METRICS, SPECTRUM)),
        partial(picture, "SRGAN on held-out cells", "SRGAN"),
        about=(
            f"{ABOUT} SRCNN is the package srcnn-cells. The error of the spectrum compares the power of details ring "
            "by ring of frequencies (mean of the differences in dB, without their signs): it tells how natural the "
            "texture is, not whether it is in its place."
        ),
    ),
)
