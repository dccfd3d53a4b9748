"""LeNet-5: two convolutions, two trained sub-samplings, three layers on all of what is left.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86, 2278 (1998), doi:10.1109/5.726791.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 32
CODE = 84
CONNECTED = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5), (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5),
    (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5), (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""Which of the 6 maps each of the 16 maps of the second convolution sees (the paper's table I)."""


class LeNet5(nn.Module):
    """float32 (b, 1, 32, 32), the background about -0.1 and ink about 1, to float32 probabilities (b, classes).

    As published: 60,000 trained parameters, `scaled_tanh`, and a code of 84 numbers that is compared with one of each
    class. The paper's codes draw the ten digits; here they are random ones of -1 and 1, so that any number of classes
    has some, and the answer is softmax(-2 squared distance / `CODE`): the chances for codes whose numbers all err
    together, as those of one crop do, and with numbers that err alone every answer would be sure.
    """

    connections: Tensor
    codes: Tensor

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2 = SubSampling(6)
        places = [6 * to + one for to, seen in enumerate(CONNECTED) for one in seen]
        self.register_buffer("connections", torch.tensor(places), persistent=False)
        self.c3_weight = nn.Parameter(torch.empty(len(places), 25))
        self.c3_bias = nn.Parameter(torch.zeros(len(CONNECTED)))
        self.s4 = SubSampling(len(CONNECTED))
        self.c5 = nn.Conv2d(len(CONNECTED), 120, 5)
        self.f6 = nn.Linear(120, CODE)
        codes = torch.randint(0, 2, (classes, CODE), generator=torch.Generator().manual_seed(1998))
        self.register_buffer("codes", codes * 2.0 - 1.0)
        fan = 25 * sum(map(len, CONNECTED)) / len(CONNECTED)
        nn.init.uniform_(self.c3_weight, -2.4 / fan, 2.4 / fan)

    def forward(self, crop: Tensor) -> Tensor:
        return torch.softmax(self.logits(crop), dim=1)

    def logits(self, crop: Tensor) -> Tensor:
        """What the probabilities are the softmax of, (b, classes): those of wrong classes are too small for a loss."""
        x = self.s2(self.c1(crop))
        dense = x.new_zeros(len(CONNECTED) * 6, 25).index_copy(0, self.connections, self.c3_weight)
        x = self.s4(functional.conv2d(x, dense.view(len(CONNECTED), 6, 5, 5), self.c3_bias))
        x = scaled_tanh(self.f6(scaled_tanh(self.c5(x)).flatten(1)))
        far = (x * x).sum(dim=1, keepdim=True) - 2 * x @ self.codes.T + CODE  # the squares of a code add up to CODE
        return -far * (2 / CODE)


class SubSampling(nn.Module):
    """The mean of 2x2 pixels, times a trained number and plus another of each channel, through `scaled_tanh`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return scaled_tanh(functional.avg_pool2d(x, 2) * self.weight + self.bias)


def scaled_tanh(x: Tensor) -> Tensor:
    """1 where its argument is 1."""
    return 1.7159 * torch.tanh(2 / 3 * x)
