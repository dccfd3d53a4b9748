"""DRCN: sixteen recursions of one convolution of sixteen features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, System
from ._cells_quality import PIPELINE, choices
from ._cells_words import GIVES

if TYPE_CHECKING:
    from torch import nn

KEY = "drcn"
FEATURES, RECURSIONS = 16, 16


def _network() -> nn.Module:
    from ...networks.superresolve import Drcn

    return Drcn(FEATURES, RECURSIONS)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=choices,
    words=Words(
        name="drcn seeded",  # names of packages have five letters or more
        folder=KEY,
        description="DRCN with sixteen features and seeded weights: shows that the network runs live",
        takes_and_gives=GIVES,
        recipe="None: the weights are seeded.",
        limits="It is not trained, and what it answers means nothing.",
        cite=(
            {
                "text": "J. Kim, J. K. Lee, K. M. Lee, Deeply-recursive convolutional network for image "
                "super-resolution, CVPR 2016",
                "doi": "10.1109/CVPR.2016.181",
            },
        ),
        tags=("super-resolution", "2d", "drcn"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@membranes,size=256", frames=12),
    cost_shape=(256, 256),
)
