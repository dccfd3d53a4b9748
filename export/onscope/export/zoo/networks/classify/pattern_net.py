"""PatternNet ensembles: small feed-forward classifiers of each pixel's spectrum, and one more on all their answers.

PatternNet is read here as the pattern recognition network of MATLAB, a hidden layer with hyperbolic tangents and a
softmax, after a mention of ensembles of it (Wang 2018) whose layer sizes are not known here; stacked ensembles: D. H.
Wolpert, "Stacked generalization", Neural Networks 5, 241 (1992), doi:10.1016/S0893-6080(05)80023-1. Layers are 1x1
convolutions, so that a frame is classified pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class PatternNet(nn.Module):
    """float32 (b, inputs, y, x) in, float32 probabilities (b, classes, y, x) out, any y and x.

    One hidden layer of 10 by default, as in MATLAB; `hidden` may name several.
    """

    def __init__(self, inputs: int, classes: int = 2, hidden: Sequence[int] = (10,)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, own in zip((inputs, *hidden[:-1]), hidden, strict=True):
            layers += [nn.Conv2d(before, own, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(hidden[-1], classes, 1))

    def forward(self, spectra: Tensor) -> Tensor:
        return torch.softmax(self.layers(spectra), dim=1)


class PatternNetEnsemble(nn.Module):
    """As `PatternNet`, by `members` of them that were begun differently and trained apart.

    With `stacked` one more PatternNet decides on all their answers, else their mean does.
    """

    def __init__(
        self, inputs: int, classes: int = 2, hidden: Sequence[int] = (10,), members: int = 10, stacked: bool = True
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(PatternNet(inputs, classes, hidden) for _ in range(members))
        self.judge = PatternNet(members * classes, classes, hidden) if stacked else None

    def forward(self, spectra: Tensor) -> Tensor:
        answers = [one(spectra) for one in self.members]
        if self.judge is not None:
            return self.judge(torch.cat(answers, dim=1))  # type: ignore[no-any-return]
        return torch.stack(answers).mean(dim=0)
