"""Fusion-Net: an LSTM on the shape, a ResNet on the picture and a 1-D CNN on the spectrum of a cell, merged.

R. Kang, B. Park, M. Eady, Q. Ouyang, K. Chen, "Single-cell classification of foodborne pathogens using hyperspectral
microscope imaging coupled with deep learning frameworks", Sensors and Actuators B 309, 127789 (2020),
doi:10.1016/j.snb.2020.127789.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .resnet import ResNetBody

LINES = 16
"""Rows and columns of the silhouette that the LSTM reads line by line."""
SHARP = 10.0
"""How sharply the silhouette ends: between 0 and 1 within a tenth of the way from the background to the brightest."""


class FusionNet(nn.Module):
    """float32 crops (b, bands, y, x) of one cell each to float32 probabilities (b, classes); y, x of at least 32.

    By default 89 bands (450 to 800 nm) and 5 species. The paper measures shape, picture and spectrum of a cell
    beforehand; here that is in the network: the picture is the mean over the bands from 0 (background) to 1, the
    silhouette is where it is above half, and the spectrum is the mean over the silhouette, relative to its largest
    band. The division of labour between three networks is the paper's; their widths and depths are chosen here.
    """

    def __init__(self, bands: int = 89, classes: int = 5, features: int = 64, width: int = 16, depth: int = 18) -> None:
        super().__init__()
        self.lstm = nn.LSTM(LINES, features, batch_first=True)
        self.resnet = ResNetBody(depth, 1, width)
        self.squeeze = nn.Linear(self.resnet.channels[-1], features)
        self.spectral = nn.Sequential(
            nn.Conv1d(1, features // 2, 7, padding=3), nn.ReLU(inplace=True), nn.MaxPool1d(2),
            nn.Conv1d(features // 2, features, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool1d(2),
            nn.Flatten(), nn.Linear(features * (bands // 4), features), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.last = nn.Sequential(
            nn.Linear(3 * features, features), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(features, classes)
        )

    def forward(self, crop: Tensor) -> Tensor:
        picture, silhouette, spectrum = described(crop)
        lines = functional.interpolate(silhouette, size=(LINES, LINES), mode="bilinear", align_corners=False)
        shape = self.lstm(lines[:, 0])[0][:, -1]
        seen = functional.relu(self.squeeze(self.resnet(picture)[-1].mean(dim=(2, 3))))
        merged = torch.cat((shape, seen, self.spectral(spectrum)), dim=1)
        return torch.softmax(self.last(merged), dim=1)


def described(crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Picture and silhouette (b, 1, y, x) from 0 to 1, and spectrum (b, 1, bands), 1 at its largest, of a crop."""
    picture = crop.mean(dim=1, keepdim=True)
    low, high = picture.amin(dim=(2, 3), keepdim=True), picture.amax(dim=(2, 3), keepdim=True)
    picture = (picture - low) / (high - low).clamp(min=1e-6)
    silhouette = torch.sigmoid(SHARP * (picture - 0.5))
    spectrum = (crop * silhouette).sum(dim=(2, 3)) / silhouette.sum(dim=(2, 3))
    return picture, silhouette, (spectrum / spectrum.amax(dim=1, keepdim=True).clamp(min=1e-6))[:, None]
