"""The training of in-silico labelling: for each pixel and label, which bin of brightness it is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.restore import InSilicoLabelling
from ...recipes import Part
from ._fnet_task import SPECIMENS, cut
from ._stacks import Cells, cells, through_a_camera

Array = npt.NDArray[Any]
LOW, HIGH = 1.0, 99.0
BINS = 64
TOP = 3.0
"""What is the last bin, in bright structures of a label."""


class LabelsTask:
    """Percentile-normalised stacks to the bins of three labels, by cross entropy as in the paper."""

    def __init__(
        self, network: nn.Module, fields: Sequence[Cells] | None = None, batch: int = 1, side: int = 96
    ) -> None:
        self.network, self.batch, self.side = network, batch, side
        self.fields = cells(Part.TRAINING, SPECIMENS) if fields is None else fields

    def loss(self, rng: np.random.Generator) -> Tensor:
        pairs = [self._pair(rng) for _ in range(self.batch)]
        stacks, bins = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        assert isinstance(self.network, InSilicoLabelling)
        told = self.network.logits(stacks)
        each = [functional.cross_entropy(logits, bins[:, label]) for label, logits in enumerate(told)]
        return torch.stack(each).mean()

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        light, labels = cut(self.fields[int(rng.integers(len(self.fields)))], ("light", "labels"), self.side, rng)
        counts = through_a_camera(light, rng).astype(np.float32)
        low, high = np.percentile(counts, (LOW, HIGH))
        return np.asarray((counts - low) / max(float(high - low), 1e-6), np.float32), binned(labels)


def binned(labels: Array) -> npt.NDArray[np.int64]:
    """Numbers of the bins: 0 for nothing, the last one for `TOP` and more."""
    return np.asarray(np.rint(np.clip(labels.astype(np.float32) / TOP, 0, 1) * (BINS - 1)), np.int64)
