"""Fourier-space D2NN: masks between two lenses, of the whole frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, clipped, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "fourier-d2nn"
SIDE = 200
PIPELINE = """schema: 1
stages:
  salient: {package: "{package}"}
"""


def _network() -> nn.Module:
    from ...networks.diffractive import FourierD2nn

    return FourierD2nn(SIDE)


def _choices() -> Choices:
    frames = np.random.default_rng(1).poisson(200, (2, SIDE, SIDE)).astype(np.uint16)
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(1, 99.8, ("y", "x")), clipped(0, 1), cast("float32")),
        output_names=("salient",),
        fixed=True,
        frames=[frames[1]],
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description=f"Fourier-space D2NN: five masks of {SIDE}x{SIDE} neurons and a crystal between two lenses",
        takes_and_gives=(
            f"One uint16 frame (1, 1, {SIDE}, {SIDE}), of that one size, scaled by its percentiles 1 and 99.8 and "
            "cut to 0 to 1: the amplitude of light. One float32 output of the same shape: the intensity behind "
            "the second lens, 1 where it is largest. Larger frames go through in parts; take a region of the chip"
            " of this size."
        ),
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing.",
        cite=(
            {
                "text": "T. Yan et al., Fourier-space diffractive deep neural network, Physical Review Letters 123, "
                "023901 (2019)",
                "doi": "10.1103/PhysRevLett.123.023901",
            },
        ),
        tags=("diffractive", "optical", "saliency", "2d"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, f"specimen:dividing-cells@nuclei,size={SIDE}", frames=8),
    cost_shape=(SIDE, SIDE),
)
