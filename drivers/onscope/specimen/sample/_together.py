"""Several samples on one stage: beads beside cells, say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .._view import Layer, Sample, Truth, View
from ..optics import EGFP, Fluorophore
from ._asked import check_dye

Array = npt.NDArray[Any]

_IDS = 1_000_000


class Together:
    """A `Sample` of samples: all that they show, in one view. Light reaches each of them unhindered.

    Ids of the second sample begin at 1,000,001, those of the third at 2,000,001 and so on; where bodies lie over each
    other, the first sample's label is kept. Raises ValueError for no samples.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        if not samples:
            raise ValueError("found no samples, expected one or more: there is nothing to look at")
        self._samples = tuple(samples)

    @property
    def dyes(self) -> tuple[str, ...]:
        """The dyes of all samples, each once."""
        return tuple(dict.fromkeys(dye for sample in self._samples for dye in sample.dyes))

    @property
    def extent_um(self) -> tuple[float, float]:
        """The stage area that holds them all."""
        height, width = (max(sample.extent_um[n] for sample in self._samples) for n in range(2))
        return height, width

    @property
    def step_s(self) -> float:
        """Seconds of the shortest step among them (0 where one does not tell: any time may change it)."""
        return min(float(getattr(sample, "step_s", 0.0)) for sample in self._samples)

    @property
    def time_s(self) -> float:
        """Their common age in seconds."""
        return self._samples[0].time_s

    def advance(self, to_s: float) -> None:
        """All live on until `to_s`."""
        for sample in self._samples:
            sample.advance(to_s)

    def fluorophore(self, dye: str) -> Fluorophore:
        """What the first sample that has the dye says it is. Raises KeyError for a dye that none has."""
        check_dye(dye, self.dyes)
        tells = getattr(next(sample for sample in self._samples if dye in sample.dyes), "fluorophore", None)
        return EGFP if tells is None else cast("Fluorophore", tells(dye))

    def layers(self, view: View, dye: str) -> list[Layer]:
        """All layers of a dye by rising height. Raises KeyError for a dye that none has."""
        check_dye(dye, self.dyes)
        found = [layer for sample in self._samples if dye in sample.dyes for layer in sample.layers(view, dye)]
        return sorted(found, key=lambda layer: layer.z_um)

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Sums of optical paths in nm and of absorbances, float32 images."""
        path, dark = np.zeros(view.shape, dtype=np.float32), np.zeros(view.shape, dtype=np.float32)
        for sample in self._samples:
            one_path, one_dark = sample.thickness(view)
            path += one_path
            dark += one_dark
        return path, dark

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        """Light on all of them; those without the dye are not bleached, but harmed."""
        if dye is not None:
            check_dye(dye, self.dyes)
        for sample in self._samples:
            sample.expose(view, dye if dye in sample.dyes else None, fluence_j_cm2, wavelength_nm)

    def truth(self, view: View) -> Truth:
        """One table and one pair of label images of all of them."""
        labels, nuclei = np.zeros(view.shape, dtype=np.int32), np.zeros(view.shape, dtype=np.int32)
        tables = []
        for number, sample in enumerate(self._samples):
            one = sample.truth(view)
            objects = one.objects.copy()
            objects["id"] += number * _IDS
            objects["parent"] += np.where(objects["parent"] > 0, number * _IDS, 0).astype(np.int32)
            tables.append(objects)
            for mine, its in ((labels, one.labels), (nuclei, one.nuclei)):
                np.copyto(mine, its + np.int32(number * _IDS), where=(mine == 0) & (its > 0))
        return Truth(self.time_s, labels, nuclei, np.concatenate(tables))
