"""The training of CARE's probabilistic network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...recipes import Part
from .._augment import crop, turned
from .._structures import behind_a_camera, structures

Array = npt.NDArray[Any]
SPECIMENS = 30
"""Of each kind of structure, two fields each."""
LOW, HIGH = 3.0, 99.8


class CareTask:
    """Percentile-normalised frames to their noise-free selves, of crops with percentiles of their own."""

    def __init__(self, network: nn.Module, batch: int = 8, side: int = 96) -> None:
        self.network, self.batch, self.side = network, batch, side
        self.light = structures(Part.TRAINING, SPECIMENS)

    def loss(self, rng: np.random.Generator) -> Tensor:
        pairs = [self._pair(rng) for _ in range(self.batch)]
        frames, truth = (torch.from_numpy(np.stack(part))[:, None] for part in zip(*pairs, strict=True))
        mean, scale = self.network(frames)
        return ((mean - truth).abs() / scale + torch.log(scale)).mean()  # type: ignore[no-any-return]

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        light = turned(crop(self.light[rng.integers(len(self.light))], self.side, rng), int(rng.integers(8)))
        frame = behind_a_camera(light.astype(np.float32), rng)
        low, high = np.percentile(frame.counts, (LOW, HIGH))
        span = max(float(high - low), 1e-6)
        return tuple(np.asarray((part - low) / span, np.float32) for part in (frame.counts, frame.truth))  # type: ignore[return-value]
