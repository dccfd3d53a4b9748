"""An ensemble of PatternNets on 16 bands, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_spectra import BANDS, of_spectra

if TYPE_CHECKING:
    from torch import nn


def _network() -> nn.Module:
    from ...networks.classify import PatternNetEnsemble

    return PatternNetEnsemble(BANDS, 2)


SYSTEM = of_spectra(
    "pattern-net",
    _network,
    "Ten PatternNets with one hidden layer each, and an eleventh on their answers: a class for each pixel's spectrum",
    "probabilities of two classes for each pixel",
    (
        {
            "text": "D. H. Wolpert, Stacked generalization, Neural Networks 5, 241 (1992)",
            "doi": "10.1016/S0893-6080(05)80023-1",
        },
    ),
    classes=("one", "other"),
)
