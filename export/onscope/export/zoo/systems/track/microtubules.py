"""Recurrent attention on filaments: instances of the newest of two frames, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "microtubules"
FRAMES, INSTANCES, FEATURES = 2, 8, 8
PIPELINE = f"""schema: 1
stages:
  filaments: {{package: "{{package}}"}}
window: {{length: {FRAMES}, along: t, every: 1}}
"""


def _network() -> nn.Module:
    from ...networks.track import RecurrentAttention

    return RecurrentAttention(FRAMES, INSTANCES, FEATURES)


def _choices() -> Choices:
    frames = np.random.default_rng(1).poisson(200, (2, FRAMES, 48, 64)).astype(np.uint16)
    return Choices(
        example=frames[0][None],
        axes="btyx",
        output_axes=("bcyx",),
        pre=(percentiles(1, 99.8), cast("float32")),
        output_names=("instances",),
        minimum=16,
        step=4,
        sizes=[(16, 20), (40, 28)],
        frames=[frames[1]],
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description=f"Recurrent attention: up to {INSTANCES} microtubules of a frame, one after the other, as masks",
        takes_and_gives=(
            f"Windows of {FRAMES} uint16 frames (1, {FRAMES}, y, x), the newest last, scaled by their percentiles "
            "1 and 99.8, y and x of at least 16 and multiples of 4 (onscope pads others). One float32 output (1, "
            f"{INSTANCES}, y, x): the mask of an instance times its score in each channel."
        ),
        recipe="Seeded weights.",
        limits="Not trained: its answers mean nothing. The paper's layers and sizes are not known here.",
        cite=(
            {
                "text": "S. Masoudi et al., Instance-level microtubule tracking, IEEE Transactions on Medical Imaging "
                "39, 2061 (2020)",
                "doi": "10.48550/arXiv.1901.06006",
            },
        ),
        tags=("tracking", "instances", "microtubules", "2d", "recurrent"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:spots,size=256", frames=8),
    cost_shape=(256, 256),
    window=FRAMES,
)
