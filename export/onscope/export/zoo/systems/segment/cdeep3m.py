"""CDeep3M on three neighbouring sections of a stack (3fm) at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "cdeep3m"
SECTIONS = 3
PIPELINE = """schema: 1
stages:
  membranes: {package: "{package}"}
window: {length: 3, along: z, every: 1, look_ahead: 1}
"""


def _network() -> nn.Module:
    from ...networks.segment import CDeep3M

    return CDeep3M(SECTIONS, width=1 / 8)


def _choices() -> Choices:
    stacks = np.random.default_rng(1).poisson(200, (2, SECTIONS, 48, 64)).astype(np.uint16)
    return Choices(
        example=stacks[0][None, None],
        axes="bczyx",
        output_axes=("bcyx",),
        pre=(percentiles(1, 99.8, ("z", "y", "x")), cast("float32")),
        output_names=("classes",),
        minimum=16,
        step=16,
        sizes=[(32, 48), (64, 16)],
        frames=[stacks[1]],
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="CDeep3M with an eighth of its features: membranes of a section from it and its two neighbours",
        takes_and_gives="Three uint16 sections of a stack; background or membrane for each pixel of the middle one.",
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing.",
        cite=(
            {
                "text": "M. G. Haberl et al., CDeep3M - plug-and-play cloud-based deep learning for image "
                "segmentation, Nature Methods 15, 677 (2018)",
                "doi": "10.1038/s41592-018-0106-z",
            },
        ),
        tags=("semantic-segmentation", "electron-microscopy", "3d", "cdeep3m"),
        settings={"decode": "classes", "classes": ["background", "membrane"]},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@membranes", frames=8),
    cost_shape=(256, 256),
    window=SECTIONS,
)
