"""CNN and LSTM: what a convolutional network sees of each frame, and what a recurrent one remembers of those before it.

A. M. Patil, M. D. Patil, G. K. Birajdar, "White blood cells image classification using deep learning with canonical
correlation analysis", IRBM 42, 378 (2021), doi:10.1016/j.irbm.2020.08.005; S. Hochreiter, J. Schmidhuber, "Long
short-term memory", Neural Computation 9, 1735 (1997).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .resnet import ResNetBody

STATE = ({"input": "hidden", "output": "next_hidden"}, {"input": "cell", "output": "next_cell"})
"""Which inputs are outputs of the frame before (`state` in config.onscope)."""


class CnnLstm(nn.Module):
    """float32 frame (b, inputs, y, x), hidden and cell (b, hidden): to probabilities (b, classes), and both renewed.

    All float32; an empty memory is zeros; y and x of at least 32. As in the paper the CNN's features and the LSTM's
    answer are merged in front of the last layer. The paper classifies single images of blood cells; here the LSTM's
    sequence is that of the frames, one by one, so that it never ends. The CNN is a ResNet whose size is chosen here,
    and the paper's canonical correlation analysis of crops is left out.
    """

    def __init__(self, inputs: int = 1, classes: int = 4, hidden: int = 128, depth: int = 18, width: int = 64) -> None:
        super().__init__()
        self.cnn = ResNetBody(depth, inputs, width)
        self.squeeze = nn.Linear(self.cnn.channels[-1], hidden)
        self.gates = nn.Linear(2 * hidden, 4 * hidden)
        self.last = nn.Linear(2 * hidden, classes)
        with torch.no_grad():
            assert self.gates.bias is not None
            self.gates.bias[hidden : 2 * hidden] = 1.0  # it remembers, until it has learned to forget

    def forward(self, frame: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scores, hidden, cell = self.remembered(self.seen(frame), hidden, cell)
        return torch.softmax(scores, dim=1), hidden, cell

    def seen(self, frame: Tensor) -> Tensor:
        """What the CNN sees of frames by themselves, (b, hidden)."""
        return functional.relu(self.squeeze(self.cnn(frame)[-1].mean(dim=(2, 3))))

    def remembered(self, seen: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (b, classes) and the renewed memory for what is seen of one frame."""
        take, keep, new, give = self.gates(torch.cat((seen, hidden), dim=1)).chunk(4, dim=1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(take) * torch.tanh(new)
        hidden = torch.sigmoid(give) * torch.tanh(cell)
        return self.last(torch.cat((seen, hidden), dim=1)), hidden, cell
