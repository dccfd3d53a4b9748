"""SRCNN: three convolutions that sharpen an interpolated image.

C. Dong, C. C. Loy, K. He, X. Tang, "Image super-resolution using deep convolutional networks", IEEE TPAMI 38, 295
(2016), arXiv:1501.00092: 9-1-5, with 64 and 32 features.

What differs: borders are padded with zeros, so that the answer keeps its size (the paper's shrinks by 12 pixels), and
the bicubic interpolation before the network is part of it.
"""

from __future__ import annotations

from torch import Tensor, nn

from ._enlarge import enlarged


class Srcnn(nn.Module):
    """float32 (b, 1, y, x) to (b, 1, `scale` * y, `scale` * x); a `scale` of 1 takes what is interpolated already.

    `features` are the widths of the first and the second layer, `kernels` the sides of all three.
    """

    def __init__(
        self, features: tuple[int, int] = (64, 32), kernels: tuple[int, int, int] = (9, 1, 5), scale: int = 2
    ) -> None:
        super().__init__()
        self.scale = scale
        sizes = ((1, features[0]), features, (features[1], 1))
        first, second, last = (nn.Conv2d(*size, k, padding=k // 2) for size, k in zip(sizes, kernels, strict=True))
        self.layers = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.layers(enlarged(pixels, self.scale))  # type: ignore[no-any-return]
