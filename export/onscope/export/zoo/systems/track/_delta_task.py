"""The trainings of DeLTA's two networks, from the same series of bacteria."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.segment.unet import touching_weights
from ...networks.track import DeltaTracking
from ...recipes import Part
from .._augment import crop, turned
from ._bacteria import parted, series
from ._early import early

Array = npt.NDArray[Any]
SPECIMENS = 60
LOW, HIGH = 1.0, 99.8
GAP_WEIGHT, GAP_PX = 10.0, 4.0
MOTHER, DAUGHTER, NEITHER = range(3)
SHARES = (0.15, 0.2, 0.25, 0.3, 0.1)
"""Of the examples: bacteria that go on within the first of `NEAR_PX`, within the second, further off, that divide, and
that have gone."""
NEAR_PX = (5.0, 10.0)
SHARPENED = 3.0
"""What answers in use are raised to: a mask counts above 0.05 there, which so are places 27 % likely and more."""


class SegmentTask:
    """Normalised frames to bacteria: cross entropy, weighted in the gaps between those that touch (Ronneberger 2015).

    `found` are `counts` (n, y, x) and `labels` (n, y, x); None: those of the training part.
    """

    def __init__(
        self, network: nn.Module, found: dict[str, Array] | None = None, batch: int = 6, side: int = 128
    ) -> None:
        self.network, self.batch, self.side = network, batch, side
        bank = series(Part.TRAINING, SPECIMENS) if found is None else found
        self.counts, self.labels = (bank[name].reshape(-1, *bank[name].shape[-2:]) for name in ("counts", "labels"))
        self.spans = np.percentile(self.counts, (LOW, HIGH), axis=(1, 2)).T

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [self._example(rng) for _ in range(self.batch)]
        frames, truth, weights = (torch.from_numpy(np.stack(part))[:, None] for part in zip(*examples, strict=True))
        # Before the sigmoid, where the loss of what is far off stays finite.
        logits: Tensor = self.network.unet(frames)  # type: ignore[operator]
        return functional.binary_cross_entropy_with_logits(logits, truth, weights)

    def _example(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        n = int(rng.integers(len(self.counts)))
        both = np.stack([self.counts[n], self.labels[n].astype(np.uint16)])
        frame, labels = turned(crop(both, self.side, rng), int(rng.integers(8)))
        low, high = self.spans[n]
        light = (frame.astype(np.float32) - low) / (high - low) * rng.uniform(0.8, 1.25) + rng.normal(0, 0.05)
        apart = parted(labels)
        weights = touching_weights(apart[1::2, 1::2], GAP_WEIGHT, GAP_PX / 2, balance=False)  # a quarter of the time
        return light.astype(np.float32), (apart > 0).astype(np.float32), weights.repeat(2, axis=0).repeat(2, axis=1)


class TrackTask:
    """Two frames and masks around one bacterium to where it is and where its daughter: weighted cross entropy.

    Everything is at half the frames' pixels. What moves far, divides or goes is shown more often than it happens; masks
    are as found ones are: a pixel wider or narrower, or without one bacterium.
    """

    def __init__(self, network: nn.Module, found: dict[str, Array] | None = None, batch: int = 8, side: int = 96):
        self.network, self.batch, self.side = network, batch, side
        bank = series(Part.TRAINING, SPECIMENS) if found is None else found
        self.counts = np.stack([[_half(frame) for frame in one] for one in bank["counts"]])
        self.labels = np.stack([[parted(frame)[1::2, 1::2] for frame in one] for one in bank["labels"]])
        self.was = bank["was"]
        self.pools = [np.array(pool, np.intp).reshape(-1, 3) for pool in self._pools()]

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [self.example(rng) for _ in range(self.batch)]
        pairs, truth = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
        logits: Tensor = self.network.logits(pairs)  # type: ignore[operator]
        weights = torch.where((pairs[:, 3] > 0) | (truth != NEITHER), 1.0, 0.05)
        return (functional.cross_entropy(logits, truth, reduction="none") * weights).sum() / weights.sum()

    def example(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """The channels float32 (4, side, side) of one bacterium, and the class of each pixel int64 (side, side)."""
        some = [kind for kind, pool in enumerate(self.pools) if len(pool)]
        shares = np.array([SHARES[kind] for kind in some])
        pool = self.pools[some[int(rng.choice(len(some), p=shares / shares.sum()))]]
        n, time, own = (int(one) for one in pool[int(rng.integers(len(pool)))])
        before, now, was = self.labels[n, time - 1], self.labels[n, time], self.was[n, time]
        # Numbers are in the order of the ids: the first daughter lies nearer to the closed end, as DeLTA's mother does.
        became = [now == name for name in np.flatnonzero(was == own).tolist()]
        mask, became, now = early(before == own, [part for part in became if part.any()], now, rng)
        y, x = (float(one.mean()) for one in np.nonzero(mask))
        shift = rng.integers(-2, 3, 2)
        place = round(y) + int(shift[0]), round(x) + int(shift[1])
        wanted = np.full(now.shape, NEITHER, np.uint16)
        for kind, part in zip((MOTHER, DAUGHTER), became, strict=False):
            wanted[part] = kind
        cut = [
            _around(image, place, self.side, fill)
            for image, fill in (
                (self.counts[n, time - 1], None), (mask.astype(np.uint16), 0), (self.counts[n, time], None), (now, 0),
                (wanted, NEITHER),
            )
        ]  # fmt: skip
        first, here, second, there, classes = turned(np.stack(cut), int(rng.integers(8)))
        one, all_now = _worn(here > 0, rng), _worn(self._some(there, rng) > 0, rng)
        return np.stack([first, one, second, all_now]).astype(np.float32), classes.astype(np.int64)

    def _some(self, labels: Array, rng: np.random.Generator) -> Array:
        """The labels, of one in ten without one of them."""
        names = np.unique(labels[labels > 0])
        return np.where(labels == rng.choice(names), 0, labels) if len(names) and rng.random() < 0.1 else labels

    def _pools(self) -> tuple[list[tuple[int, int, int]], ...]:
        """(series, frame, label in the frame before) of those that the `SHARES` are of."""
        pools: tuple[list[tuple[int, int, int]], ...] = tuple([] for _ in SHARES)
        for n, one in enumerate(self.labels):
            for time in range(1, len(one)):
                places, later = _middles(one[time - 1]), _middles(one[time])
                for own, place in places.items():
                    left = [later[name] for name in np.flatnonzero(self.was[n, time] == own).tolist() if name in later]
                    if len(left) == 1:
                        kind = int(np.searchsorted(NEAR_PX, np.hypot(*(left[0] - place))))
                    else:
                        kind = 3 if left else 4
                    pools[kind].append((n, time, own))
        return pools


class StandardisedTracking(DeltaTracking):
    """DeLTA's tracker for counts: each crop of a frame is standardised by its own mean and spread, masks are not."""

    def forward(self, pair: Tensor) -> Tensor:
        return torch.softmax(SHARPENED * self.logits(pair), dim=1)[:, :2]

    def logits(self, pair: Tensor) -> Tensor:
        previous, own, current, objects = (part.unsqueeze(1) for part in pair.unbind(1))
        return super().logits(torch.cat((_standardised(previous), own, _standardised(current), objects), dim=1))


