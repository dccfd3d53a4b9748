"""The training of ANNA-PALM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...networks.superresolve import AnnaPalmDiscriminator
from .._augment import turned
from ._anna_palm_network import LocalisingAnnaPalm
from ._blinking import SCALE, training

Array = npt.NDArray[Any]
SPECIMENS = 60
ALONE, WEIGHT = 1500, 0.05
"""Batches before the discriminator has a say, and of how much weight its word is then."""
LEAST = 1e-5


class AnnaPalmTask:
    """Windows of `window` frames out of movies to the density of molecules, at most 1.

    The loss is the logarithm of the squared error, and after `alone` batches a conditional discriminator's least
    squares beside it. `light` are movies (n, frames, y, x) and densities (n, 4y, 4x); none: those of the recipe.
    """

    def __init__(
        self,
        network: LocalisingAnnaPalm,
        window: int,
        batch: int = 3,
        side: int = 64,
        alone: int = ALONE,
        light: tuple[Array, Array] | None = None,
    ) -> None:
        self._network, self.window, self.batch, self.side, self.alone, self.seen = (
            network,
            window,
            batch,
            side,
            alone,
            0,
        )
        self.movies, self.density = training(SPECIMENS) if light is None else light
        self.discriminator = AnnaPalmDiscriminator(8, 2)
        self.learner = torch.optim.Adam(self.discriminator.parameters(), lr=3e-4, betas=(0.5, 0.999))

    @property
    def network(self) -> nn.Module:
        return self._network

    def loss(self, rng: np.random.Generator) -> Tensor:
        frames, truth = self.examples(rng)
        with torch.no_grad():
            seen = self._network.seen(frames)
        answer = self._network.draw(seen)
        content = torch.log((((answer + 1) / 2 - truth) ** 2).mean() + LEAST)
        self.seen += 1
        if self.seen <= self.alone:
            return content
        self._teach(seen, answer.detach(), 2 * truth - 1)
        self.discriminator.requires_grad_(False)
        passes = ((self.discriminator(seen, answer) - 1) ** 2).mean()
        self.discriminator.requires_grad_(True)
        return content + WEIGHT * passes  # type: ignore[no-any-return]

    def examples(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A batch: counts (batch, window, side, side) and densities (batch, 1, 4 * side, 4 * side), float32."""
        pairs = [self._pair(rng) for _ in range(self.batch)]
        frames, truth = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        return frames, truth[:, None]

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        at, way = rng.integers(len(self.movies)), int(rng.integers(8))
        first = rng.integers(self.movies.shape[1] - self.window + 1)
        y, x = (int(start) for start in rng.integers(self.movies.shape[-1] - self.side + 1, size=2))
        movie = self.movies[at, first : first + self.window, y : y + self.side, x : x + self.side]
        rows, columns = (slice(SCALE * low, SCALE * (low + self.side)) for low in (y, x))
        truth = np.minimum(self.density[at, rows, columns].astype(np.float32), 1)
        return turned(movie, way).astype(np.float32), turned(truth, way)

    def _teach(self, seen: Tensor, drawn: Tensor, real: Tensor) -> None:
        """One step of the discriminator."""
        wrong = self.discriminator(seen, drawn) ** 2 + (self.discriminator(seen, real) - 1) ** 2
        self.learner.zero_grad()
        wrong.mean().backward()
        self.learner.step()
