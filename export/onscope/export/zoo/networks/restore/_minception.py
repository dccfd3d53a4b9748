"""The modules of in-silico labelling: unpadded residual blocks, at one scale, to half and to twice the size.

Those of E. M. Christiansen et al., Cell 173, 792 (2018), by the paper's public code: batch norm, both ReLU and tanh,
then the convolution, as in K. He et al., "Identity mappings in deep residual networks", ECCV 2016.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


def depth_at(base_depth: int, size: int) -> tuple[int, int]:
    """Channels of a module's wide and narrow convolution where a patch of the paper has `size` pixels per side."""
    narrow = math.ceil(base_depth / size)
    return _even(211 / 39 * narrow), _even(narrow)


def tower(channels: int, scale: int, modules: int, joined: int, base_depth: int) -> tuple[nn.Sequential, int, int]:
    """`scale` halvings, `modules` at that size, and as many doublings: the layers, what they see, their channels.

    What they see are pixels per side where `joined` are answered.
    """
    after, entered = [], joined
    for _ in range(scale):
        after.append(entered)
        entered = (entered + 4) // 2
    coarsest = entered
    entered += 2 * modules
    before, seen = [], entered
    for _ in range(scale):
        before.append(seen)
        seen = 2 * (seen + 3)
    layers: list[Module | Enlarge] = []

    def append(kind: type[Module | Enlarge], depth: tuple[int, int]) -> None:
        layers.append(kind(layers[-1].outputs if layers else channels, *depth))

    for size in reversed(before):
        append(Reduce, depth_at(base_depth, size))
        append(Module, depth_at(base_depth, size))
    for size in range(entered - 2, coarsest - 1, -2):
        append(Module, depth_at(base_depth, size))
    for size in reversed(after):
        append(Enlarge, depth_at(base_depth - 4, size))
        append(Module, depth_at(base_depth, size))
    return nn.Sequential(*layers), seen, layers[-1].outputs


class Module(nn.Module):
    """(b, inputs, n, n) to (b, `outputs`, n - 2, n - 2): beside the wide convolution stands a maximum of the input."""

    kernel, stride = 3, 1

    def __init__(self, inputs: int, wide: int, narrow: int) -> None:
        super().__init__()
        wide, self.outputs = max(wide, inputs), max(narrow, inputs)
        self.missing = self.outputs - inputs
        self.wide = Activated(inputs, nn.Conv2d(2 * inputs, wide, self.kernel, stride=self.stride, bias=False))
        self.narrow = Activated(wide + inputs, nn.Conv2d(2 * (wide + inputs), self.outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        largest = functional.max_pool2d(x, self.kernel, stride=self.stride)
        found = self.narrow(torch.cat((self.wide(x), largest), dim=1))
        return cast(Tensor, functional.pad(self.passed(x), (0, 0, 0, 0, 0, self.missing)) + found)

    def passed(self, x: Tensor) -> Tensor:
        """What of the input is added to the answer."""
        return x[:, :, 1:-1, 1:-1]


class Reduce(Module):
    """(b, inputs, n, n) to (b, `outputs`, n / 2 - 1, n / 2 - 1)."""

    kernel, stride = 4, 2

    def passed(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(super().passed(x), 2)


class Enlarge(nn.Module):
    """(b, inputs, n, n) to (b, `outputs`, 2 * n - 2, 2 * n - 2), with channels shed."""

    def __init__(self, inputs: int, wide: int, narrow: int) -> None:
        super().__init__()
        self.outputs = min(inputs, narrow)
        self.wide = Activated(inputs, nn.ConvTranspose2d(2 * inputs, wide, 4, stride=2, bias=False))
        self.narrow = Activated(wide, nn.Conv2d(2 * wide, narrow, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        found = self.narrow(self.wide(x))[:, : self.outputs, 2:-2, 2:-2]
        # The code repeats a rim of one pixel around the doubled image, and then cuts two off the sum.
        large = functional.interpolate(x, scale_factor=2.0, mode="nearest")[:, : self.outputs, 1:-1, 1:-1]
        return cast(Tensor, large + found)


class Activated(nn.Module):
    """Batch norm, ReLU beside tanh, and a convolution of both."""

    def __init__(self, inputs: int, convolution: nn.Module) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs, eps=1e-3)
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        return cast(Tensor, self.convolution(torch.cat((torch.relu(normed), torch.tanh(normed)), dim=1)))


def _even(number: float) -> int:
    return 2 * math.ceil(math.ceil(number) / 2)
