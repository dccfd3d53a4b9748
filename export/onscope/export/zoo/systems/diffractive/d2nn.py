"""D2NN, five masks of light, on each nucleus of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, clipped, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "d2nn"
PICTURE, NEURONS, BORDER = 28, 100, 14
CLASSES = tuple(f"detector {number}" for number in range(10))
PIPELINE = f"""schema: 1
stages:
  nuclei: {{package: zoo/nuclei-cells}}
  cells: {{measure: nuclei}}
  light: {{package: "{{package}}", crops: cells, side: {PICTURE}}}
"""


def _network() -> nn.Module:
    from ...networks.diffractive import D2nn

    return D2nn(len(CLASSES), NEURONS, picture=PICTURE, border=BORDER)


def _choices() -> Choices:
    frames = np.random.default_rng(1).poisson(200, (2, PICTURE, PICTURE)).astype(np.uint16)
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(1, 99.8, ("y", "x")), clipped(0, 1), cast("float32")),
        output_axes=("bc",),
        output_names=("light",),
        fixed=True,
        frames=[frames[1]],
        batches=True,
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name="d2nn-light",
        folder=KEY,
        description=f"D2NN: five masks of {NEURONS}x{NEURONS} neurons that delay light, and ten detectors",
        takes_and_gives=(
            f"Crops (n, 1, {PICTURE}, {PICTURE}) uint16 of single nuclei, scaled by their percentiles 1 and 99.8, "
            "as the amplitude of light in the first plane; the share of the light on each of ten detectors, of "
            "which the brightest is the class. Live on each nucleus that zoo/nuclei-cells finds."
        ),
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing. Masks have a quarter of the paper's neurons.",
        cite=(
            {
                "text": "X. Lin et al., All-optical machine learning using diffractive deep neural networks, Science "
                "361, 1004 (2018)",
                "doi": "10.1126/science.aat8084",
            },
        ),
        tags=("diffractive", "optical", "classification", "2d"),
        settings={"decode": "classes", "classes": list(CLASSES)},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei,size=256", frames=8),
    cost_shape=(256, 256),
)
