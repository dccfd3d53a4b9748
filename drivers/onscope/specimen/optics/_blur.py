"""Sums of blurred planes: each with its own transfer function, in one inverse Fourier transform."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from ._grid import Grid, halved
from ._transfer import Transfer

Array = npt.NDArray[Any]

THREADS = min(os.cpu_count() or 1, 4)


def blurred(planes: Iterable[tuple[Array, Transfer]], grid: Grid) -> Array:
    """Sum of planes (float32 amounts per pixel, shape of the grid), each seen through its transfer function.

    Float32 of the same shape; the grid is one period, so what leaves on one side comes in on the other. Planes far
    out of focus are transformed on a coarser grid, where they have lost nothing that was left of them: their
    error is below NOTICED of each detail's amount.
    """
    sums: dict[int, Array] = {}
    for amount, transfer in planes:
        scale = grid.scale(transfer)
        if scale > 1:
            amount = halved(amount, scale)
        spectrum = forward(amount)
        spectrum *= grid.spread(transfer, scale)
        if scale in sums:
            sums[scale] += spectrum
        else:
            sums[scale] = spectrum
    if not sums:
        return np.zeros(grid.shape, dtype=np.float32)
    whole = sums.pop(1, None)
    if whole is None:
        whole = np.zeros((grid.shape[0], grid.shape[1] // 2 + 1), dtype=np.complex64)
    for spectrum in sums.values():
        half, columns = spectrum.shape[0] // 2, spectrum.shape[1] - 1
        whole[:half, :columns] += spectrum[:half, :columns]
        whole[-half + 1 :, :columns] += spectrum[half + 1 :, :columns]
    return inverse(whole, grid.shape)


def forward(image: Array) -> Array:
    """The half spectrum, complex64, of a float32 image."""
    return np.asarray(scipy.fft.rfft2(image, workers=_workers(image.size), overwrite_x=False))


def inverse(spectrum: Array, shape: tuple[int, int]) -> Array:
    """The float32 image of a half spectrum, which is overwritten."""
    workers = _workers(spectrum.size)
    # one axis after the other: a third faster than irfft2 on large images
    spectrum = scipy.fft.ifft(spectrum, axis=0, workers=workers, overwrite_x=True)
    return np.asarray(scipy.fft.irfft(spectrum, shape[1], axis=1, workers=workers, overwrite_x=True))


def _workers(size: int) -> int:
    return THREADS if size >= 500_000 else 1
