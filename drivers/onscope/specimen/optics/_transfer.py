"""Optical transfer functions: what a plane of the sample keeps of its detail on the way to the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import j0, j1

from ._lens import Lens, areas, gauss_legendre, radii

Array = npt.NDArray[Any]

TABLE = 8192
"""Steps of a table over frequency: so fine that looking up the nearest one leaves less than 0.2 % of ripple."""

NOTICED = 0.01
"""Share of a detail that is worth drawing: chosen, well below the noise of the photons that make the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """A radially symmetric transfer function: the Fourier transform of a point-spread function.

    `values` are TABLE + 1 float32 numbers at frequencies evenly spaced from 0 to `cutoff_per_um`, above which nothing
    passes. At frequency 0 it is the share of the light that arrives: 1 in a wide field, less behind a pinhole.
    """

    values: npt.NDArray[np.float32]
    cutoff_per_um: float

    def at(self, frequency_per_um: float) -> float:
        """How much of a detail of this frequency is kept, relative to the light that arrives."""
        place = round(frequency_per_um / self.cutoff_per_um * TABLE)
        return abs(float(self.values[place] / self.values[0])) if place <= TABLE else 0.0

    @property
    def reach_per_um(self) -> float:
        """The highest frequency at which more than NOTICED of the detail is kept."""
        heard = np.flatnonzero(np.abs(self.values) > NOTICED * abs(self.values[0]))
        return (int(heard[-1]) + 1 if heard.size else 1) / TABLE * self.cutoff_per_um


@lru_cache(maxsize=1024)
def widefield(lens: Lens, emitter_um: float, focus_um: float) -> Transfer:
    """The transfer function of a plane at a height above the coverslip, with the focus at another height.

    Further out of focus than `Lens.far_um` it is that of `far_um`, with the point as much larger as the cone of its
    rays is there.
    """
    near_um, ratio = _near(lens, emitter_um, focus_um)
    nodes, _, bessel = _frequencies(lens, lens.cutoff_per_um)
    values = bessel @ (lens.profile(emitter_um, near_um) * areas(lens))
    return _table(nodes, values, lens.cutoff_per_um, ratio)


@lru_cache(maxsize=1024)
def confocal(lens: Lens, excitation: Lens, pinhole_airy: float, emitter_um: float, focus_um: float) -> Transfer:
    """The same for a point that scans, and a pinhole of a diameter in Airy units (1.22 wavelengths / NA) before the
    detector.

    The image of a point is what of the exciting light falls on it times the part of its light that passes the
    pinhole, I_excitation(r) (I_emission * pinhole)(r): T. Wilson, Journal of Microscopy 154, 143 (1989). Each plane
    receives all of the exciting light in the course of a scan, so unsharp planes are dim because their light misses
    the pinhole; far out of focus with the square of the distance.
    """
    near_um, ratio = _near(lens, emitter_um, focus_um)
    inner, weights, to_emission = _frequencies(lens, lens.cutoff_per_um)
    seen = to_emission @ (lens.profile(emitter_um, near_um) * areas(lens))
    radius = 0.61 * pinhole_airy * lens.wavelength_um / lens.na
    seen *= 2 * np.pi * radius**2 * j1(2 * np.pi * inner * radius) / (2 * np.pi * inner * radius)
    back = _bessel(excitation, lens, lens.cutoff_per_um)
    passes = np.clip((seen * 2 * np.pi * inner * weights) @ back, 0.0, 1.0)
    cutoff = lens.cutoff_per_um + excitation.cutoff_per_um
    nodes, _, bessel = _frequencies(excitation, cutoff)
    spread = excitation.profile(emitter_um, near_um) * passes / ratio**2
    return _table(nodes, bessel @ (spread * areas(excitation)), cutoff, ratio)


def _near(lens: Lens, emitter_um: float, focus_um: float) -> tuple[float, float]:
    # a focus for which the rays' paths can still be summed up, and by how much the real one is further away
    ratio = max(abs(focus_um - emitter_um) / lens.far_um, 1.0)
    return emitter_um + (focus_um - emitter_um) / ratio, ratio


def _table(nodes: Array, values: Array, cutoff_per_um: float, ratio: float) -> Transfer:
    even = np.interp(np.linspace(0, cutoff_per_um, TABLE + 1), nodes, values).astype(np.float32)
    even[-1] = 0
    even.flags.writeable = False
    return Transfer(even, cutoff_per_um / ratio)


@lru_cache(maxsize=16)
def _frequencies(lens: Lens, cutoff_per_um: float) -> tuple[Array, Array, Array]:
    nodes, weights = _nodes(lens, cutoff_per_um)
    return nodes, weights, j0(2 * np.pi * np.outer(nodes, radii(lens)))


@lru_cache(maxsize=16)
def _bessel(of_radii: Lens, of_frequencies: Lens, cutoff_per_um: float) -> Array:
    return np.asarray(j0(2 * np.pi * np.outer(_nodes(of_frequencies, cutoff_per_um)[0], radii(of_radii))))


def _nodes(lens: Lens, cutoff_per_um: float) -> tuple[Array, Array]:
    nodes, weights = gauss_legendre(math.ceil(1.2 * cutoff_per_um * radii(lens)[-1]) + 64)
    return cutoff_per_um * nodes, cutoff_per_um * weights
