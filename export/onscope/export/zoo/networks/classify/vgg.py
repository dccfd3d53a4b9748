"""VGG: plain stacks of 3x3 convolutions and max pooling, and three layers on all of what is left.

K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
arXiv:1409.1556. FCN, SegNet and depth by classification are built on the same convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Per stage, by the number of layers with weights (the paper's A, B, D and E)."""
DROPPED = 0.5


def widths(width: int = 64) -> tuple[int, ...]:
    """Channels of the five stages: doubled until they are eight times as many."""
    return width, 2 * width, 4 * width, 8 * width, 8 * width


def stage(inputs: int, outputs: int, count: int, norm: bool = False, padding: int = 1) -> nn.Sequential:
    """`count` convolutions, each with its rectifier and with `norm` a batch normalisation; no pooling.

    `padding` is that of the first one.
    """
    layers: list[nn.Module] = []
    for number in range(count):
        layers.append(nn.Conv2d(inputs if number == 0 else outputs, outputs, 3, padding=1 if number else padding))
        layers += [nn.BatchNorm2d(outputs)] if norm else []
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def stages(
    inputs: int, channels: Sequence[int], counts: Sequence[int], norm: bool = False, padding: int = 1
) -> nn.ModuleList:
    """One `stage` for each of `counts`; `padding` is that of the very first convolution."""
    before = (inputs, *channels[:-1])
    return nn.ModuleList(
        stage(one, two, count, norm, 1 if number else padding)
        for number, (one, two, count) in enumerate(zip(before, channels, counts, strict=True))
    )


class Vgg(nn.Module):
    """float32 (b, inputs, side, side) in, float32 logits (b, classes) out; `side` is a multiple of 32.

    The paper's: 3 inputs, 1000 classes, 64 features at full size, 4096 in the two hidden layers, 224 pixels. `norm`
    adds batch normalisation, which the paper did not have.
    """

    def __init__(
        self, depth: int = 16, inputs: int = 3, classes: int = 1000, width: int = 64, hidden: int = 4096,
        side: int = 224, norm: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stages = stages(inputs, widths(width), CONVOLUTIONS[depth], norm)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(8 * width * (side // 32) ** 2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPPED),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPPED),
            nn.Linear(hidden, classes),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, frame: Tensor) -> Tensor:
        x = frame
        for one in self.stages:
            x = self.pool(one(x))
        return self.head(x)  # type: ignore[no-any-return]
