"""ResNet-18, -34, -50, -101 and -152, with the stride that segmentation asks for.

K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385. As in the
usual implementations the stride of a bottleneck is in its 3x3 convolution (the paper: in the first 1x1), which the
published counts of parameters do not depend on. Dilation in place of stride: L.-C. Chen et al., arXiv:1706.05587.
"""

from __future__ import annotations

from torch import Tensor, nn

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks per stage; from 50 layers on they are bottlenecks."""
WIDENED = 4
"""Channels behind a bottleneck per channel in it."""


class ResNet(nn.Module):
    """float32 (b, inputs, y, x) in, float32 logits (b, classes) out, any y and x of at least 32.

    The paper's: 3 inputs, 1000 classes, `width` 64. `output_stride` 32, 16 or 8 is how much smaller than the frame the
    last map is; below 32 the last stages are dilated instead of strided (for segmentation).
    """

    def __init__(
        self, depth: int = 50, inputs: int = 3, classes: int = 1000, width: int = 64, output_stride: int = 32
    ) -> None:
        super().__init__()
        self.body = ResNetBody(depth, inputs, width, output_stride)
        self.last = nn.Linear(self.body.channels[-1], classes)

    def forward(self, frame: Tensor) -> Tensor:
        return self.last(self.body(frame)[-1].mean(dim=(2, 3)))  # type: ignore[no-any-return]


class ResNetBody(nn.Module):
    """float32 (b, inputs, y, x) to the maps of the four stages, (b, `channels`[n], y / s, x / s), s = 4, 8, 16, 32.

    Sizes are rounded up; s is `output_stride` at most.
    """

    def __init__(self, depth: int = 50, inputs: int = 3, width: int = 64, output_stride: int = 32) -> None:
        super().__init__()
        if depth not in DEPTHS or output_stride not in (8, 16, 32):
            raise ValueError(
                f"found a ResNet of depth {depth} and output stride {output_stride}, expected a depth of "
                f"{', '.join(map(str, DEPTHS))} and a stride of 8, 16 or 32"
            )
        block = _Bottleneck if depth >= 50 else _Basic
        widened = WIDENED if depth >= 50 else 1
        self.channels = tuple((width << number) * widened for number in range(4))
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stages = nn.ModuleList()
        before, reached, dilation = width, 4, 1
        for number, count in enumerate(DEPTHS[depth]):
            stride = 2 if number > 0 and reached < output_stride else 1
            # What stands in for a stride still sees the map before it; what follows sees every second pixel of that.
            seen, dilation = dilation, dilation * (2 if number > 0 and stride == 1 else 1)
            reached *= stride
            blocks: list[nn.Module] = [block(before, width << number, stride, seen, dilation)]
            before = self.channels[number]
            blocks += (block(before, width << number, 1, dilation, dilation) for _ in range(count - 1))
            self.stages.append(nn.Sequential(*blocks))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, frame: Tensor) -> list[Tensor]:
        x, maps = self.stem(frame), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class _Basic(nn.Module):
    """Two 3x3 convolutions, the first with `stride` and dilated by `seen`, beside the identity."""

    def __init__(self, inputs: int, width: int, stride: int, seen: int, dilation: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *_step(inputs, width, 3, stride, seen), nn.ReLU(inplace=True), *_step(width, width, 3, 1, dilation)
        )
        self.skip = _skip(inputs, width, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.change(x) + self.skip(x))  # type: ignore[no-any-return]


class _Bottleneck(nn.Module):
    """A 3x3 convolution with `stride`, dilated by `seen`, between two 1x1 ones, beside the identity."""

    def __init__(self, inputs: int, width: int, stride: int, seen: int, dilation: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *_step(inputs, width, 1), nn.ReLU(inplace=True), *_step(width, width, 3, stride, seen),
            nn.ReLU(inplace=True), *_step(width, WIDENED * width, 1),
        )  # fmt: skip
        self.skip = _skip(inputs, WIDENED * width, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.change(x) + self.skip(x))  # type: ignore[no-any-return]


def _step(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[nn.Module, nn.Module]:
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)
    return convolution, nn.BatchNorm2d(outputs)


def _skip(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(*_step(inputs, outputs, 1, stride))
