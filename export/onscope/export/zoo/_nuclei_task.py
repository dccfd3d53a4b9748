"""The training of the network for nuclei: fields of the specimen, turned and lit at random, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from .recipes import STARS, Part, Stars, gather
from .stars_nuclei import StarsNuclei, distances

Array = npt.NDArray[Any]

SPECIMENS = 300
"""Of the training part, eight fields each."""
DISTANCE_WEIGHT = 2.0
LEAST_MEAN_PX = 3.0


class NucleiTask:
    """Normalised frame to object probability and distances; the fields are made once and kept in memory (3 GB).

    The network's layers are computed in bfloat16 while it is trained, which halves the time where the processor has it.
    """

    def __init__(self, fields: Sequence[Stars] | None = None, batch: int = 4) -> None:
        self.network = StarsNuclei()
        self.fields = list(gather(STARS, Part.TRAINING, SPECIMENS)) if fields is None else list(fields)
        self.batch = batch

    def loss(self, rng: np.random.Generator) -> Tensor:
        chosen = [self.fields[n] for n in rng.integers(len(self.fields), size=self.batch)]
        turned_ones = [turned(one, int(rng.integers(8))) for one in chosen]
        frames = torch.from_numpy(np.stack([relit(one[0], rng) for one in turned_ones])[:, None])
        chance, truth = (torch.from_numpy(np.stack([one[n] for one in turned_ones])) for n in (1, 2))
        frames = frames.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            features = self.network.features(frames)
        return star_loss(self.network.last(features.float()), chance, truth)


def star_loss(maps: Tensor, chance: Tensor, truth: Tensor) -> Tensor:
    """Binary cross entropy of the object probability (b, y, x), and the error of the distances (b, rays, y, x).

    The error is relative to the mean distance at its place, so that small and large nuclei count alike, and weighs as
    much as its place is central.
    """
    hit = functional.binary_cross_entropy_with_logits(maps[:, 0], chance)
    mean = truth.mean(dim=1).clamp(min=LEAST_MEAN_PX)
    error = (distances(maps) - truth).abs().mean(dim=1) / mean
    return hit + DISTANCE_WEIGHT * (error * chance).sum() / chance.sum().clamp(min=1)


def turned(one: Stars, way: int) -> tuple[Array, Array, Array]:
    """Frame, probability and distances, float32, turned by `way` % 4 quarters, and from 4 on mirrored before."""
    frame, chance, rays = (part.astype(np.float32) for part in (one.frame, one.chance, one.distances))
    if way >= 4:
        frame, chance, rays = frame[:, ::-1], chance[:, ::-1], rays[:, :, ::-1]
        rays = rays[(len(rays) // 2 - np.arange(len(rays))) % len(rays)]  # an angle a points to pi - a now
    quarters = way % 4
    frame, chance = np.rot90(frame, quarters), np.rot90(chance, quarters)
    # np.rot90 turns +x to -y: an angle a becomes a - pi / 2
    rays = np.roll(np.rot90(rays, quarters, axes=(1, 2)), -quarters * len(rays) // 4, axis=0)
    return np.ascontiguousarray(frame), np.ascontiguousarray(chance), np.ascontiguousarray(rays)


def relit(frame: Array, rng: np.random.Generator) -> Array:
    """Another brightness, background, gradation, and at times a slope of stray light or more noise."""
    out = frame
    if rng.random() < 0.5:
        out = np.sign(out) * np.abs(out) ** np.float32(np.exp(rng.uniform(np.log(0.6), np.log(1.4))))
    if rng.random() < 0.3:
        slopes = rng.normal(0, 0.12, 2)
        y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in out.shape)
        out = out + np.float32(slopes[0]) * y[:, None] + np.float32(slopes[1]) * x
    if rng.random() < 0.3:
        out = out + np.float32(rng.uniform(0, 0.12)) * rng.standard_normal(out.shape, dtype=np.float32)
    scale, shift = np.exp(rng.normal(0, 0.2)), rng.normal(0, 0.05)
    return np.asarray(np.float32(scale) * out + np.float32(shift), np.float32)
