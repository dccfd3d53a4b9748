"""The training of LeNet: small crops around nuclei, as many of each class in every batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ...networks.classify import LeNet5
from ...recipes import Part
from .._augment import turned
from ._courses import CLASSES, SPECIMENS, courses
from ._features import normalised
from ._nuclei_crops import crop_of

Array = npt.NDArray[Any]


class LenetTask:
    """Normalised crops to classes: cross entropy of the network's probabilities."""

    def __init__(self, network: LeNet5, bank: Mapping[str, Array] | None = None, batch: int = 32) -> None:
        self.network, self.batch = network, batch
        bank = courses(Part.TRAINING, SPECIMENS) if bank is None else bank
        self.light, self.names = bank["light"], bank["names"]
        self.places = [np.argwhere(self.names == name) for name in range(len(CLASSES))]

    def loss(self, rng: np.random.Generator) -> Tensor:
        there = [name for name, places in enumerate(self.places) if len(places)]
        names = rng.choice(there, size=self.batch)
        crops = torch.from_numpy(np.stack([self._crop(int(name), rng) for name in names]))[:, None]
        return functional.cross_entropy(self.network.logits(crops), torch.from_numpy(names))

    def _crop(self, name: int, rng: np.random.Generator) -> Array:
        row, time = self.places[name][rng.integers(len(self.places[name]))]
        light = turned(self.light[row, time], int(rng.integers(8)))
        off = np.rint(rng.normal(0, 1.2, 2)).astype(int)
        return normalised(crop_of(np.roll(light, off, (0, 1)), rng))
