"""CDeep3M: an inception-residual network on one section of a stack, or on 3 or 5 neighbouring ones.

M. G. Haberl et al., "CDeep3M - plug-and-play cloud-based deep learning for image segmentation", Nature Methods 15, 677
(2018), doi:10.1038/s41592-018-0106-z; the network is DeepEM3D's: T. Zeng, B. Wu, S. Ji, Bioinformatics 33, 2555 (2017),
doi:10.1093/bioinformatics/btx188. Layers are those of the authors' published network descriptions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DILATIONS = (1, 5, 11, 17, 23)
SHARE = 0.1
"""Of what an inception block finds that is added to its input."""


class CDeep3M(nn.Module):
    """float32 (b, 1, sections, y, x) in, logits (b, classes, y, x) of the middle one out; y and x multiples of 16.

    `sections` is 1, 3 or 5 as in the paper (1fm, 3fm, 5fm), whose models are run one by one and averaged; of one
    section the input is (b, 1, y, x). `width` is the share of the paper's channels, of which there are up to 2048.
    Convolutions with normalisation have no bias of their own.
    """

    def __init__(self, sections: int = 1, classes: int = 2, width: float = 1.0) -> None:
        super().__init__()
        if sections not in (1, 3, 5):
            raise ValueError(f"found {sections} sections, expected 1, 3 or 5")

        def c(channels: int) -> int:
            return max(2, round(channels * width))

        self.stem = _Stem(sections, c(32), c(64))
        self.narrow2 = nn.Sequential(_step(c(64), c(64), 1), _step(c(64), c(96), 3, relu=False))
        self.wide2 = nn.Sequential(
            _step(c(64), c(64), 1), _step(c(64), c(64), (7, 1)), _step(c(64), c(64), (1, 7)), _step(c(64), c(96), 3)
        )
        self.shrink2 = _step(2 * c(96), c(192), 3, stride=2)
        self.block3 = _Inception(
            _step(2 * c(96) + c(192), c(384), 1), (_step(c(384), c(32), 1),),
            (_step(c(384), c(32), 1), _step(c(32), c(32), 3)),
            (_step(c(384), c(32), 1), _step(c(32), c(48), 3), _step(c(48), c(64), 3)),
            merge=_step(2 * c(32) + c(64), c(384), 1, relu=False),
        )  # fmt: skip
        self.shrink3 = nn.ModuleList((
            _step(c(384), c(384), 3, stride=2),
            nn.Sequential(_step(c(384), c(256), 1), _step(c(256), c(256), 3), _step(c(256), c(384), 3, stride=2)),
        ))  # fmt: skip
        self.block4 = _Inception(
            _step(3 * c(384), c(1154), 1), (_step(c(1154), c(192), 1),),
            (_step(c(1154), c(128), 1), _step(c(128), c(160), (1, 7)), _step(c(160), c(192), (7, 1))),
            merge=_step(2 * c(192), c(1154), 1, relu=False),
        )  # fmt: skip
        self.shrink4 = nn.ModuleList((
            nn.Sequential(_step(c(1154), c(256), 1), _step(c(256), c(384), 3, stride=2)),
            nn.Sequential(_step(c(1154), c(256), 1), _step(c(256), c(288), 3, stride=2)),
            nn.Sequential(_step(c(1154), c(256), 1), _step(c(256), c(288), 3), _step(c(288), c(320), 3, stride=2)),
        ))  # fmt: skip
        self.block5 = _Inception(
            _step(c(1154) + c(384) + c(288) + c(320), c(2048), 1), (_step(c(2048), c(192), 1),),
            (_step(c(2048), c(192), 1), _step(c(192), c(224), (1, 3)), _step(c(224), c(256), (3, 1))),
            merge=_step(c(192) + c(256), c(2048), 1, relu=False),
        )  # fmt: skip
        self.scores = nn.ModuleList((
            _Score(2 * c(96), classes, 2, DILATIONS), _Score(c(384), classes, 4, DILATIONS),
            _Score(c(1154), classes, 8, DILATIONS), _Score(c(2048), classes, 16, DILATIONS[:1]),
        ))  # fmt: skip

    def forward(self, stack: Tensor) -> Tensor:
        x = self.stem(stack)
        two = torch.cat((self.narrow2(x), self.wide2(x)), dim=1)
        three = self.block3(torch.cat((_pooled(two), self.shrink2(two)), dim=1))
        four = self.block4(torch.cat((_pooled(three), *(one(three) for one in self.shrink3)), dim=1))
        five = self.block5(torch.cat((_pooled(four), *(one(four) for one in self.shrink4)), dim=1))
        scored = [score(one) for score, one in zip(self.scores, (two, three, four, five), strict=True)]
        return scored[0] + scored[1] + scored[2] + scored[3]  # type: ignore[no-any-return]


class _Stem(nn.Module):
    """Of the sections one map at half the size: all z is used up by two 3D convolutions."""

    def __init__(self, sections: int, first: int, second: int) -> None:
        super().__init__()
        self.flat = sections == 1
        kernel, stride, padding = ((1, 3, 3), (1, 2, 2), (0, 1, 1)) if self.flat else (3, 2, 1)
        self.first = nn.Conv3d(1, first, kernel, stride, padding, bias=False)
        self.second = nn.Conv3d(first, second, ((sections + 1) // 2, 3, 3), padding=(0, 1, 1), bias=False)
        self.norm1, self.norm2 = nn.BatchNorm3d(first), nn.BatchNorm3d(second)

    def forward(self, stack: Tensor) -> Tensor:
        x = stack[:, :, None] if self.flat else stack
        x = functional.relu(self.norm1(self.first(x)))
        return functional.relu(self.norm2(self.second(x)))[:, :, 0]


class _Inception(nn.Module):
    """A 1x1 convolution, and beside it a share of what branches of it find."""

    def __init__(self, enter: nn.Module, *branches: tuple[nn.Module, ...], merge: nn.Module) -> None:
        super().__init__()
        self.enter, self.merge = enter, merge
        self.branches = nn.ModuleList(nn.Sequential(*branch) for branch in branches)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        return functional.relu(x + SHARE * self.merge(torch.cat([branch(x) for branch in self.branches], dim=1)))


class _Score(nn.Module):
    """Classes at full size: the sum of transposed convolutions with several dilations, then a 3x3 convolution."""

    def __init__(self, inputs: int, classes: int, factor: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        kernel = 2 * factor
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(
                inputs, classes, kernel, stride=factor, padding=((kernel - 1) * rate + 1 - factor) // 2, dilation=rate
            )
            for rate in dilations
        )
        self.norm = nn.BatchNorm2d(classes)
        self.last = _step(classes, classes, 3)

    def forward(self, x: Tensor) -> Tensor:
        total = self.up[0](x)
        for up in self.up[1:]:
            total = total + up(x)
        return self.last(functional.relu(self.norm(total)))  # type: ignore[no-any-return]


def _pooled(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2, ceil_mode=True)


def _step(
    inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, relu: bool = True
) -> nn.Sequential:
    high, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, (high, wide), stride, (high // 2, wide // 2), bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))
