"""Association of cells in 3-D, on live stacks, with the last stack's cells in the network's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices, FurtherInput
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

Array = npt.NDArray[Any]
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
    from ._associating import StackAssociation

    network = StackAssociation((PLANES, SIDE, SIDE), CELLS)
    stacks = [_cells(seed) for seed in (0, 1)]
    return Choices(
        example=stacks[0][None],
        axes="bzyx",
        output_axes=("bic", "bic"),
        pre=(percentiles(1, 99.8), cast("float32")),
        output_names=("cells", "next_memory"),
        fixed=True,
        frames=[stacks[1]],
        further=(FurtherInput("memory", "bic", (1, CELLS, network.memory)),),
        settings={
            "decode": "points",
            "columns": list(network.columns),
            "threshold": 0.3,
            "state": [{"input": "memory", "output": "next_memory"}],
        },
    )


def _cells(seed: int) -> Array:
    """A stack uint16 of a dozen cells, each of a brightness of its own: of equal ones the order is chance."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:PLANES, :SIDE, :SIDE]
    stack = np.full((PLANES, SIDE, SIDE), 200.0)
    for number, (row, column) in enumerate(np.ndindex(3, 4)):
        middle = (rng.uniform(1, PLANES - 1), 24 + 36 * row + rng.uniform(-6, 6), 20 + 28 * column + rng.uniform(-5, 5))
        far = ((z - middle[0]) * 3) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2
        stack += (600 + 120 * number) * np.exp(-far / 40)
    return stack.astype(np.uint16)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description=f"Up to {CELLS} cells of a stack, and which of the last stack's each of them was",
        takes_and_gives=(
            f"Stacks (1, {PLANES}, {SIDE}, {SIDE}) uint16, of that one size, scaled by their percentiles 1 and 99.8, "
            "and a memory of the last stack's cells that onscope carries from stack to stack (config.onscope.state). "
            "A table with a row for each cell: brightness, z in planes, y, x, how likely the last stack's cell of that "
            f"row has gone, and {CELLS} numbers was_0, was_1, ...: how likely the cell was each of the last stack's. A "
            "linear assignment of these is what a tracker makes of them."
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
