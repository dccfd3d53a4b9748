"""Samples so plain that their image is known: layers, phase and absorbance given by functions of the place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen._view import OBJECT, Layer, Truth, View

Array = npt.NDArray[Any]
Field = Callable[[Array, Array], Array]


def nothing(y_um: Array, x_um: Array) -> Array:
    return np.zeros(np.broadcast_shapes(y_um.shape, x_um.shape))


@dataclass
class Plain:
    """Sheets of dye at heights (molecules per um2 as a function of y and x), points, path difference and absorbance."""

    sheets: Sequence[tuple[float, Field]] = ()
    points: Sequence[tuple[float, float, float, float]] = ()  # z, y, x, molecules
    path_nm: Field = nothing
    absorbance: Field = nothing
    dyes: tuple[str, ...] = ("dye",)
    extent_um: tuple[float, float] = (1000.0, 1000.0)
    time_s: float = 0.0
    exposed: list[Any] = field(default_factory=list)

    def advance(self, to_s: float) -> None:
        self.time_s = to_s

    def layers(self, view: View, dye: str) -> list[Layer]:
        if dye not in self.dyes:
            raise KeyError(dye)
        y, x = places(view)
        layers = [
            Layer(z, np.broadcast_to(density(y, x) * view.pixel_um**2, view.shape).astype(np.float32))
            for z, density in self.sheets
        ]
        for z, at_y, at_x, amount in self.points:
            layer = np.zeros(view.shape, dtype=np.float32)
            row, column = (round(float(place)) for place in view.pixels(np.array(at_y), np.array(at_x)))
            if 0 <= row < view.shape[0] and 0 <= column < view.shape[1]:
                layer[row, column] = amount
            layers.append(Layer(z, layer))
        return sorted(layers, key=lambda layer: layer.z_um)

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        y, x = places(view)
        path, absorbance = (
            np.broadcast_to(value(y, x), view.shape).astype(np.float32) for value in (self.path_nm, self.absorbance)
        )
        return path, absorbance

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        self.exposed.append((view, dye, fluence_j_cm2, wavelength_nm))

    def truth(self, view: View) -> Truth:
        none = np.zeros(view.shape, dtype=np.int32)
        return Truth(self.time_s, none, none, np.zeros(0, dtype=OBJECT))


def places(view: View) -> tuple[Array, Array]:
    """y as a column and x as a row, in um."""
    y, x = (
        (np.arange(n) - (n - 1) / 2) * view.pixel_um + centre
        for n, centre in zip(view.shape, view.centre_um, strict=True)
    )
    return y[:, None], x[None, :]


def sheet(per_um2: float = 100.0) -> Field:
    """The same amount everywhere."""
    return lambda y, x: np.full(np.broadcast_shapes(y.shape, x.shape), per_um2)
