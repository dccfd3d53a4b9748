"""Where cells are, by classification: the lateral VGG-19 of the 3-D tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "vgg-depth"
WIDTH, HIDDEN = 8, 64
CITE = {
    "text": "K. Liu et al., Fast 3D cell tracking with wide-field fluorescence microscopy through deep learning (2018)",
    "doi": "10.48550/arXiv.1805.05139",
}
PIPELINE = """schema: 1
stages:
  places: {package: "{package}"}
"""


def _network() -> nn.Module:
    from ...networks.classify.vgg_depth import LateralVgg19

    return LateralVgg19(1, WIDTH, HIDDEN)


def _choices() -> Choices:
    frames = np.random.default_rng(1).poisson(200, (2, 64, 96)).astype(np.uint16)
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(1, 99.8, ("y", "x")), cast("float32")),
        output_names=("places",),
        minimum=32,
        step=8,
        sizes=[(32, 40), (56, 48)],
        frames=[frames[1]],
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="Where cells are, by VGG-19 with an eighth of its features: a label for each 8x8 pixels",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x), scaled by its percentiles 1 and 99.8, y and x of at least 32 and "
            "multiples of 8 (onscope pads others); probabilities (1, 1, y / 8, x / 8) that a cell is there, of "
            "which onscope makes points. How deep each lies is the question to the second network, `axial-depth`,"
            " on crops around them."
        ),
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing.",
        cite=(CITE,),
        tags=("detection", "3d", "depth", "2d", "vgg"),
        settings={"decode": "peaks", "threshold": 0.5},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei,size=256", frames=8),
    cost_shape=(256, 256),
)
