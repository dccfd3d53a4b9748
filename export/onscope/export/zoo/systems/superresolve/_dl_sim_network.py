"""DL-SIM's network beside the mean of its raw images."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from ...networks.superresolve import DlSim


class MeanAndDlSim(nn.Module):
    """float32 raw phases (b, `phases`, y, x) to (b, 1, 2y, 2x): what DL-SIM says is added to the mean, enlarged.

    The paper's network draws the image alone, and needs a long training until it is as true as the mean. This one
    begins with it.
    """

    def __init__(self, phases: int, features: int, depth: int) -> None:
        super().__init__()
        self.dl_sim = DlSim(phases, features, depth)
        nn.init.zeros_(self.dl_sim.unet.last.weight)
        nn.init.zeros_(cast(Tensor, self.dl_sim.unet.last.bias))

    def forward(self, phases: Tensor) -> Tensor:
        mean = phases.mean(dim=1, keepdim=True)
        large = functional.interpolate(mean, scale_factor=2.0, mode="bicubic", align_corners=False)
        return cast(Tensor, large + self.dl_sim(phases))
