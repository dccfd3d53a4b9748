"""Points drawn into layers: small Gaussians, on planes so close that a point's height is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from .._view import Layer, View

Array = npt.NDArray[Any]

FINEST_PX = 0.45
"""Least width (sigma) of a drawn point in pixels: narrower ones would lose their sub-pixel place in the grid. It
adds 0.2 square pixels to the variance of the image of a point."""


def layers(
    view: View, z_um: Array, y_um: Array, x_um: Array, amount: Array, sigma_um: float, spacing_um: float
) -> list[Layer]:
    """Layers at multiples of `spacing_um` with N points of some `amount` (molecules) each, all arrays (N,).

    Every point is split between the two planes around it so that its mean height stays. Points whose middle lies
    more than 4 sigma outside of the view are left out.
    """
    sigma = max(sigma_um / view.pixel_um, FINEST_PX)
    near = view.contains(y_um, x_um, 4 * sigma * view.pixel_um) & (amount > 0)
    if not near.any():
        return []
    lower = np.floor(z_um[near] / spacing_um)
    part = z_um[near] / spacing_um - lower
    drawn = _splats(view, y_um[near], x_um[near], amount[near], sigma)
    out = []
    for number in np.unique(np.concatenate([lower, lower + 1])):
        share = np.where(lower == number, 1 - part, 0.0) + np.where(lower + 1 == number, part, 0.0)
        chosen = share > 0
        if chosen.any():
            out.append(Layer(float(number * spacing_um), _summed(view, drawn, chosen, share[chosen])))
    return out


def _splats(view: View, y_um: Array, x_um: Array, amount: Array, sigma: float) -> tuple[Array, Array]:
    """Pixel indices (-1 outside of the view) and values of each Gaussian, integrated over pixels: (N, K * K)."""
    row, column = view.pixels(y_um, x_um)
    half = math.ceil(4 * sigma)
    reach = np.arange(-half, half + 1)
    sides, places = [], []
    for place in (row, column):
        middle = np.round(place).astype(np.int64)
        edges = (middle[:, None] + np.append(reach, half + 1) - 0.5 - place[:, None]) / (math.sqrt(2) * sigma)
        sides.append(np.diff(0.5 * erf(edges), axis=1))
        places.append(middle[:, None] + reach)
    value = sides[0][:, :, None] * sides[1][:, None, :] * amount[:, None, None]
    rows, columns = places[0][:, :, None], places[1][:, None, :]
    inside = (rows >= 0) & (rows < view.shape[0]) & (columns >= 0) & (columns < view.shape[1])
    index = np.where(inside, rows * view.shape[1] + columns, -1)
    return index.reshape(len(row), -1), value.reshape(len(row), -1)


def _summed(view: View, drawn: tuple[Array, Array], chosen: Array, share: Array) -> npt.NDArray[np.float32]:
    index, value = drawn[0][chosen].ravel(), (drawn[1][chosen] * share[:, None]).ravel()
    inside = index >= 0
    image = np.bincount(index[inside], value[inside], view.shape[0] * view.shape[1])
    return image.reshape(view.shape).astype(np.float32)
