"""The Fourier reconstruction of structured illumination: known stripes, orders apart, moved to their place, Wiener.

M. G. L. Gustafsson, "Surpassing the lateral resolution limit by a factor of two using structured illumination
microscopy", Journal of Microscopy 198, 82 (2000), doi:10.1046/j.1365-2818.2000.00710.x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.optics import Stripes

Array = npt.NDArray[Any]
SCALE = 2
MARGIN = 16
"""Raw pixels that are mirrored around the images: the Fourier transform joins opposite borders."""


def reconstructed(
    raw: Array, stripes: Sequence[Stripes], pixel_um: float, na: float, emission_um: float, wiener: float
) -> Array:
    """Raw images (n, y, x) without offset to an image (2y, 2x) on pixels of half the size, as bright as their mean.

    `stripes` has the pattern of each raw image, images of one angle in a row, at least three phases of each; `pixel_um`
    belongs to raw pixels. Raw images hold the sample's spectrum as it is (order 0) and moved by the stripes' frequency
    to either side (orders 1 and -1), each times the lens' transfer function. A least-squares fit over an angle's
    phases tells the orders apart; moved back, they are summed after Wiener, with `wiener` as the noise's power over the
    signal's, and shaped to the transfer function of a lens that would pass as much (see `_striped.sharpest`).
    """
    raw = np.pad(np.asarray(raw, np.float64), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), mode="reflect")
    rows, columns = (SCALE * n for n in raw.shape[1:])
    y, x = ((np.arange(n) - (n - 1) / 2) * pixel_um / SCALE for n in (rows, columns))
    fy, fx = np.fft.fftfreq(rows, pixel_um / SCALE)[:, None], np.fft.fftfreq(columns, pixel_um / SCALE)[None, :]
    cutoff = 2 * na / emission_um
    top, below, strengths = np.zeros((rows, columns), complex), np.zeros((rows, columns)), 0
    for _, group in groupby(range(len(raw)), key=lambda n: stripes[n].angle_rad):
        places = list(group)
        one = stripes[places[0]]
        ky, kx = math.sin(one.angle_rad) / one.period_um, math.cos(one.angle_rad) / one.period_um
        zero, up = _orders([_finer(raw[n]) for n in places], [stripes[n].phase_rad for n in places])
        up = up * np.exp(-2j * math.pi * (y[:, None] * ky + x[None, :] * kx))
        half = one.modulation / 2
        for image, by, strength in ((zero, 0.0, 1.0), (up, 1.0, half), (np.conj(up), -1.0, half)):
            at = fy + by * ky, fx + by * kx  # where a raw image has this frequency
            passed = strength * transfer(np.hypot(*at) / cutoff) * np.sinc(at[0] * pixel_um) * np.sinc(at[1] * pixel_um)
            top += passed * np.fft.fft2(image)
            below += passed**2
        strengths += 1
    reach = cutoff + 1 / stripes[0].period_um
    wanted = transfer(np.hypot(fy, fx) / reach)
    image = np.fft.ifft2(wanted * top / (below + strengths * wiener)).real * (1 + wiener)
    return np.asarray(image[SCALE * MARGIN : -SCALE * MARGIN, SCALE * MARGIN : -SCALE * MARGIN])


def transfer(share: Array) -> Array:
    """The transfer function of a round lens for incoherent light, at shares of its cutoff; 1 at 0."""
    s = np.clip(share, 0, 1)
    return np.asarray(2 / math.pi * (np.arccos(s) - s * np.sqrt(1 - s * s)))


def _orders(images: Sequence[Array], phases: Sequence[float]) -> tuple[Array, Array]:
    """Orders 0 (real) and 1 (complex) of images a + b exp(i phase) + conj(b) exp(-i phase), by least squares."""
    turns = np.exp(1j * np.asarray(phases))
    apart = np.linalg.pinv(np.stack([np.ones(len(turns)), turns, np.conj(turns)], axis=1))
    zero, up = (np.tensordot(row, np.stack(images), axes=1) for row in apart[:2])
    return np.asarray(zero.real), np.asarray(up)


def _finer(image: Array) -> Array:
    """On pixels of half the size, each as bright as the whole one; by zeros around the spectrum."""
    rows, columns = image.shape
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    wide = np.pad(spectrum, ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))
    # The first fine pixel's middle lies a quarter of a raw pixel before the first raw one's.
    fy, fx = np.fft.fftfreq(SCALE * rows)[:, None], np.fft.fftfreq(SCALE * columns)[None, :]
    moved = np.fft.ifftshift(wide) * np.exp(-1j * math.pi * (fy + fx))
    return np.asarray(np.fft.ifft2(moved).real * SCALE**2)
