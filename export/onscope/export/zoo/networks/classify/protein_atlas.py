"""Where a protein is in a cell, several places at once: a ResNet on the four channels of the Human Protein Atlas.

W. Ouyang et al., "Analysis of the Human Protein Atlas Image Classification competition", Nature Methods 16, 1254
(2019), doi:10.1038/s41592-019-0658-6. The best solutions were ensembles around networks such as this one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .resnet import ResNet

CHANNELS = ("microtubules", "protein", "nucleus", "endoplasmic reticulum")
"""Red, green, blue and yellow of the atlas."""
NAMES = (
    "nucleoplasm", "nuclear membrane", "nucleoli", "nucleoli fibrillar center", "nuclear speckles", "nuclear bodies",
    "endoplasmic reticulum", "Golgi apparatus", "peroxisomes", "endosomes", "lysosomes", "intermediate filaments",
    "actin filaments", "focal adhesion sites", "microtubules", "microtubule ends", "cytokinetic bridge",
    "mitotic spindle", "microtubule organizing center", "centrosome", "lipid droplets", "plasma membrane",
    "cell junctions", "mitochondria", "aggresome", "cytosol", "cytoplasmic bodies", "rods and rings",
)  # fmt: skip
"""The competition's 28 classes, in its order."""


class ProteinAtlasResNet(nn.Module):
    """float32 (b, inputs, y, x), 0 to 1, to float32 probabilities (b, classes), each of its own; y, x of at least 32.

    `depth` and `width` are those of `ResNet`. Classes do not exclude each other (decode: classes, multi_label).
    """

    def __init__(
        self, depth: int = 50, inputs: int = len(CHANNELS), classes: int = len(NAMES), width: int = 64
    ) -> None:
        super().__init__()
        self.network = ResNet(depth, inputs, classes, width)

    def forward(self, frame: Tensor) -> Tensor:
        return torch.sigmoid(self.network(frame))
