"""First weights of networks whose layers would be mute by torch's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn


def begin(network: nn.Module, last: nn.Conv2d | nn.Conv3d, but: Sequence[nn.Module] = ()) -> None:
    """Weights of convolutions after K. He et al., ICCV 2015, biases 0; those of the `last` 0: an empty image first.

    Layers in `but` stay as they are.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and layer not in but:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(cast(Tensor, layer.bias))
    nn.init.zeros_(last.weight)
