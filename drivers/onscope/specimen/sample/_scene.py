"""One view of a culture at one step: everything drawn of it so far, so that nothing is drawn twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from .._view import Layer, View
from . import _bodies, _looks, _sprites
from ._chromatin import BALL, dna
from ._chromatin import bodies as chromatin_bodies
from ._depth import PLANES_UM, ball_shares, flat_shares
from ._dose import Points, on_bodies, on_chromatin, over_cells
from ._height import mean_profile
from ._herd import DEAD, DYING, Herd
from ._nucleus import nuclei
from ._outline import outlines
from ._patches import Patch, add, numbered, total
from ._settings import DYES, CellSettings

Array = npt.NDArray[Any]

INDEX_CELL, INDEX_NUCLEUS, INDEX_CHROMOSOME = 0.03, -0.008, 0.012
"""Differences of the refractive index: cells to medium (C. L. Curl et al., Cytometry A 65, 88 (2005)), nuclei to the
cytoplasm, which is denser (Z. A. Steelman et al., J. Biophotonics 10, 1714 (2017)), condensed chromosomes to it."""

NUCLEUS_FLAT_UM, NUCLEUS_BALL = 5.5, 1.24
"""Height of a nucleus in a flat cell in um, and in a round one over the radius of its ball: chosen; flat nuclei of
cultured cells are 4 to 7 um high."""

ABSORBANCE_PER_UM = 4e-4
"""Absorbance (base 10) per um of unstained cell: some 0.002 in all, as seen in bright field at focus."""


class Scene:
    """What a view shows of a herd; the herd must not move while the scene is used (factors per row may change)."""

    def __init__(self, herd: Herd, pairs: Array, view: View, time_s: float, settings: CellSettings, seed: int) -> None:
        self.view = view
        self._herd, self._settings, self._seed = herd, settings, seed
        radius = herd.radius_um(settings)
        reach = 2.2 * float(radius.max(initial=1.0)) * (1 + settings.spikiness)
        self.rows = np.flatnonzero(view.contains(herd.y, herd.x, reach))
        shape = outlines(herd, self.rows, pairs, time_s, settings)
        seen = herd.taken(self.rows)
        self._seen = seen
        self.ball_um = np.cbrt(seen.volume_um3 * 0.75 / np.pi)
        self.area_um2 = shape.area_um2
        self.nucleus = nuclei(seen, shape.radius_um, settings)
        self.chromatin = chromatin_bodies(seen, self.nucleus, settings)
        self._shape, self._time_s = shape, time_s
        self._patches: dict[str, list[Patch]] = {}
        self._lit: dict[tuple[View, bool], tuple[Points, Points | None]] = {}

    @cached_property
    def _forms(self) -> _bodies.Bodies:
        seen, shape = self._seen, self._shape
        dome = np.minimum(gaussian_filter1d(shape.radius_um, 9, axis=1, mode="wrap"), shape.radius_um)
        return _bodies.Bodies(
            self.rows,
            seen.y,
            seen.x,
            shape.radius_um,
            seen.volume_um3 / np.maximum(shape.area_um2, 1),
            seen.spread,
            seen.axis,
            self.nucleus,
            dome,
            shape.touching,
            mean_profile(shape.radius_um, dome, shape.touching),
            np.where(seen.phase == DEAD, 0.0, np.where(seen.phase == DYING, 0.5, 1.0)),
            self._time_s,
            seen.key,
        )

    def patches(self, name: str) -> list[Patch]:
        """Drawn pieces of a dye, or of `depth`, `filled`."""
        if name not in self._patches:
            self._patches[name] = self._draw(name)
        return self._patches[name]

    def layers(self, dye: str) -> list[Layer]:
        """What still shines of a dye, one layer for each plane that holds some of it."""
        column = DYES.index(dye)
        shining = self._herd.made[:, column] * self._herd.left[:, column]
        spread = self._herd.spread
        patches = self.patches(dye)
        # Flat cells share one distribution over the planes: their sum is drawn once. Round ones have their own each.
        flat = total(self.view, patches, shining * spread)
        round_ones = [patch for patch in patches if spread[patch.row] < 1]
        shares = np.zeros((len(self._herd), len(PLANES_UM)))
        shares[self.rows] = ball_shares(dye, self.ball_um)
        shares *= (shining * (1 - spread))[:, None]
        out = []
        for n, (z_um, share) in enumerate(zip(PLANES_UM, flat_shares(dye), strict=True)):
            if share > 0 or (round_ones and shares[:, n].any()):
                amount = flat * np.float32(share)
                add(amount, round_ones, shares[:, n])
                out.append(Layer(z_um, amount))
        return out

    @cached_property
    def labels(self) -> npt.NDArray[np.int32]:
        """Ids of the cells whose outline holds a pixel's middle."""
        return numbered(self.view, self.patches("depth"), 0.0, self._herd.id)

    @cached_property
    def nuclei(self) -> npt.NDArray[np.int32]:
        """Ids of the cells whose chromatin covers most of a pixel."""
        solid = self.chromatin[self.chromatin["share"] > np.where(self.chromatin["sprite"] == BALL, 0.04, 0.3)]
        return numbered(self.view, _sprites.draw(self.view, solid, self.rows, "mask", self._seed), 0.5, self._herd.id)

    def received(self, lit: View, fluence: Array, nuclei: bool) -> tuple[Array, Array]:
        """Mean fluence over each cell of `rows`, and that over its dye: the chromatin with `nuclei`, else the same.

        `lit` is the view that the light falls on, in or around which all cells that it may reach are of this scene.
        """
        bodies, chromatin = self._points(lit, nuclei)
        body = bodies.mean(fluence)
        if chromatin is None:
            return body, body
        return body, over_cells(chromatin, self.chromatin, len(self.rows), fluence)

    def _points(self, lit: View, nuclei: bool) -> tuple[Points, Points | None]:
        # A camera lights one view again and again: where its points lie is known from the last time.
        if (lit, nuclei) not in self._lit:
            while len(self._lit) >= 2:
                del self._lit[next(iter(self._lit))]
            bodies = on_bodies(lit, self._seen.y, self._seen.x, self._shape.radius_um)
            self._lit[lit, nuclei] = bodies, on_chromatin(lit, self.chromatin) if nuclei else None
        return self._lit[lit, nuclei]

    def optical_path_nm(self) -> tuple[Array, Array]:
        """Optical path difference in nm and absorbance of the cells, float32 images."""
        one = np.ones(len(self._herd))
        solid = total(self.view, self.patches("filled"), one)
        path = total(self.view, self.patches("filled"), self._herd.density * (1000 * INDEX_CELL))
        path += total(self.view, self._thick("path", True), one) * np.float32(1000 * INDEX_NUCLEUS)
        path += total(self.view, self._thick("height", False), one) * np.float32(1000 * INDEX_CHROMOSOME)
        return path, solid * np.float32(ABSORBANCE_PER_UM)

    def _draw(self, name: str) -> list[Patch]:
        if name == "nucleus":
            amount = dna(self._seen) * _looks.NUCLEUS_MOLECULES
            drawn = _sprites.draw(self.view, self.chromatin, np.arange(len(self.rows)), "amount", self._seed)
            return [_scaled(each, float(amount[each.row]), int(self.rows[each.row])) for each in drawn]
        look: Callable[[_bodies.Pixels], Array]
        if name == "depth":
            look = _depth_of
        elif name == "filled":
            look = self._filled
        else:
            look = self._painter(name)
        patches = _bodies.paint(self.view, self._forms, look)
        if name == "cytoplasm":
            self._exclude_nuclei(patches)
        return patches

    def _filled(self, pixels: _bodies.Pixels) -> Array:
        return _looks.filled(pixels, self._forms, self._seed)

    def _painter(self, name: str) -> Callable[[_bodies.Pixels], Array]:
        painter = _looks.PAINTERS[name]
        # The soluble dye leaks out of cells that die, within half an hour.
        leaky = np.where(self._seen.phase == DEAD, 0.15, 1.0)
        leaky = np.where(self._seen.phase == DYING, np.exp(-self._seen.phase_s / 1500), leaky)

        def look(pixels: _bodies.Pixels) -> Array:
            out = painter(pixels, self._forms, self._seed)
            out *= np.float32(self.view.pixel_um**2)
            if name == "cytoplasm":
                out *= pixels.each(leaky)
            return out

        return look

    def _thick(self, kind: Literal["height", "path"], envelope: bool) -> list[Patch]:
        """Nuclei (with an envelope) or chromosomes (without), in um of height or of path."""
        name = f"{kind} {envelope}"
        if name not in self._patches:
            chosen = self.chromatin[self.chromatin["envelope"] == envelope]
            drawn = _sprites.draw(self.view, chosen, np.arange(len(self.rows)), kind, self._seed)
            high = NUCLEUS_FLAT_UM * self._seen.spread + NUCLEUS_BALL * self.ball_um * (1 - self._seen.spread)
            self._patches[name] = [_scaled(each, float(high[each.row]), int(self.rows[each.row])) for each in drawn]
        return self._patches[name]

    def _exclude_nuclei(self, patches: list[Patch]) -> None:
        of_row = {each.row: each for each in patches}
        lost = np.float32(_looks.CYTOPLASM_PER_UM3 * _looks.NUCLEAR_EXCLUSION * self.view.pixel_um**2)
        for nucleus in self._thick("height", True):
            body = of_row.get(nucleus.row)
            if body is None:
                continue
            top, left = max(nucleus.top, body.top), max(nucleus.left, body.left)
            bottom = min(nucleus.top + nucleus.pixels.shape[0], body.top + body.pixels.shape[0])
            right = min(nucleus.left + nucleus.pixels.shape[1], body.left + body.pixels.shape[1])
            if bottom > top and right > left:
                hole = nucleus.pixels[
                    top - nucleus.top : bottom - nucleus.top, left - nucleus.left : right - nucleus.left
                ]
                window = body.pixels[top - body.top : bottom - body.top, left - body.left : right - body.left]
                np.maximum(window - hole * lost, 0.12 * window, out=window)


def _depth_of(pixels: _bodies.Pixels) -> Array:
    return pixels.depth


def _scaled(patch: Patch, factor: float, row: int) -> Patch:
    patch.pixels[...] *= np.float32(factor)
    return Patch(row, patch.top, patch.left, patch.pixels)
