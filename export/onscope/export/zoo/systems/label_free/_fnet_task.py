"""The training of FNet on stacks of bright field and of the nuclei's fluorescence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...recipes import Part
from .._augment import turned
from ._regression import standardised
from ._stacks import Cells, cells, through_a_camera

Array = npt.NDArray[Any]
SPECIMENS = 50
"""Two fields each."""


class FNetTask:
    """Standardised stacks to fluorescence, by the squared error as in the paper."""

    def __init__(
        self, network: nn.Module, fields: Sequence[Cells] | None = None, batch: int = 3, side: int = 72
    ) -> None:
        self.network, self.batch, self.side = network, batch, side
        self.fields = cells(Part.TRAINING, SPECIMENS) if fields is None else fields

    def loss(self, rng: np.random.Generator) -> Tensor:
        pairs = [self._pair(rng) for _ in range(self.batch)]
        stacks, truth = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        return ((self.network(stacks) - truth) ** 2).mean()  # type: ignore[no-any-return]

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        light, target = cut(self.fields[int(rng.integers(len(self.fields)))], ("light", "nuclei"), self.side, rng)
        return standardised(through_a_camera(light, rng)), target.astype(np.float32)


def cut(field: Cells, names: Sequence[str], side: int, rng: np.random.Generator) -> list[Array]:
    """The same crop of some of a field's arrays (n, y, x), turned and mirrored alike."""
    y, x = (int(rng.integers(size - side + 1)) for size in field.light.shape[-2:])
    way = int(rng.integers(8))
    return [turned(getattr(field, name)[:, y : y + side, x : x + side], way) for name in names]
