"""The training of networks that enlarge frames against a discriminator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ._cells_task import LEAST, EnlargeCellsTask


class AdversarialTask(EnlargeCellsTask):
    """As `EnlargeCellsTask`; after `alone` batches the discriminator learns with each, and the answer shall pass it.

    The discriminator gives log odds (batch, 1) that fine crops (batch, 1, 2 * side, 2 * side) are real ones; its word
    counts `weight` times beside the logarithm of the squared error. `sizes` are those of `EnlargeCellsTask`.
    """

    def __init__(self, network: nn.Module, discriminator: nn.Module, alone: int, weight: float, **sizes: Any) -> None:
        super().__init__(network, **sizes)
        self.discriminator, self.alone, self.weight, self.seen = discriminator, alone, weight, 0
        self.learner = torch.optim.Adam(discriminator.parameters(), lr=3e-4, betas=(0.5, 0.999))

    def loss(self, rng: np.random.Generator) -> Tensor:
        frames, truth = self.examples(rng)
        answer = self.network(frames)
        content = torch.log(((answer - truth) ** 2).mean(dim=(1, 2, 3)) + LEAST).mean()
        self.seen += 1
        if self.seen <= self.alone:
            return content
        self._teach(answer.detach(), truth)
        self.discriminator.requires_grad_(False)
        passes = functional.softplus(-self.discriminator(answer)).mean()
        self.discriminator.requires_grad_(True)
        return content + self.weight * passes

    def _teach(self, drawn: Tensor, real: Tensor) -> None:
        """One step of the discriminator."""
        wrong = functional.softplus(self.discriminator(drawn)) + functional.softplus(-self.discriminator(real))
        self.learner.zero_grad()
        wrong.mean().backward()  # type: ignore[no-untyped-call]
        self.learner.step()
