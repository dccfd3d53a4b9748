"""Cellpose: a residual U-Net that is told the style of the whole frame, to flows and the chance of being a cell.

C. Stringer, T. Wang, M. Michaelos, M. Pachitariu, "Cellpose: a generalist algorithm for cellular segmentation", Nature
Methods 18, 100 (2021), doi:10.1038/s41592-020-01018-x. Layers are those of the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

OUTPUTS = 3
"""Flow along y and along x, five times the unit flow, and the logit of being a cell's."""


class Cellpose(nn.Module):
    """float32 (b, inputs, y, x) in, float32 (b, `OUTPUTS`, y, x) out; y and x multiples of 8 with four `widths`.

    The paper's: 2 inputs (what is sought, and nuclei), widths of 32, 64, 128 and 256, objects brought to a diameter of
    30 pixels beforehand. Skips are added; the style is the mean of the smallest map with a length of 1, and reaches
    each map of the expanding path by a layer of its own.
    """

    def __init__(self, inputs: int = 2, widths: Sequence[int] = (32, 64, 128, 256)) -> None:
        super().__init__()
        before = (inputs, *widths[:-1])
        self.down = nn.ModuleList(_Down(a, b) for a, b in zip(before, widths, strict=True))
        wide = (*widths[1:], widths[-1])
        self.up = nn.ModuleList(_Up(a, b, widths[-1]) for a, b in reversed(list(zip(wide, widths, strict=True))))
        self.last = _step(widths[0], OUTPUTS, 1)

    def forward(self, frame: Tensor) -> Tensor:
        x, skips = frame, []
        for number, down in enumerate(self.down):
            x = down(functional.max_pool2d(x, 2) if number else x)
            skips.append(x)
        style = x.mean(dim=(2, 3))
        style = style / (style.square().sum(dim=1, keepdim=True).sqrt() + 1e-12)
        for number, (up, skip) in enumerate(zip(self.up, reversed(skips), strict=True)):
            x = up(functional.interpolate(x, scale_factor=2.0, mode="nearest") if number else x, skip, style)
        return self.last(x)  # type: ignore[no-any-return]


class _Down(nn.Module):
    """Four convolutions in two residual pairs, the first beside a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.skip = _linear(inputs, outputs)
        self.first = nn.Sequential(_step(inputs, outputs), _step(outputs, outputs))
        self.second = nn.Sequential(_step(outputs, outputs), _step(outputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.skip(x) + self.first(x)
        return x + self.second(x)  # type: ignore[no-any-return]


class _Up(nn.Module):
    """The same, the contracting path's map added behind the first convolution, and the style from there on."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.skip = _linear(inputs, outputs)
        self.first = _step(inputs, outputs)
        self.styled = nn.ModuleList(nn.Linear(style, outputs) for _ in range(3))
        self.steps = nn.ModuleList(_step(outputs, outputs) for _ in range(3))

    def forward(self, x: Tensor, skip: Tensor, style: Tensor) -> Tensor:
        told = [one(style)[:, :, None, None] for one in self.styled]
        x = self.skip(x) + self.steps[0](self.first(x) + skip + told[0])
        return x + self.steps[2](self.steps[1](x + told[1]) + told[2])  # type: ignore[no-any-return]


def _step(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2))


def _linear(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 1))
