"""A classifier for the four channels of the Human Protein Atlas, at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "protein-atlas"
DEPTH, WIDTH = 18, 8
CHANNELS = 4
PIPELINE = """schema: 1
stages:
  places: {package: "{package}"}
window: {length: 4, along: c}
"""


def _network() -> nn.Module:
    from ...networks.classify import ProteinAtlasResNet

    return ProteinAtlasResNet(DEPTH, CHANNELS, width=WIDTH)


def _choices() -> Choices:
    from ...networks.classify.protein_atlas import CHANNELS as NAMES_OF_CHANNELS
    from ...networks.classify.protein_atlas import NAMES

    frames = np.random.default_rng(1).poisson(200, (2, CHANNELS, 64, 80)).astype(np.uint16)
    return Choices(
        example=frames[0][None],
        output_axes=("bc",),
        output_names=("places",),
        channel_names=NAMES_OF_CHANNELS,
        pre=(percentiles(1, 99.8, ("y", "x")), cast("float32")),
        minimum=32,
        step=1,
        sizes=[(33, 47), (64, 64)],
        frames=[frames[1]],
        settings={"classes": list(NAMES)},
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="A ResNet-18 with eight features on four channels: 28 places of a protein, several at once",
        takes_and_gives="Four uint16 channels: microtubules, protein, nucleus, reticulum; 28 probabilities.",
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing.",
        cite=(
            {
                "text": "W. Ouyang et al., Analysis of the Human Protein Atlas Image Classification competition, "
                "Nature Methods 16, 1254 (2019)",
                "doi": "10.1038/s41592-019-0658-6",
            },
        ),
        tags=("classification", "multi-label", "protein-localization", "fluorescence", "2d", "resnet"),
        settings={"decode": "classes", "multi_label": True},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei", frames=16),
    window=CHANNELS,
)
