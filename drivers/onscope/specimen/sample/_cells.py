"""A culture of living cells on a coverslip."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import OBJECT, Layer, Truth, View
from ..optics import FLUOROPHORES, Fluorophore, surviving
from ._asked import check_dye, check_time
from ._chromatin import kinds
from ._cycle import live
from ._depth import middle_um
from ._dose import COARSE_UM, over_discs
from ._exposure import checked_fluence
from ._harm import lethal_dose_j_cm2
from ._herd import Herd, founders
from ._scene import Scene
from ._settings import DYES, CellSettings
from ._walk import neighbours, settle, walk

Array = npt.NDArray[Any]

STEP_S = 10.0
"""Length of a step in seconds: a cell crawls less than 0.1 um in it."""

_NEIGHBOUR_STEPS = 12
_KEPT_PIXELS = 12_000_000  # in views that are kept drawn, a few bytes each per dye


class Cells:
    """Adherent cells that crawl, touch, grow, divide, shine, and are harmed by light: a `Sample`.

    The same settings and seed give the same cells at the same time, whatever is looked at; a cell's own chances do not
    depend on the others. Between two steps nothing changes but the light that was received.
    """

    def __init__(self, settings: CellSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or CellSettings()
        self._seed = seed
        self._herd = founders(self.settings, seed)
        settle(self._herd, self.settings)
        self._pairs: Array = np.zeros((0, 2), dtype=np.int64)
        self._changed = True
        self._step = 0
        self._time_s = 0.0
        self._next_id = len(self._herd) + 1
        self._scenes: dict[View, Scene] = {}
        self._parents: dict[int, int] = dict.fromkeys((int(n) for n in self._herd.id), 0)

    @property
    def dyes(self) -> tuple[str, ...]:
        """Structures that carry a dye."""
        return DYES

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the plate in um."""
        return self.settings.extent_um

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
        """Every id that ever was, with its mother's (0: there from the start): the tree of all cells."""
        return dict(self._parents)

    @property
    def herd(self) -> Herd:
        """A copy of the state of all cells."""
        return self._herd.taken(np.arange(len(self._herd)))

    def advance(self, to_s: float) -> None:
        """Lives on until `to_s`, in steps of 10 s. Raises ValueError for a time that is past, or endless."""
        check_time(to_s, self._time_s, "a living sample")
        while (self._step + 1) * STEP_S <= to_s + 1e-9:
            self._scenes.clear()
            self._one_step()
        self._time_s = float(to_s)

    def _one_step(self) -> None:
        if self._step % _NEIGHBOUR_STEPS == 0 or self._changed:
            self._pairs = neighbours(self._herd, self.settings, 4.0)
        walk(self._herd, self._pairs, self._step, STEP_S, self.settings)
        after = live(self._herd, self._step, STEP_S, self._next_id, self.settings)
        self._changed = after is not self._herd
        if self._changed:
            new = after.id >= self._next_id
            self._parents.update(zip(after.id[new].tolist(), after.parent[new].tolist(), strict=True))
            self._next_id += int(new.sum())
        self._herd = after
        self._step += 1

    def fluorophore(self, dye: str) -> Fluorophore:
        """What is on a structure. Raises KeyError for a dye that there is not."""
        check_dye(dye, DYES)
        return FLUOROPHORES[self.settings.fluorophores[DYES.index(dye)]]

    def layers(self, view: View, dye: str) -> list[Layer]:
        """What still shines of a dye, one layer per height that holds some of it. Raises KeyError for another dye."""
        check_dye(dye, DYES)
        return self._at(view).layers(dye)

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Optical path difference to the medium in nm, and absorbance, each float32 of the view's shape."""
        return self._at(view).optical_path_nm()

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        """Light on a view: bleaches `dye` by what its structure receives, harms cells by what they receive.

        A cell mixes its dye and shares its harm: both follow the mean fluence over the cell (the nucleus, for its dye;
        over a disc of the cell's area, where pixels are of `COARSE_UM` or more). Raises ValueError for a fluence below
        0 or of another shape than the view, KeyError for a dye there is not.
        """
        if dye is not None:
            check_dye(dye, DYES)
        fluence = checked_fluence(view, fluence_j_cm2)
        if not fluence.any():
            return
        rows, received, to_nucleus = self._received(view, fluence, dye == "nucleus")
        self._herd.dose[rows] += received
        self._herd.stress[rows] += received * self.settings.sensitivity / lethal_dose_j_cm2(wavelength_nm)
        if dye is not None:
            self._herd.left[rows, DYES.index(dye)] *= surviving(to_nucleus, wavelength_nm, self.fluorophore(dye))

    def _received(self, view: View, fluence: Array, nuclei: bool) -> tuple[Array, Array, Array]:
        herd = self._herd
        if view.pixel_um >= COARSE_UM:
            radius = herd.radius_um(self.settings)
            rows = np.flatnonzero(view.contains(herd.y, herd.x, float(radius.max(initial=0.0))))
            received = over_discs(view, herd.y[rows], herd.x[rows], radius[rows], fluence)
            return rows, received, received
        # The optics has just looked at a wider view: whoever can be lit is known already.
        scene = next((scene for kept, scene in self._scenes.items() if kept.encloses(view)), None) or self._at(view)
        return scene.rows, *scene.received(view, fluence, nuclei)

    def truth(self, view: View) -> Truth:
        """Labels, and a row for every cell with a pixel in the view."""
        scene = self._at(view)
        seen = np.union1d(np.unique(scene.labels), np.unique(scene.nuclei))
        chosen = np.isin(self._herd.id[scene.rows], seen)
        herd = self._herd.taken(scene.rows[chosen])
        out = np.zeros(len(herd), dtype=OBJECT)
        out["id"], out["parent"], out["born_s"] = herd.id, herd.parent, herd.born_s
        out["kind"] = kinds(herd, self.settings)
        out["z_um"] = middle_um(herd.spread, scene.ball_um[chosen])
        out["y_um"], out["x_um"] = herd.y + scene.nucleus.y_um[chosen], herd.x + scene.nucleus.x_um[chosen]
        out["area_um2"] = scene.area_um2[chosen]
        out["dose_j_cm2"], out["stress"] = herd.dose, herd.stress / herd.tolerance
        out["bleached"], out["on"] = 1 - herd.left.mean(axis=1), True
        return Truth(self._time_s, scene.labels.copy(), scene.nuclei.copy(), out[np.argsort(out["id"])])

    def _at(self, view: View) -> Scene:
        # Optics looks at a wider view than the camera, and a stage goes round between a few places: some are kept.
        if view not in self._scenes:
            pixels = view.shape[0] * view.shape[1]
            while self._scenes and pixels + sum(v.shape[0] * v.shape[1] for v in self._scenes) > _KEPT_PIXELS:
                del self._scenes[next(iter(self._scenes))]
            pairs = neighbours(self._herd, self.settings, 30.0 * (0.4 + self.settings.spikiness))
            self._scenes[view] = Scene(self._herd, pairs, view, self._step * STEP_S, self.settings, self._seed)
        return self._scenes[view]
