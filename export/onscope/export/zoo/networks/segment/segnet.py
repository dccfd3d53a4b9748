"""SegNet: VGG-16's convolutions, and their mirror image, which puts values back where max pooling took them from.

V. Badrinarayanan, A. Kendall, R. Cipolla, IEEE TPAMI 39, 2481 (2017), arXiv:1511.00561,
doi:10.1109/TPAMI.2016.2644615.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..classify.vgg import CONVOLUTIONS, stage, stages, widths


class SegNet(nn.Module):
    """float32 (b, inputs, y, x) in, float32 logits (b, classes, y, x) out, any y and x of at least 32.

    The paper's: 3 inputs, 11 classes and 64 features at full size, batch normalisation behind each convolution but the
    last. Odd sizes lose their last row or column in pooling and get zeros for it when they are enlarged.
    """

    def __init__(self, inputs: int = 3, classes: int = 11, width: int = 64, depth: int = 16) -> None:
        super().__init__()
        channels, counts = widths(width), CONVOLUTIONS[depth]
        self.down = stages(inputs, channels, counts, norm=True)
        # Of each stage the last convolution leads to the next stage's channels, that of the very last to the classes.
        self.up = nn.ModuleList()
        for number in reversed(range(len(counts))):
            own = channels[number]
            end = stage(own, channels[number - 1], 1, norm=True) if number else nn.Conv2d(own, classes, 3, padding=1)
            self.up.append(nn.Sequential(stage(own, own, counts[number] - 1, norm=True), end))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, frame: Tensor) -> Tensor:
        x, taken = frame, []
        for one in self.down:
            full = one(x)
            x, index = functional.max_pool2d(full, 2, return_indices=True)
            taken.append((index, full.shape[2:]))
        for one, (index, size) in zip(self.up, reversed(taken), strict=True):
            x = one(functional.max_unpool2d(x, index, [2, 2], output_size=list(size)))
        return x
