"""The training of the U-Net: background, inside and outline of nuclei, gaps between them weighing most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..._nuclei_task import relit
from .._augment import crop, turned
from ._fields import outlines, training_fields

Array = npt.NDArray[Any]
BETWEEN = 8.0
"""What a pixel between two nuclei weighs on top of 1, times how much it lies between them."""
INSIDE, OUTLINE = 1, 2


class UnetTask:
    """Normalised frames to classes of pixels; layers are computed in bfloat16, as those of the network for nuclei."""

    def __init__(
        self, network: nn.Module, fields: Mapping[str, Array] | None = None, batch: int = 4, side: int = 160
    ) -> None:
        self.network, self.batch, self.side = network, batch, side
        fields = training_fields() if fields is None else fields
        self.fields = [
            np.stack(one) for one in zip(*(fields[name] for name in ("frame", "labels", "gap")), strict=True)
        ]

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [self._example(rng) for _ in range(self.batch)]
        frames, classes, weights = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
        frames = frames[:, None].contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network(frames)
        errors = functional.cross_entropy(logits.float(), classes, reduction="none")
        return (errors * weights).sum() / weights.sum()

    def _example(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        chosen = self.fields[rng.integers(len(self.fields))]
        frame, labels, gap = turned(crop(chosen, self.side, rng), int(rng.integers(8))).astype(np.float32)
        classes = classes_of(labels)
        return relit(frame, rng), classes, np.where(classes == INSIDE, 1, 1 + BETWEEN * gap).astype(np.float32)


def classes_of(labels: Array) -> npt.NDArray[np.int64]:
    """0 for the background, `INSIDE`, or `OUTLINE` for pixels of a nucleus that touch others: (rows, columns)."""
    return np.where(outlines(labels), OUTLINE, np.where(labels > 0, INSIDE, 0)).astype(np.int64)
