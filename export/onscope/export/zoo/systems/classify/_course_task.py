"""The training of the CNN with a memory: courses of cells, and at each time the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ...networks.classify import CnnLstm
from ...recipes import Part
from .._augment import turned
from ._courses import CLASSES, SPECIMENS, courses, filmed
from ._features import normalised

Array = npt.NDArray[Any]
FROM_ANYWHERE = 0.3
"""Share of the courses that begin later: the memory is empty at any moment of a cell's life."""


class CourseTask:
    """Movies to classes: cross entropy at every time, each class as heavy as its square root is rare."""

    def __init__(self, network: CnnLstm, bank: Mapping[str, Array] | None = None, batch: int = 14) -> None:
        self.network, self.batch = network, batch
        bank = courses(Part.TRAINING, SPECIMENS) if bank is None else bank
        self.light, self.names = bank["light"], bank["names"]
        share = np.bincount(self.names.ravel(), minlength=len(CLASSES)) / self.names.size
        weights = 1 / np.sqrt(np.maximum(share, 1e-3))
        self.weights = torch.from_numpy((weights / (weights * share).sum()).astype(np.float32))

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [self._course(rng) for _ in range(self.batch)]
        frames, names = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
        count, times = names.shape
        flat = frames.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
        seen = self.network.seen(flat).reshape(count, times, -1)
        hidden = cell = seen.new_zeros(count, seen.shape[2])
        scores = []
        for time in range(times):
            told, hidden, cell = self.network.remembered(seen[:, time], hidden, cell)
            scores.append(told)
        return functional.cross_entropy(torch.stack(scores, dim=1).flatten(0, 1), names.flatten(), self.weights)

    def _course(self, rng: np.random.Generator) -> tuple[Array, Array]:
        row = int(rng.integers(len(self.light)))
        light, names = self.light[row], self.names[row]
        if rng.random() < FROM_ANYWHERE:  # what was before is shown again at the end, so that lengths are equal
            start = int(rng.integers(1, len(names)))
            order = np.minimum(np.arange(start, start + len(names)), len(names) - 1)
            light, names = light[order], names[order]
        movie = filmed(turned(light, int(rng.integers(8))), rng)
        return np.stack([normalised(one) for one in movie]), names
