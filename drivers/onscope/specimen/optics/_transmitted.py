"""The transmitted image of an optical path difference and an absorbance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from ._blur import THREADS, forward, inverse
from ._condenser import TABLE, Coherence, Condenser, coherence
from ._grid import Grid
from ._kept import kept
from ._objective import Objective
from ._pattern import soft

Array = npt.NDArray[Any]

LN_10 = math.log(10)
FAINT = 0.02
"""Absorbance up to which exp(-x) is taken as 1 - x: the error is its square over 2, 0.1 % of the light."""

FARTHEST_UM = 50.0
"""Defocus in um beyond which nothing changes any more: chosen, by then cells are smears without contrast."""

SPREAD = 1.4
"""How widely light that does not interfere with the direct one is spread in phase contrast, as sigma in units of
wavelength / aperture of the ring: fitted to Abbe's sum over the ring's points for cells, rings of 0.14 and 0.245."""


def transmitted(
    condenser: Condenser,
    objective: Objective,
    path_nm: Array,
    absorbance: Array,
    pixel_um: float,
    wavelength_nm: float,
    focus_um: float,
    sample_index: float,
) -> Array:
    """The image relative to even light without a sample: float32, shape of `path_nm`, which is one period.

    The object transmits 10^(-A / 2) exp(i phi), A the absorbance (base 10), phi = 2 pi path / wavelength. To the
    first order in both the image is that of the partially coherent microscope (see `coherence`). What strong phases
    do is taken from the term that matters most, and is not exact (correlations with the full sum over the source's
    points, in cells with up to 5 rad: 0.85 to 0.9 in bright field, 0.93 to 0.99 in phase contrast):

    In bright field the contrast of the phase is bounded by a hyperbolic tangent, as light is moved about and neither
    lost nor made, and absorption multiplies. In phase contrast, where the undiffracted light is dimmed, the image is
    |t filtered with C(f)|^2, so that strong phases turn over (a rounded cell is bright), and the light that does not
    interfere with the direct one, spread as widely as the ring is narrow.
    """
    step = 0.2 * objective.immersion_index * wavelength_nm / 1000 / objective.na**2
    away_um = min(max(focus_um - condenser.plane_um, -FARTHEST_UM), FARTHEST_UM)
    defocus_um = round(away_um / step) * step
    known = coherence(condenser, objective.na, max(sample_index, 1.001 * objective.na), wavelength_nm, defocus_um)
    phase = np.asarray(path_nm, dtype=np.float32) * np.float32(2 * math.pi / wavelength_nm)
    absorbance = np.asarray(absorbance, dtype=np.float32)
    grid = Grid((phase.shape[0], phase.shape[1]), pixel_um)
    if condenser.contrast == "brightfield":
        image = _bounded(phase, absorbance, grid, known)
    else:
        spread_um = SPREAD * wavelength_nm / 1000 / (0.5 * sum(condenser.ring))
        image = _turning(phase, absorbance, grid, known, spread_um / pixel_um)
    image *= np.float32(known.direct)
    return image


def _bounded(phase: Array, absorbance: Array, grid: Grid, known: Coherence) -> Array:
    spectrum = forward(phase)
    spectrum *= kept((grid, known, "phase"), lambda: _laid_out(grid, known, -2 * known.values.imag)[:, : _half(grid)])
    most = absorbance.max()
    if most > 0:
        loss = forward(absorbance)
        loss *= kept(
            (grid, known, "loss"), lambda: _laid_out(grid, known, -LN_10 * known.values.real)[:, : _half(grid)]
        )
    if 0 < most <= FAINT:  # so faint that it is the same whether it adds to the contrast or multiplies the light
        spectrum += loss
    image = np.tanh(inverse(spectrum, grid.shape))
    image += 1
    if most > FAINT:
        image *= np.exp(inverse(loss, grid.shape))
    return np.asarray(image)


def _turning(phase: Array, absorbance: Array, grid: Grid, known: Coherence, spread_px: float) -> Array:
    field = np.empty(phase.shape, dtype=np.complex64)
    amplitude = np.exp(absorbance * np.float32(-0.5 * LN_10))
    np.multiply(amplitude, np.cos(phase), out=field.real)
    np.multiply(amplitude, np.sin(phase), out=field.imag)
    workers = THREADS if field.size > 500_000 else 1
    spectrum = scipy.fft.fft2(field, workers=workers, overwrite_x=True)
    alone = kept((grid, known, "scattered"), lambda: _laid_out(grid, known, known.scattered)) * spectrum
    image = soft(_intensity(scipy.fft.ifft2(alone, workers=workers, overwrite_x=True)), spread_px)
    spectrum *= kept((grid, known), lambda: _laid_out(grid, known, known.values))
    image += _intensity(scipy.fft.ifft2(spectrum, workers=workers, overwrite_x=True))
    return image


def _intensity(field: Array) -> Array:
    image = field.real * field.real
    image += field.imag * field.imag
    return np.asarray(image)


def _half(grid: Grid) -> int:
    return grid.shape[1] // 2 + 1


def _laid_out(grid: Grid, known: Coherence, values: Array) -> Array:
    y, x = (np.abs(np.fft.fftfreq(n)[: n // 2 + 1]) / grid.pixel_um for n in grid.shape)
    place = np.sqrt((y * y)[:, None] + x * x) * (TABLE / known.cutoff_per_um)
    quarter = np.append(values, values[-1:] * 0)[np.minimum(np.rint(place), TABLE + 1).astype(np.int16)]
    half = np.concatenate([quarter, quarter[-2:0:-1]])
    return np.concatenate([half, half[:, -2:0:-1]], axis=1)
