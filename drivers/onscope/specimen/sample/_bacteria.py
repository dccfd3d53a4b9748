"""Bacteria in the side channels of a mother machine, as a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import CLASSES, OBJECT, Layer, Truth, View
from ..optics import FLUOROPHORES, Fluorophore, surviving
from . import _noise, _rod_looks
from ._asked import check_dye, check_time
from ._channel import DYES, STEP_S, TOP_UM, BacteriaSettings, first_rods, grown, places
from ._dose import over_rods
from ._exposure import checked_fluence
from ._harm import lethal_dose_j_cm2
from ._patches import Patch, numbered, total
from ._rods import distances

Array = npt.NDArray[Any]

_BRIGHT = 3


class Bacteria:
    """Rods in dead-end channels along +y (closed at y = 20 um), open to a trench at high y: a `Sample`.

    They grow, divide, push those that lie nearer to the opening out, and are washed away there.
    """

    def __init__(self, settings: BacteriaSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or BacteriaSettings()
        self._time_s, self._step = 0.0, 0
        self._rods = first_rods(self.settings, seed)
        self._next_id = len(self._rods) + 1
        self._parents = dict.fromkeys(range(1, self._next_id), 0)
        self._drawn: tuple[View, list[tuple[Patch, Array]]] | None = None

    @property
    def dyes(self) -> tuple[str, ...]:
        """Structures that carry a dye."""
        return DYES

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height (closed ends, channels, trench) and width of the device in um."""
        return TOP_UM + self.settings.channel_um[0] + 40, (self.settings.channels + 1) * self.settings.spacing_um

    @property
    def step_s(self) -> float:
        """Seconds of a step: time changes the sample at its multiples."""
        return STEP_S

    @property
    def time_s(self) -> float:
        """The culture's age in seconds."""
        return self._time_s

    @property
    def parents(self) -> dict[int, int]:
        """Every id that ever was, with its mother's (0: there from the start)."""
        return dict(self._parents)

    def advance(self, to_s: float) -> None:
        """Lives on until `to_s`, in steps of 5 s. Raises ValueError for a time that is past, or endless."""
        check_time(to_s, self._time_s, "a living sample")
        while (self._step + 1) * STEP_S <= to_s + 1e-9:
            self._drawn = None
            self._step += 1
            self._rods = grown(self._rods, self._step * STEP_S, self._next_id, self.settings)
            new = self._rods.id >= self._next_id
            if new.any():
                ids, mothers = self._rods.id[new], self._rods.parent[new]
                self._parents.update(zip(ids.tolist(), mothers.tolist(), strict=True))
                self._next_id = int(ids.max()) + 1
        self._time_s = float(to_s)

    def fluorophore(self, dye: str) -> Fluorophore:
        """What is on a structure. Raises KeyError for a dye that there is not."""
        check_dye(dye, DYES)
        return FLUOROPHORES[self.settings.fluorophores[DYES.index(dye)]]

    def layers(self, view: View, dye: str) -> list[Layer]:
        """One layer in the middle of the rods, which are thin. Raises KeyError for a dye that they have not."""
        check_dye(dye, DYES)
        progress, width = self._rods.progress, self.settings.width_um
        patches = []
        for far, along in self._distances(view):
            n = far.row
            look = _rod_looks.amount(dye, far.pixels, along, float(self._rods.length[n]), float(progress[n]), width)
            patches.append(Patch(n, far.top, far.left, look))
        bright = np.exp(0.25 * _noise.normal(self._rods.key, _BRIGHT))
        factor = bright * self._rods.left[:, DYES.index(dye)] * view.pixel_um**2
        return [Layer(width / 2, total(view, patches, factor))]

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Optical path difference in nm (rods, and the walls of the device) and absorbance, float32 images."""
        high = total(view, self._heights(view), np.ones(len(self._rods)))
        path = high * np.float32(1000 * _rod_looks.INDEX_BACTERIUM) + _rod_looks.walls_nm(view, self.settings)
        return path, high * np.float32(0.004)

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        """Light on a view: each rod receives the mean fluence over its body; what lies outside receives none.

        Raises ValueError for a fluence below 0 or of another shape than the view, KeyError for a dye there is not.
        """
        if dye is not None:
            check_dye(dye, DYES)
        fluence = checked_fluence(view, fluence_j_cm2)
        if not fluence.any():
            return
        place = places(self._rods, self._step * STEP_S, self.settings)
        received = over_rods(view, place, self._rods.length, self.settings.width_um, fluence)
        self._rods.dose += received
        self._rods.stress += received * self.settings.sensitivity / lethal_dose_j_cm2(wavelength_nm)
        if dye is not None:
            self._rods.left[:, DYES.index(dye)] *= surviving(received, wavelength_nm, self.fluorophore(dye))

    def truth(self, view: View) -> Truth:
        """Labels, and a row for every rod with a pixel in the view."""
        rods = self._rods
        labels = numbered(view, self._heights(view), 0.0, rods.id)
        chosen = np.flatnonzero(np.isin(rods.id, np.unique(labels)))
        y, x, _ = places(rods, self._step * STEP_S, self.settings)
        width = self.settings.width_um
        out = np.zeros(len(chosen), dtype=OBJECT)
        out["id"], out["parent"], out["born_s"] = rods.id[chosen], rods.parent[chosen], rods.born_s[chosen]
        out["kind"] = np.where(rods.dead[chosen], CLASSES.index("dead"), CLASSES.index("bacterium"))
        out["z_um"], out["y_um"], out["x_um"] = width / 2, y[chosen], x[chosen]
        out["area_um2"] = (rods.length[chosen] - width) * width + np.pi * width**2 / 4
        out["dose_j_cm2"], out["stress"] = rods.dose[chosen], (rods.stress / rods.tolerance)[chosen]
        out["bleached"], out["on"] = 1 - rods.left[chosen].mean(axis=1), True
        out = out[np.argsort(out["id"])]
        return Truth(self._time_s, labels, np.zeros(view.shape, dtype=np.int32), out)

    def _distances(self, view: View) -> list[tuple[Patch, Array]]:
        if self._drawn is None or self._drawn[0] != view:
            y, x, angle = places(self._rods, self._step * STEP_S, self.settings)
            self._drawn = view, distances(view, y, x, angle, self._rods.length, self.settings.width_um)
        return self._drawn[1]

    def _heights(self, view: View) -> list[Patch]:
        progress, width = self._rods.progress, self.settings.width_um
        return [
            Patch(far.row, far.top, far.left, _rod_looks.height_um(far.pixels, along, float(progress[far.row]), width))
            for far, along in self._distances(view)
        ]
