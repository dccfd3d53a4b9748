"""Beads: point-like emitters at sub-pixel positions, drawn exactly, and seeded random scenes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf

Array = npt.NDArray[Any]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Beads:
    """N Gaussian emitters: float64 arrays of shape (N,).

    `y`, `x` are positions in pixels (whole numbers are pixel centres: the first pixel spans -0.5 to 0.5), `photons`
    is what one bead sends to the whole plane per exposure, `sigma_px` its width in pixels.
    """

    y: Array
    x: Array
    photons: Array
    sigma_px: Array

    def __len__(self) -> int:
        return len(self.y)

    @property
    def peak_photons(self) -> Array:
        """Photons in a pixel centred on the bead, shape (N,)."""
        return np.asarray(self.photons * erf(0.5 / (math.sqrt(2) * self.sigma_px)) ** 2)

    def select(self, keep: Array) -> Beads:
        """The beads that `keep` (bool mask or indices) names."""
        return Beads(self.y[keep], self.x[keep], self.photons[keep], self.sigma_px[keep])


def no_beads() -> Beads:
    """An empty sample."""
    return Beads(*(np.zeros(0) for _ in range(4)))


def render(beads: Beads, shape: tuple[int, int], *, zoom: int = 1) -> Array:
    """Photons per pixel, float32 of shape (y * zoom, x * zoom): each Gaussian integrated over each pixel.

    The integral over a pixel is a difference of error functions along y times one along x, so the image is a product
    of two matrices and nothing is cut off. `zoom` draws the same scene with pixels 1/zoom in size (and 1/zoom^2 of
    the photons in each).
    """
    along_y = _pixel_integrals(beads.y, beads.sigma_px, shape[0], zoom)
    along_x = _pixel_integrals(beads.x, beads.sigma_px, shape[1], zoom)
    return np.asarray((along_y * beads.photons.astype(np.float32)) @ along_x.T, dtype=np.float32)


def _pixel_integrals(position: Array, sigma: Array, size: int, zoom: int) -> Array:
    edges = np.arange(size * zoom + 1) / zoom - 0.5
    cumulative: Array = 0.5 * erf((edges[:, None] - position) / (math.sqrt(2) * sigma))
    return np.asarray(np.diff(cumulative, axis=0), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One field of view without noise: `beads` in focus, `haze` far out of focus, an even background.

    `background_photons` counts photons per pixel per exposure; `shape` is (y, x) in pixels.
    """

    shape: tuple[int, int]
    beads: Beads
    haze: Beads = field(default_factory=no_beads)
    background_photons: float = 0.0

    def photons(self, *, zoom: int = 1) -> Array:
        """Mean photons per pixel and exposure, float32 of shape (y * zoom, x * zoom)."""
        image: Array = render(self.beads, self.shape, zoom=zoom)
        if len(self.haze):
            image += render(self.haze, self.shape, zoom=zoom)
        image += np.float32(self.background_photons / zoom**2)
        return np.asarray(image)


@dataclass(frozen=True, slots=True)
class SceneRanges:
    """What random scenes may look like; each range is (lowest, highest).

    `beads_per_megapixel` (log-uniform; `empty_fraction` of the scenes have none), `sigma_px` the width of a scene's
    sharpest bead (uniform), `blur` how much wider a bead may be (uniform factor, per bead), `peak_photons` the
    brightness of a scene in its peak pixels (log-uniform), `peak_spread` the factor by which a bead may be dimmer
    than that (uniform, per bead), `background_photons` per pixel (log-uniform), `haze_fraction` of the scenes have up
    to 6 blobs of `haze_sigma_px` and up to `haze_photons` at their peak.
    """

    beads_per_megapixel: Range = (50.0, 8000.0)
    sigma_px: Range = (0.8, 2.6)
    blur: Range = (1.0, 1.6)
    peak_photons: Range = (8.0, 2000.0)
    peak_spread: Range = (0.3, 1.0)
    background_photons: Range = (0.5, 60.0)
    haze_fraction: float = 0.3
    haze_sigma_px: Range = (8.0, 30.0)
    haze_photons: Range = (0.5, 20.0)
    empty_fraction: float = 0.08

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
        """A random scene of (y, x) pixels; the same generator state gives the same scene.

        Beads may lie up to 6 pixels outside, so that the borders are as busy as the middle.
        """
        margin = 6.0
        area = (shape[0] + 2 * margin) * (shape[1] + 2 * margin)
        count = int(rng.poisson(_log_uniform(self.beads_per_megapixel, rng) * area / 2**20))
        count *= rng.random() >= self.empty_fraction
        sigma = rng.uniform(*self.sigma_px) * rng.uniform(*self.blur, count)
        peak = _log_uniform(self.peak_photons, rng) * rng.uniform(*self.peak_spread, count)
        beads = _scattered(shape, margin, peak, sigma, rng)
        haze = no_beads()
        if rng.random() < self.haze_fraction:
            blobs = int(rng.integers(1, 7))
            width = rng.uniform(*self.haze_sigma_px, blobs)
            peaks = np.array([_log_uniform(self.haze_photons, rng) for _ in range(blobs)])
            haze = _scattered(shape, margin, peaks, width, rng)
        return Scene(shape, beads, haze, _log_uniform(self.background_photons, rng))


def _scattered(shape: tuple[int, int], margin: float, peak: Array, sigma: Array, rng: np.random.Generator) -> Beads:
    y = rng.uniform(-0.5 - margin, shape[0] - 0.5 + margin, len(peak))
    x = rng.uniform(-0.5 - margin, shape[1] - 0.5 + margin, len(peak))
    return Beads(y, x, peak / erf(0.5 / (math.sqrt(2) * sigma)) ** 2, sigma)


def _log_uniform(limits: Range, rng: np.random.Generator) -> float:
    return math.exp(rng.uniform(math.log(limits[0]), math.log(limits[1])))
