"""Small networks whose reduction has a known difficulty; weights are the same each time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """A residual U-Net: uint16 counts in and out, statistics inside, the network adds a small change to the image."""

    def __init__(self, features: int = 8) -> None:
        super().__init__()
        torch.manual_seed(5)
        f = features
        self.first = nn.Conv2d(1, f, 3, padding=1)
        self.down = nn.Conv2d(f, 2 * f, 3, padding=1)
        self.middle = nn.Conv2d(2 * f, 2 * f, 3, padding=1)
        self.up = nn.Conv2d(3 * f, f, 3, padding=1)
        self.last = nn.Conv2d(f, 1, 1)

    def forward(self, counts: Tensor) -> Tensor:
        pixels = counts.to(torch.float32)
        level = pixels.mean(dim=(1, 2, 3), keepdim=True)
        y, x = counts.shape[2], counts.shape[3]
        scaled = functional.pad((pixels - level) / 100, (0, x % 2, 0, y % 2), mode="replicate")
        fine = torch.relu(self.first(scaled))
        coarse = torch.relu(self.middle(torch.relu(self.down(functional.max_pool2d(fine, 2)))))
        joined = torch.cat((functional.interpolate(coarse, scale_factor=2.0, mode="nearest"), fine), dim=1)
        change = self.last(torch.relu(self.up(joined)))[:, :, :y, :x]
        counts_out: Tensor = (pixels + 30 * change).round().clamp(0, 65535).to(torch.uint16)
        return counts_out


class Transposed(nn.Module):
    """A small U-Net whose way up is transposed convolutions: a whole one, and one of each channel by itself."""

    def __init__(self, features: int = 8) -> None:
        super().__init__()
        torch.manual_seed(9)
        f = features
        self.first = nn.Conv2d(1, f, 3, padding=1)
        self.down = nn.Conv2d(f, 2 * f, 3, padding=1)
        self.middle = nn.Conv2d(2 * f, 2 * f, 3, padding=1)
        self.up = nn.ConvTranspose2d(2 * f, 2 * f, 2, stride=2, groups=2 * f)
        self.between = nn.Conv2d(3 * f, 2 * f, 3, padding=1)
        self.wide = nn.ConvTranspose2d(2 * f, f, 2, stride=2)
        self.last = nn.Conv2d(f, 1, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        fine = torch.relu(self.first(pixels))
        coarse = torch.relu(self.middle(torch.relu(self.down(functional.max_pool2d(fine, 2)))))
        joined = torch.relu(self.between(torch.cat((self.up(coarse), fine), dim=1)))
        answer: Tensor = self.last(torch.relu(self.wide(joined)))
        return answer


class Beside(nn.Module):
    """A residual network that takes a second image of 4 channels beside the frame."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(10)
        self.one = nn.Conv2d(5, 12, 3, padding=1)
        self.two = nn.Conv2d(12, 12, 3, padding=1)
        self.three = nn.Conv2d(12, 1, 3, padding=1)

    def forward(self, pixels: Tensor, memory: Tensor) -> Tensor:
        joined = torch.relu(self.one(torch.cat((pixels, memory), dim=1)))
        answer: Tensor = pixels + 0.1 * self.three(torch.relu(self.two(joined)))
        return answer


class Carried(nn.Module):
    """The image itself goes through two layers (`carry`, `last`), beside two others that change it a little.

    In 8 bits the image loses more than what the network changes; `one` and `two` lose next to nothing.
    """

    def __init__(self, features: int = 16) -> None:
        super().__init__()
        torch.manual_seed(6)
        f = features
        self.carry = nn.Conv2d(1, 8, 7, padding=3, bias=False)
        self.one = nn.Conv2d(1, f, 3, padding=1)
        self.two = nn.Conv2d(f, f, 3, padding=1)
        self.three = nn.Conv2d(f, f, 3, padding=1)
        self.last = nn.Conv2d(8 + f, 1, 3, padding=1)
        assert self.last.bias is not None
        with torch.no_grad():
            self.carry.weight.zero_()
            self.carry.weight[:, 0, 3, 3] = 1
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()
            self.last.weight[:, :8].zero_()
            self.last.weight[:, :8, 1, 1] = 0.125

    def forward(self, pixels: Tensor) -> Tensor:
        inner = torch.relu(self.three(torch.relu(self.two(torch.relu(self.one(pixels))))))
        answer: Tensor = self.last(torch.cat((self.carry(pixels), inner), dim=1))
        return answer


class Huge(nn.Module):
    """Numbers of millions between its third and its fourth layer: half precision has none above 65504."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.one = nn.Conv2d(1, 8, 3, padding=1)
        self.two = nn.Conv2d(8, 8, 3, padding=1)
        self.three = nn.Conv2d(8, 8, 3, padding=1)
        self.four = nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 1, 3, padding=1)
        with torch.no_grad():
            self.three.weight.mul_(1e6)
            self.four.weight.mul_(1e-6)

    def forward(self, pixels: Tensor) -> Tensor:
        x = torch.relu(self.two(torch.relu(self.one(pixels))))
        x = torch.relu(self.four(torch.relu(self.three(x))))
        answer: Tensor = pixels + self.last(x)
        return answer


class Spots(nn.Module):
    """uint16 counts in, rows (y, x, score) of the 32 highest maxima of a small network's map out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.one = nn.Conv2d(1, 8, 3, padding=1)
        self.two = nn.Conv2d(8, 8, 3, padding=1)
        self.three = nn.Conv2d(8, 4, 3, padding=1)
        with torch.no_grad():  # a blur, made of noise and a bump
            for layer in (self.one, self.two, self.three):
                layer.weight.mul_(0.1)
                layer.weight[:, :, 1, 1] += 0.3

    def forward(self, counts: Tensor) -> Tensor:
        pixels = counts.to(torch.float32) / 400
        heat = self.three(torch.relu(self.two(torch.relu(self.one(pixels))))).mean(dim=1, keepdim=True)
        highest = functional.max_pool2d(heat, 5, stride=1, padding=2)
        score = torch.where(heat >= highest, torch.sigmoid(heat - 2), torch.zeros_like(heat))
        best, index = torch.topk(score.flatten(), 32)
        columns = counts.shape[3]
        y = index // columns
        return torch.stack((y.to(torch.float32), (index - y * columns).to(torch.float32), best), dim=1)
