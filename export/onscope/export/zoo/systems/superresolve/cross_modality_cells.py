"""The cross-modality GAN on cells: wide-field frames as a confocal microscope would show them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..._texts import Words
from .._structures import Frame
from .._system import Live, Measured, System, Training
from ._cells_quality import METRICS, PIPELINE, Metric, Samples, choices, picture, scores
from ._confocal import KINDS, held_out, training
from ._enlarging import correlation
from ._fine import behind_coarse_pixels

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

KEY = "cross-modality-cells"
FEATURES, DEPTH = 8, 4
SPECIMENS = 40
"""Of each kind, three fields each."""
ALONE, WEIGHT = 2200, 0.1
"""Batches before the discriminator has a say, and of how much weight its word is then."""


def _network() -> nn.Module:
    from torch import nn

    from ...networks.superresolve import CrossModality

    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bicubic", align_corners=False), CrossModality(FEATURES, DEPTH)
    )


def _task() -> Task:
    from ...networks.superresolve import CrossModalityDiscriminator
    from ._adversarial_task import AdversarialTask

    judge = CrossModalityDiscriminator(FEATURES, 4)
    light = training(SPECIMENS)
    return AdversarialTask(_network(), judge, ALONE, WEIGHT, light=light, side=40, batch=6)


def _frame(kind: int, number: int, peak: float) -> Frame:
    wide, confocal = held_out(kind, number)
    return behind_coarse_pixels(wide, np.random.default_rng((number, kind)), peak, sharp=confocal)


CORRELATION = Metric("correlation", "", correlation)
SAMPLES = Samples([" ".join(kind) for kind in KINDS], _frame, fitted=True)
SYSTEM = System(
    key=KEY,
    network=_network,
    choices=partial(choices, step=2 ** (DEPTH - 1), samples=SAMPLES),
    words=Words(
        name=KEY,
        folder=KEY,
        description="Cross-modality GAN: wide-field frames of cells as a confocal microscope would show them",
        takes_and_gives=(
            "One uint16 wide-field frame (1, 1, y, x) of mitochondria, membranes or nuclei, y and x of at least 16 and "
            "multiples of 8 (onscope pads others), normalised to its percentiles 3 and 99.8. The answer is float32 "
            "(1, 1, 2y, 2x), brought back to the frame's counts: a thin sheet in focus is as bright in both."
        ),
        recipe=(
            "Mitochondria and membranes of the scenario label-free and nuclei of dividing-cells (40x/0.95, pixels of "
            "0.163 um), 40 to 130 % of their cells, focus off by 0.4 um (standard deviation), 40 specimens of each "
            "with up to three fields, turned and mirrored; 60 to 3000 photons in the brightest pixels over a "
            "background of 0.5 to 30, behind sCMOS sensors of many kinds; noise is drawn anew for every batch, and "
            "examples are 0.5 to 4 times as bright as their percentiles say. The truth is the same place in a "
            "confocal microscope with the same lens and a pinhole of 1 Airy unit, noise-free, on pixels of half the "
            "size. Loss: the logarithm of each crop's squared error, and after 2200 batches 0.1 times the "
            "discriminator's cross entropy. The paper learns from registered pairs of images, among them confocal "
            "and STED, TIRF and TIRF-SIM, and an objective of low and one of high aperture."
        ),
        limits=(
            "A wide-field image does not tell where along the axis its light comes from: how much of it is haze is "
            "guessed from what such cells look like, and on other samples, lenses or pixel sizes the guess is wrong. "
            "It is no optical section: do not measure volumes, colocalisation or intensities in it. **In PSNR it does "
            "not beat Richardson-Lucy** brought to the truth's brightness, since its own brightness is wrong: of the "
            "three structures it learned together it takes nuclei for haze, and shows them at a third of their light. "
            "Shapes are nearer to the confocal image on most membranes (one field of five failed) and, from 400 "
            "photons on, on most mitochondria, not on nuclei; at 100 photons only membranes gain. Simulated cells "
            "alone. Percentiles are the whole frame's, so that a cut-out is not treated as in the full frame."
        ),
        cite=(
            {
                "text": "H. Wang et al., Deep learning enables cross-modality super-resolution in fluorescence "
                "microscopy, Nature Methods 16, 103 (2019)",
                "doi": "10.1038/s41592-018-0239-0",
            },
        ),
        tags=("super-resolution", "confocal", "widefield", "fluorescence", "2d", "gan", "cells"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:label-free@membranes"),
    training=Training(_task, steps=3800, learning_rate=1e-3),
    measured=Measured(
        partial(scores, metrics=(*METRICS, CORRELATION), samples=SAMPLES),
        partial(picture, "Cross-modality GAN on held-out cells: wide field to confocal", "GAN", samples=SAMPLES),
        about=(
            "Measured through the runtime on 128x128 frames of specimens that training never saw, each behind a "
            "camera of its own; mean and standard deviation over the seeds. The truth is the noise-free confocal "
            "image on 256x256 pixels. PSNR over the span of the truth. The filters' parameters are those with the "
            "best PSNR on each frame, the truth known: the Gaussian's width; of Richardson-Lucy the width, the "
            "iterations, the background, and whether its estimate is blurred again. All filters' images, but not the "
            "network's, are brought to the truth's brightness and background by least squares, for none of them can "
            "take haze away; the correlation with the truth asks for neither."
        ),
    ),
)
