"""The training of classifiers of patterns: crops of all classes alike, at all light levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...recipes import Part
from .._augment import crop, turned
from ._features import normalised
from ._patterns import SEEN, SPECIMENS, patterns, seen

Array = npt.NDArray[Any]


class PatternTask:
    """Frames to the number of the structure: cross entropy of the network's logits."""

    def __init__(self, network: nn.Module, light: Array | None = None, batch: int = 20, side: int = SEEN) -> None:
        self.network, self.batch, self.side = network, batch, side
        self.light = patterns(Part.TRAINING, SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        names = rng.integers(self.light.shape[1], size=self.batch)
        frames = np.stack([self._frame(int(name), rng) for name in names])
        logits = self.network(torch.from_numpy(frames)[:, None].contiguous(memory_format=torch.channels_last))
        return functional.cross_entropy(logits, torch.from_numpy(names), label_smoothing=0.05)

    def _frame(self, name: int, rng: np.random.Generator) -> Array:
        structure = self.light[rng.integers(len(self.light)), name]
        return normalised(seen(turned(crop(structure, self.side, rng), int(rng.integers(8))), rng).counts)
