"""How deep cells lie, by classification: the axial network of the 3-D tracker, on crops around nuclei."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System
from .vgg_depth import CITE

if TYPE_CHECKING:
    from torch import nn

KEY = "axial-depth"
SIDE, DEPTHS, WIDTH, HIDDEN = 32, 32, 8, 64
PIPELINE = f"""schema: 1
stages:
  nuclei: {{package: zoo/nuclei-cells}}
  cells: {{measure: nuclei}}
  depths: {{package: "{{package}}", crops: cells, side: {SIDE}}}
"""


def _network() -> nn.Module:
    from ...networks.classify.vgg_depth import AxialCnn

    return AxialCnn(DEPTHS, SIDE, WIDTH, HIDDEN)


def _choices() -> Choices:
    frames = np.random.default_rng(1).poisson(200, (2, SIDE, SIDE)).astype(np.uint16)
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(1, 99.8, ("y", "x")), cast("float32")),
        output_axes=("bc",),
        output_names=("depths",),
        fixed=True,
        frames=[frames[1]],
        batches=True,
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description=f"How deep a cell lies, by classification of a crop around it into {DEPTHS} slices",
        takes_and_gives=(
            f"Crops (n, 1, {SIDE}, {SIDE}) uint16 around one cell each, scaled by their percentiles 1 and 99.8; "
            f"probabilities (n, {DEPTHS}) of the slices of the axial range, from the bottom up. Live on each "
            "nucleus that zoo/nuclei-cells finds, in place of the places of `vgg-depth`, whose seeded weights "
            "find none."
        ),
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing.",
        cite=(CITE,),
        tags=("depth", "3d", "classification", "2d"),
        settings={"decode": "classes", "classes": [f"slice {number}" for number in range(DEPTHS)]},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei,size=256", frames=8),
    cost_shape=(256, 256),
)
