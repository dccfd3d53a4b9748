"""Association of cells in 3-D, on live stacks, with the last stack's cells in the network's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices, FurtherInput
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

KEY = "cell-association"
PLANES, SIDE, CELLS = 9, 128, 24
PIPELINE = f"""schema: 1
stages:
  cells: {{package: "{{package}}"}}
window: {{length: {PLANES}, along: z, on_gap: hold}}
"""


def _network() -> nn.Module:
    from ._associating import StackAssociation

    return StackAssociation((PLANES, SIDE, SIDE), CELLS)


def _choices() -> Choices:
    from ._associating import COLUMNS, StackAssociation

    numbers = StackAssociation((PLANES, SIDE, SIDE), CELLS).memory
    stacks = np.random.default_rng(1).poisson(200, (2, PLANES, SIDE, SIDE)).astype(np.uint16)
    return Choices(
        example=stacks[0][None],
        axes="bzyx",
        output_axes=("bic", "bic"),
        pre=(percentiles(1, 99.8), cast("float32")),
        output_names=("cells", "next_memory"),
        fixed=True,
        frames=[stacks[1]],
        further=(FurtherInput("memory", "bic", (1, CELLS, numbers)),),
        settings={
            "decode": "points",
            "columns": list(COLUMNS),
            "threshold": 0.3,
            "state": [{"input": "memory", "output": "next_memory"}],
        },
    )


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description=f"Up to {CELLS} cells of a stack, and which of the last stack's each of them was",
        takes_and_gives=(
            f"Stacks (1, {PLANES}, {SIDE}, {SIDE}) uint16, of that one size, scaled by their percentiles 1 and "
            "99.8, and a memory of the last stack's cells that onscope carries from stack to stack "
            "(config.onscope.state). A table with a row for each cell: brightness, z in planes, y, x, the row of "
            "the cell that it was in the last stack (-1: none), how likely, and how likely the last stack's cell "
            "of that row has gone."
        ),
        recipe="Seeded weights.",
        limits=(
            "Not trained: who was whom means nothing. After a mention of Moghadam (2021). Cells are bright places"
            " of a smoothed stack. The layers of the network that is named here are not known; all of it was "
            "chosen here."
        ),
        cite=(),
        tags=("tracking", "association", "3d", "recurrent"),
        settings={},
    ),
    live=Live(PIPELINE, f"specimen:dividing-cells@nuclei,planes={PLANES},step_um=1,size={SIDE}", frames=4 * PLANES),
    cost_shape=(SIDE, SIDE),
    window=PLANES,
)
