"""How fine the details are that an image shares with its truth, and how like its details are in strength."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SHARED = 0.5


def shared_detail(image: Array, truth: Array, pixel: float) -> float:
    """The period, in the unit of `pixel`, of the finest detail that an image (y, x) shares with its truth.

    Fourier ring correlation (M. van Heel, M. Schatz, J. Struct. Biol. 151, 250 (2005)) with a noise-free truth, in
    rings of 2 frequencies: it is 1 where the phases agree, and the detail ends with the first ring below `SHARED`.
    Without one, it is that of two pixels.
    """
    spectra = [np.fft.fft2(_windowed(one)) for one in (image, truth)]
    rows, columns = image.shape
    side = min(rows, columns)
    ring = (np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :]) * side / 2).astype(int)
    count = side // 4
    cross, own, true = (
        np.bincount(ring.ravel(), values.ravel(), minlength=count)[:count]
        for values in ((spectra[0] * np.conj(spectra[1])).real, np.abs(spectra[0]) ** 2, np.abs(spectra[1]) ** 2)
    )
    agreement = cross / np.maximum(np.sqrt(own * true), 1e-30)
    below = np.flatnonzero(agreement < SHARED)
    first = int(below[0]) if len(below) else count
    return float(pixel * side / (2 * max(first, 1)))


def spectrum_error_db(image: Array, truth: Array) -> float:
    """How far the strength of an image's (y, x) details is from the truth's: mean of |dB| over rings of frequencies.

    Smoothing makes it large, as noise does, and as it is blind to where details are, so can inventing make it small.
    Rings are those in which the truth stays above a millionth of its strongest one.
    """
    powers = [_rings(np.abs(np.fft.fft2(_windowed(one))) ** 2) for one in (image, truth)]
    seen = powers[1] > 1e-6 * powers[1].max()
    apart = 10 * np.log10(np.maximum(powers[0][seen], 1e-30) / powers[1][seen])
    return float(np.abs(apart).mean())


def _rings(power: Array) -> Array:
    """Mean power of each ring of 2 frequencies, up to those of two pixels."""
    rows, columns = power.shape
    side = min(rows, columns)
    ring = (np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :]) * side / 2).astype(int).ravel()
    count = side // 4
    total = np.bincount(ring, power.ravel(), minlength=count)[:count]
    return np.asarray(total / np.bincount(ring, minlength=count)[:count])


def _windowed(image: Array) -> Array:
    rows, columns = image.shape
    return np.asarray((image - image.mean()) * np.outer(np.hanning(rows), np.hanning(columns)))
