"""The training of the classifier of crops: as many of each class in every batch, turned and mirrored; calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ._crops import NAMES, SIDE, Crop
from ._crops_recipes import DIVIDING, DYING
from .mitosis import Mitosis
from .recipes import Part, Recipe, gather

Array = npt.NDArray[Any]
Bank = tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]

TRAINING: tuple[tuple[Recipe[Crop], int], ...] = ((DIVIDING, 140), (DYING, 60))
"""Recipes and how many specimens of the training part."""
VALIDATION_SHARE = 0.1
"""How many specimens of the validation part, in shares of those, set the temperature."""


class MitosisTask:
    """Crops to classes: cross entropy. The crops are made once and kept in memory (300 MB)."""

    def __init__(self, bank: Bank | None = None, batch: int = 32) -> None:
        self.network = Mitosis()
        self.pixels, names = gathered(Part.TRAINING) if bank is None else bank
        self.rows = [np.flatnonzero(names == number) for number in range(len(NAMES))]
        self.batch = batch

    def loss(self, rng: np.random.Generator) -> Tensor:
        names = rng.integers(len(NAMES), size=self.batch)
        chosen = [int(rng.choice(self.rows[name])) for name in names]
        crops = np.stack([turned(self.pixels[row], int(rng.integers(8))) for row in chosen])
        counts = torch.from_numpy(crops.astype(np.float32))[:, None]
        relative = self.network.relative(counts).contiguous(memory_format=torch.channels_last)
        return functional.cross_entropy(self.network.judged(relative), torch.from_numpy(names))

    def calibrate(self, network: nn.Module, bank: Bank | None = None) -> float:
        """Sets and gives back the temperature of a trained network, by crops of the validation part, classes alike."""
        assert isinstance(network, Mitosis)
        pixels, names = gathered(Part.VALIDATION, VALIDATION_SHARE) if bank is None else bank
        temperature = best_temperature(scores_of(network, pixels), names, balanced_weights(names))
        network.temperature.fill_(temperature)
        return temperature


def gathered(part: Part, share: float = 1.0) -> Bank:
    """Crops (n, SIDE, SIDE) and the numbers of their names (n,) of a `share` of the specimens of `TRAINING`."""
    pixels: list[npt.NDArray[np.uint16]] = []
    names: list[int] = []
    for recipe, count in TRAINING:
        for one in gather(recipe, part, max(round(share * count), 1)):
            pixels.append(one.pixels)
            names.append(one.name)
    return np.stack(pixels) if pixels else np.zeros((0, SIDE, SIDE), np.uint16), np.array(names, dtype=np.int64)


def turned(crop: Array, way: int) -> Array:
    """A crop turned by `way` % 4 quarters, and from 4 on mirrored before."""
    return np.rot90(crop[:, ::-1] if way >= 4 else crop, way % 4)


def scores_of(network: Mitosis, pixels: Array, batch: int = 256) -> Array:
    """The network's scores before the temperature, float32 (n, classes), of crops (n, SIDE, SIDE)."""
    found: list[Array] = []
    with torch.no_grad():
        for start in range(0, len(pixels), batch):
            counts = torch.from_numpy(pixels[start : start + batch].astype(np.float32))[:, None]
            found.append(network.scores(counts).numpy())
    return np.concatenate(found)


def balanced_weights(names: Array) -> Array:
    """Weights (n,) float64 of mean 1 that make all classes count alike."""
    counts = np.bincount(names, minlength=len(NAMES))
    return np.asarray(len(names) / (np.count_nonzero(counts) * counts[names]))


def best_temperature(scores: Array, names: Array, weights: Array) -> float:
    """What the scores must be divided by to be least surprised by the truth (C. Guo et al., ICML 2017), 0.2 to 5."""
    tried = np.geomspace(0.2, 5, 161)
    surprise = [_surprise(scores / t, names, weights) for t in tried]
    return float(tried[int(np.argmin(surprise))])


def _surprise(scores: Array, names: Array, weights: Array) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(weights * logs[np.arange(len(names)), names]).mean())
