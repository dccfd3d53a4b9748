"""The transmitted image of an optical path difference and an absorbance."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from ._blur import THREADS
from ._condenser import NODES, Coherence, Condenser, coherence
from ._grid import Grid
from ._objective import Objective

Array = npt.NDArray[Any]


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

    The object transmits t = 10^(-A / 2) exp(2 pi i path / wavelength), A the absorbance (base 10); the image is |t
    filtered with C(f)|^2 with the weak-object transfer function `coherence`. To the first order this is the partially
    coherent microscope; beyond it strong phases stay bounded and turn over as they do in a microscope (a thick cell
    in phase contrast is bright), though not exactly: the sum over the source's points is taken once, not for each
    order.
    """
    step = 0.2 * objective.immersion_index * wavelength_nm / 1000 / objective.na**2
    defocus_um = round((focus_um - condenser.plane_um) / step) * step
    known = coherence(condenser, objective.na, max(sample_index, 1.001 * objective.na), wavelength_nm, defocus_um)
    phase = np.asarray(path_nm, dtype=np.float32) * np.float32(2 * math.pi / wavelength_nm)
    field = np.empty(phase.shape, dtype=np.complex64)
    amplitude = np.exp(np.asarray(absorbance, dtype=np.float32) * np.float32(-0.5 * math.log(10)))
    np.multiply(amplitude, np.cos(phase), out=field.real)
    np.multiply(amplitude, np.sin(phase), out=field.imag)
    workers = THREADS if field.size > 500_000 else 1
    spectrum = scipy.fft.fft2(field, workers=workers, overwrite_x=True)
    spectrum *= _laid_out(Grid((phase.shape[0], phase.shape[1]), pixel_um), known)
    field = scipy.fft.ifft2(spectrum, workers=workers, overwrite_x=True)
    image = field.real * field.real
    image += field.imag * field.imag
    image *= np.float32(known.direct)
    return np.asarray(image)


@lru_cache(maxsize=4)
def _laid_out(grid: Grid, known: Coherence) -> Array:
    y, x = (np.fft.fftfreq(n)[: n // 2 + 1] / grid.pixel_um for n in grid.shape)
    place = np.sqrt((y * y)[:, None] + x * x) * (NODES / known.cutoff_per_um)
    at = np.arange(NODES + 1)
    quarter = np.interp(place, at, known.values.real, right=0) + 1j * np.interp(place, at, known.values.imag, right=0)
    half = np.concatenate([quarter, quarter[-2:0:-1]])
    return np.concatenate([half, half[:, -2:0:-1]], axis=1).astype(np.complex64)