def _standardised(frame: Tensor) -> Tensor:
    centred = frame - frame.mean(dim=(2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(2, 3), keepdim=True).sqrt().clamp(min=1e-3)


def _middles(labels: Array) -> dict[int, Array]:
    """y and x of the middle of each object."""
    y, x = np.nonzero(labels)
    own = labels[y, x]
    areas, names = np.bincount(own), np.unique(own)
    sums = np.stack([np.bincount(own, each) for each in (y, x)], axis=1)
    return {int(name): sums[name] / areas[name] for name in names}


def _half(frame: Array) -> Array:
    return cv2.resize(frame, (frame.shape[1] // 2, frame.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _around(image: Array, place: tuple[int, int], side: int, fill: int | None) -> Array:
    """A square around a place; beyond the border `fill`, or (None) the image's 5th percentile, as in the runtime."""
    value = float(np.percentile(image, 5)) if fill is None else fill
    half = side // 2
    wide = np.pad(image, side, constant_values=np.asarray(value, image.dtype))
    top, left = place[0] + side - half, place[1] + side - half
    return wide[top : top + side, left : left + side]


def _worn(mask: Array, rng: np.random.Generator) -> Array:
    """A mask as it is, or (one in five each) a pixel wider or narrower."""
    way = int(rng.integers(5))
    image, kernel = mask.astype(np.uint8), np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(image, kernel) if way == 0 else cv2.dilate(image, kernel) if way == 1 else image)
