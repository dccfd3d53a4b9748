"""The training of SRGAN: SRResNet first, then against a discriminator."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.superresolve import SrganDiscriminator
from ._cells_task import LEAST, Array, EnlargeCellsTask

ALONE = 2500
"""Batches before the discriminator has a say."""
WEIGHT = 0.15
"""Of the discriminator's word, beside the logarithm of the squared error."""


class SrganTask(EnlargeCellsTask):
    """As `EnlargeCellsTask`; after `alone` batches the discriminator learns with each, and the answer shall pass it.

    The paper's loss on features of a network trained on photographs is the squared error of pixels here. The
    discriminator judges centred crops of 64x64 fine pixels.
    """

    def __init__(
        self, network: nn.Module, alone: int = ALONE, features: int = 8, light: Array | None = None, side: int = 32
    ) -> None:
        super().__init__(network, batch=8, side=side, light=light)
        self.alone, self.seen = alone, 0
        self.discriminator = SrganDiscriminator(features, side=2 * side, dense=64)
        self.learner = torch.optim.Adam(self.discriminator.parameters(), lr=3e-4, betas=(0.5, 0.999))

    def loss(self, rng: np.random.Generator) -> Tensor:
        frames, truth = self.examples(rng)
        answer = self.network(frames)
        content = torch.log(((answer - truth) ** 2).mean(dim=(1, 2, 3)) + LEAST).mean()
        self.seen += 1
        if self.seen <= self.alone:
            return content
        self._teach(answer.detach(), truth)
        for parameter in self.discriminator.parameters():
            parameter.requires_grad_(False)
        passes = functional.softplus(-self.discriminator(answer)).mean()
        for parameter in self.discriminator.parameters():
            parameter.requires_grad_(True)
        return content + WEIGHT * passes

    def _teach(self, drawn: Tensor, real: Tensor) -> None:
        """One step of the discriminator."""
        wrong = functional.softplus(self.discriminator(drawn)) + functional.softplus(-self.discriminator(real))
        self.learner.zero_grad()
        wrong.mean().backward()  # type: ignore[no-untyped-call]
        self.learner.step()
