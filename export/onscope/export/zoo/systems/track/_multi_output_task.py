"""The training of the multi-output tracker: motion and mitosis together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..._crops import cut
from ...networks.track import MultiOutputTracker
from ...recipes import Part
from .._augment import turned
from ._moving import moving

Array = npt.NDArray[Any]
SPECIMENS = 60
LOW, HIGH = 1.0, 99.8
MITOSES = 0.3
"""Share of the examples in which the cell divides."""
OFF_PX = 1.5
"""Standard deviation of where crops are cut, as a segmentation is off."""


class MultiOutputTask:
    """Two crops to a place and a class: cross entropy over candidates around the true place, and of mitosis.

    `found` is what `moving` gives; None: of the training part.
    """

    def __init__(
        self, network: MultiOutputTracker, side: int, found: dict[str, Array] | None = None, batch: int = 32
    ) -> None:
        self.network, self.side, self.batch = network, side, batch
        bank = moving(Part.TRAINING, SPECIMENS) if found is None else found
        self.before, self.after, self.cells = bank["before"], bank["after"], bank["cells"]
        reach = float(network.places.abs().max())
        near = (np.abs(self.cells[:, 4:6]) <= reach).all(axis=1)
        self.pools = [np.flatnonzero(near & (self.cells[:, 6] == kind)) for kind in (0, 1)]

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [self.example(rng) for _ in range(self.batch)]
        crops, moved, mitosis = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
        candidates, score = self.network.logits(crops)
        places = self.network.places
        step = float((places[1] - places[0]).abs().max())
        far = (places[None] - moved[:, None]).square().sum(dim=2)
        wanted = torch.softmax(-far / (2 * (0.6 * step) ** 2), dim=1)
        motion = functional.cross_entropy(candidates, wanted)
        return motion + functional.binary_cross_entropy_with_logits(score[:, 0], mitosis)

    def example(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Normalised crops float32 (2, side, side), the motion (2,) in pixels, and whether it divides."""
        pool = self.pools[int(rng.random() < MITOSES and len(self.pools[1]) > 0)]
        n, _, y, x, dy, dx, mitosis = self.cells[int(rng.choice(pool))]
        off = rng.normal(0, OFF_PX, 2)
        place = np.rint(np.array([[y, x]]) + off)
        pair = np.stack([cut(one[int(n)], place, self.side)[0] for one in (self.before, self.after)])
        # The motion is from where the crop was cut, and turns with it.
        arrow = np.array([y + dy, x + dx]) - place[0]
        way = int(rng.integers(8))
        pair, arrow = turned(pair, way), turned_arrow(arrow, way, self.side)
        low, high = np.percentile(pair, (LOW, HIGH))
        crops = (pair.astype(np.float32) - low) / (high - low + 1e-6)
        return crops.astype(np.float32), arrow.astype(np.float32), np.float32(mitosis)  # type: ignore[return-value]


def turned_arrow(arrow: Array, way: int, side: int) -> Array:
    """(dy, dx) from pixel `side // 2` of a crop (side, side) after it was `turned` in this way, from the same pixel."""
    y, x = arrow + side // 2 - (side - 1) / 2  # from the middle, which stays where it is
    if way >= 4:
        x = -x
    for _ in range(way % 4):  # a quarter against the clock: what pointed right points up
        y, x = -x, y
    return np.array([y, x]) - (side // 2 - (side - 1) / 2)
