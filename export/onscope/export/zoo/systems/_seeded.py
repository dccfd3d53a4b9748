"""Weights for networks that are shown without training: signals keep their size, and no layer is an identity."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def seeded(network: Network, seed: int = 0) -> Network:
    """The network in evaluation, with normal weights (He 2015) and batch norms with statistics of their own."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=random)
            elif tensor.ndim > 1:
                tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=random)
            else:
                offset = 0.0 if name.endswith(("bias", "running_mean")) else float(tensor.mean())
                tensor.normal_(offset, 0.05, generator=random)
    return network.eval()
