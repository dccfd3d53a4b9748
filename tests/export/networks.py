"""Small networks for the tests of the export: what they do is plain, and their weights are the same each time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Smooth(nn.Module):
    """uint16 counts in and out; works at half size, pads by reflection to even sizes."""

    def __init__(self, features: int = 2) -> None:
        super().__init__()
        self.features = features
        torch.manual_seed(1)
        self.down = nn.Conv2d(1, features, 3, stride=2, padding=1)
        self.up = nn.Conv2d(features, 1, 3, padding=1)

    def forward(self, counts: Tensor) -> Tensor:
        pixels = counts.to(torch.float32)
        y, x = counts.shape[2], counts.shape[3]
        padded = functional.pad(pixels, (0, x % 2, 0, y % 2), mode="reflect")
        small = torch.relu(self.down(padded / 100))
        change = self.up(functional.interpolate(small, scale_factor=2.0, mode="nearest"))[:, :, :y, :x]
        counts_out: Tensor = (pixels + 50 * change).round().clamp(0, 65535).to(torch.uint16)
        return counts_out


class Twice(nn.Module):
    """float32 in, twice the pixels per side out, with an instance norm on the way."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.Conv2d(4, 4, 3, padding=1), nn.PixelShuffle(2)
        )

    def forward(self, pixels: Tensor) -> Tensor:
        larger: Tensor = self.layers(pixels)
        return larger


class Peaks(nn.Module):
    """uint16 counts in, the 16 highest local maxima as rows (y, x, score) out."""

    def forward(self, counts: Tensor) -> Tensor:
        pixels = functional.avg_pool2d(counts.to(torch.float32), 3, stride=1, padding=1)
        highest = functional.max_pool2d(pixels, 5, stride=1, padding=2)
        score = torch.where(pixels >= highest, torch.sigmoid(pixels / 200 - 3), torch.zeros_like(pixels))
        best, index = torch.topk(score.flatten(), 16)
        columns = counts.shape[3]
        y = index // columns
        return torch.stack((y.to(torch.float32), (index - y * columns).to(torch.float32), best), dim=1)


class TwoFaced(nn.Module):
    """Adds `lie` counts, but only while it is exported: an export that is wrong on purpose."""

    def __init__(self, lie: float) -> None:
        super().__init__()
        self.lie = lie

    def forward(self, pixels: Tensor) -> Tensor:
        extra = self.lie if torch.compiler.is_exporting() else 0.0
        return pixels * 2.0 + extra


class TwoFacedCounts(TwoFaced):
    """The same in uint16 counts."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels.to(torch.float32)).clamp(0, 65535).to(torch.uint16)


class TwoFacedPoints(TwoFaced):
    """Rows of points that move by `lie` pixels along y while they are exported."""

    def forward(self, pixels: Tensor) -> Tensor:
        extra = self.lie if torch.compiler.is_exporting() else 0.0
        shift = torch.tensor([extra, 0.0, 0.0])
        rows = torch.tensor([[3.0, 4.0, 0.9], [10.0, 2.0, 0.7], [5.0, 5.0, 0.1]])
        return rows + shift + 0.0 * pixels.to(torch.float32).mean()


class Valid(nn.Module):
    """A convolution without padding: the output is 2 pixels smaller than the input."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        smaller: Tensor = self.layer(pixels)
        return smaller


class OneSize(nn.Module):
    """Fails at all sizes but 32x32."""

    def forward(self, pixels: Tensor) -> Tensor:
        doubled: Tensor = pixels.reshape(1, 1, 32, 32) * 2
        return doubled


class Remainder(nn.Module):
    """float32 in, the 8 brightest pixels as rows (y, x, value) out; torch.export cannot convert its `%`."""

    def forward(self, pixels: Tensor) -> Tensor:
        best, index = torch.topk(pixels.flatten(), 8)
        columns = pixels.shape[3]
        return torch.stack(((index // columns).to(torch.float32), (index % columns).to(torch.float32), best), dim=1)


class Moody(nn.Module):
    """Decides by its pixels which way to go; exporters that trace one way freeze the decision."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels * 2 if bool(pixels.mean() > 0.3) else pixels * 3


class Unknown(nn.Module):
    """Uses an operation that ONNX does not have."""

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = torch.special.bessel_j0(pixels)
        return answer


def not_a_network(features: int = 1) -> str:
    """A function where a class is expected."""
    raise AssertionError("was called")
