"""Fusion-Net on 16 bands, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_spectra import BANDS, of_spectra

if TYPE_CHECKING:
    from torch import nn

SPECIES = ("Campylobacter", "Escherichia", "Listeria", "Salmonella", "Staphylococcus")
"""Genera; as many classes as in the paper."""


def _network() -> nn.Module:
    from ...networks.classify import FusionNet

    return FusionNet(BANDS, len(SPECIES), features=32, width=8)


SYSTEM = of_spectra(
    "fusion-net",
    _network,
    "Fusion-Net: an LSTM on the shape, a ResNet on the picture and a 1-D CNN on the spectrum of a bacterium",
    "probabilities of five kinds of bacteria for the crop",
    (
        {
            "text": "R. Kang, B. Park, M. Eady, Q. Ouyang, K. Chen, Single-cell classification of foodborne pathogens "
            "using hyperspectral microscope imaging coupled with deep learning frameworks, Sensors and Actuators B "
            "309, 127789 (2020)",
            "doi": "10.1016/j.snb.2020.127789",
        },
    ),
    classes=SPECIES,
    output_axes="bc",
)
