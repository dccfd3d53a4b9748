"""DeepLabCut on a ResNet-18 at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "deeplabcut"
POINTS = 4
PIPELINE = """schema: 1
stages:
  points: {package: "{package}"}
"""


def _network() -> nn.Module:
    from ...networks.segment import DeepLabCut

    return DeepLabCut(POINTS, 1, depth=18, width=8)


def _choices() -> Choices:
    frames = np.random.default_rng(1).poisson(200, (2, 64, 96)).astype(np.uint16)
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(1, 99.8, ("y", "x")), cast("float32")),
        output_names=("scores", "locations"),
        output_axes=("bcyx", "bcyx"),
        minimum=32,
        step=16,
        sizes=[(32, 80), (64, 32)],
        frames=[frames[1]],
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="DeepLabCut on a ResNet-18 with an eighth of its features: score maps of four key points",
        takes_and_gives="One uint16 frame, scaled by its percentiles 1 and 99.8; the best place of each key point.",
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing.",
        cite=(
            {
                "text": "A. Mathis et al., DeepLabCut: markerless pose estimation of user-defined body parts with deep "
                "learning, Nature Neuroscience 21, 1281 (2018)",
                "doi": "10.1038/s41593-018-0209-y",
            },
        ),
        tags=("key-points", "pose", "2d", "deeplabcut", "resnet"),
        settings={"decode": "peaks", "per_class": 1, "threshold": 0.0},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@phase", frames=8),
)
