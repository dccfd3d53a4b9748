"""The training of LEAP: heat maps of the key points of bacteria."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..._nuclei_task import relit
from ...recipes import Part
from .._augment import crop, turned
from .._bank import bank
from ._fields import normalised
from ._rods import POINTS, RODS, Rods

Array = npt.NDArray[Any]
SPECIMENS = 60
"""Six frames of each."""
SIGMA = 2.0
"""Pixels of the Gaussian that stands at a key point."""
PEAKS = 30.0
"""What the top of a Gaussian weighs on top of the 1 of the background, which is most of a map."""


class LeapTask:
    """Normalised frames to heat maps: the squared error, which counts most where key points are."""

    def __init__(self, network: nn.Module, fields: Array | None = None, batch: int = 6, side: int = 128) -> None:
        self.network, self.batch, self.side = network, batch, side
        self.fields = bank(RODS, Part.TRAINING, SPECIMENS, _arrays)["fields"] if fields is None else fields

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = torch.from_numpy(np.stack([self._example(rng) for _ in range(self.batch)]))
        frames, heat = examples[:, :1], examples[:, 1:]
        found = self.network(frames.contiguous(memory_format=torch.channels_last))
        return ((1 + PEAKS * heat) * (found - heat).square()).mean() * 100  # type: ignore[no-any-return]

    def _example(self, rng: np.random.Generator) -> Array:
        chosen = crop(self.fields[rng.integers(len(self.fields))], self.side, rng)
        parts = turned(chosen, int(rng.integers(8))).astype(np.float32)
        parts[0] = relit(parts[0], rng)
        return parts


def heat_map(points: Array, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Gaussians of height 1 at points (n, 2), y and x in pixels, the larger one where they overlap: float32 (y, x)."""
    out = np.zeros(shape, np.float32)
    for y, x in points:
        down, across = (
            np.exp(-((np.arange(n) - at) ** 2) / (2 * SIGMA**2)) for n, at in zip(shape, (y, x), strict=True)
        )
        np.maximum(out, down[:, None] * across, out=out)
    return out


def _arrays(examples: Sequence[Rods]) -> dict[str, Array]:
    maps = [
        np.stack([normalised(one.counts), *(heat_map(one.points[name], one.counts.shape) for name in POINTS)])
        for one in examples
    ]
    return {"fields": np.stack(maps).astype(np.float16)}
