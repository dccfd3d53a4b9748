"""The training of Cellpose: the flows of nuclei, and which pixels are of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..._nuclei_task import relit
from .._augment import crop, turned
from ._fields import training_fields
from ._flow_targets import flows

Array = npt.NDArray[Any]
EVERY = 2
"""Of the fields one of so many is learned from: flows take a tenth of a second each."""
LENGTH = 5.0
"""Of the flows that are learned, as published and as decoders expect them."""


class CellposeTask:
    """Normalised frames to flows and logits; layers are computed in bfloat16."""

    def __init__(
        self, network: nn.Module, fields: Mapping[str, Array] | None = None, batch: int = 4, side: int = 144
    ) -> None:
        self.network, self.batch, self.side = network, batch, side
        fields = training_fields() if fields is None else fields
        frames, labels = (fields[name][::EVERY] for name in ("frame", "labels"))
        self.fields = [
            np.concatenate((frame[None], (named > 0)[None], flows(named.astype(np.int32)))).astype(np.float16)
            for frame, named in zip(frames, labels, strict=True)
        ]

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = np.stack([self._example(rng) for _ in range(self.batch)])
        frames, inside, flow = (torch.from_numpy(part) for part in np.split(examples, (1, 2), axis=1))
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.network(frames.contiguous(memory_format=torch.channels_last))
        answer = answer.float()
        error = functional.mse_loss(answer[:, :2], LENGTH * flow)
        return 0.5 * error + functional.binary_cross_entropy_with_logits(answer[:, 2:], inside)

    def _example(self, rng: np.random.Generator) -> Array:
        """Frame, inside or not, flow along y and x: float32 (4, side, side)."""
        way = int(rng.integers(8))
        chosen = crop(self.fields[rng.integers(len(self.fields))], self.side, rng)
        parts = turned(chosen, way).astype(np.float32)
        parts[2:] = turned_flow(parts[2:], way)
        parts[0] = relit(parts[0], rng)
        return parts


def turned_flow(flow: Array, way: int) -> Array:
    """The directions (2, y, x) of a flow whose places were `turned` the same way."""
    down, along = flow
    if way >= 4:
        along = -along
    for _ in range(way % 4):  # np.rot90 turns +x to -y, and +y to +x
        down, along = -along, down
    return np.stack((down, along))
