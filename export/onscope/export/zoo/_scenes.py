"""Training and evaluation examples: simulated scenes behind random or demo-like sensors, with their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import DEMO_BACKGROUND_PHOTONS, DEMO_SENSOR, Beads, SceneRanges, Sensor, render

Array = npt.NDArray[Any]
SHARPER = 2
"""How many times finer the truth of the super-resolution is."""

CLEAR_SNR = 8.0
"""Beads that stand out this much must be found; see `signal_to_noise`."""
FAINT_SNR = 2.5
"""Fainter ones are no spots; what lies between counts neither way."""

EVERYTHING = SceneRanges()
"""What the networks are trained on."""

HAZY = replace(EVERYTHING, haze_fraction=0.6, haze_photons=(0.5, 200.0), haze_sigma_px=(6.0, 40.0), empty_fraction=0.25)
"""What the spot network is trained on: it must also find beads on the slope of something bright."""

DEMO_LIKE = SceneRanges(
    beads_per_megapixel=(400.0, 500.0),
    sigma_px=(1.6, 1.7),
    blur=(1.0, 1.6),
    peak_photons=(45.0, 46.0),
    peak_spread=(0.6, 1.0),
    background_photons=(DEMO_BACKGROUND_PHOTONS, DEMO_BACKGROUND_PHOTONS * 1.001),
    haze_fraction=0.0,
    empty_fraction=0.0,
)
"""Scenes with the density, widths and brightness of the demo camera's beads, at positions that are known."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One frame (uint16 counts, (y, x)) and its truth.

    `truth` is what a noise-free camera would count (float32, (y, x)); `fine_truth` the same scene through the same
    optics on pixels of half the size, times 4, so that the counts compare ((2y, 2x); None unless asked for);
    `noise_counts` the standard deviation of the noise in a pixel of background; `snr` tells how far each bead stands
    out (see `signal_to_noise`).
    """

    frame: Array
    truth: Array
    fine_truth: Array | None
    noise_counts: float
    beads: Beads
    snr: Array


def random_sensor(rng: np.random.Generator) -> Sensor:
    """A camera as it may stand on any microscope: gain, offset, read noise, bit depth and full well vary widely."""
    return Sensor(
        quantum_efficiency=float(rng.uniform(0.5, 0.95)),
        gain_counts_per_electron=float(np.exp(rng.uniform(np.log(0.4), np.log(8.0)))),
        offset_counts=float(rng.uniform(20, 600)),
        read_noise_electrons=float(rng.uniform(0.8, 4.0)),
        read_noise_spread=float(rng.uniform(0.0, 0.5)),
        full_well_electrons=float(np.exp(rng.uniform(np.log(1500), np.log(30_000)))),
        bit_depth=int(rng.choice([12, 14, 16])),
        pattern_seed=int(rng.integers(2**31)),
    )


def draw(
    rng: np.random.Generator,
    shape: tuple[int, int],
    ranges: SceneRanges,
    sensor: Sensor | None = None,
    *,
    fine: bool = False,
) -> Example:
    """A random example of (y, x) pixels; without `sensor`, a random one; `fine_truth` if `fine`."""
    scene = ranges.draw(shape, rng)
    sensor = sensor or random_sensor(rng)
    photons = scene.photons()
    electrons = sensor.quantum_efficiency * scene.background_photons + sensor.read_noise_electrons**2
    noise = sensor.gain_counts_per_electron * float(np.sqrt(electrons))
    beads = scene.beads.select(_inside(scene.beads, shape))
    under = np.full(shape, scene.background_photons) + render(scene.haze, shape)
    under = under[np.rint(beads.y).astype(int), np.rint(beads.x).astype(int)]
    return Example(
        frame=sensor.expose(photons, rng, exact=True),
        truth=sensor.expected_counts(photons),
        fine_truth=sensor.expected_counts(scene.photons(zoom=SHARPER) * SHARPER**2) if fine else None,
        noise_counts=noise,
        beads=beads,
        snr=signal_to_noise(beads, sensor, under),
    )


def draw_demo(seed: int, shape: tuple[int, int] = (512, 512)) -> Example:
    """A demo-like scene at the demonstration's light level, behind its sensor."""
    return draw(np.random.default_rng(seed), shape, DEMO_LIKE, DEMO_SENSOR, fine=True)


def signal_to_noise(beads: Beads, sensor: Sensor, background_photons: Array | float) -> Array:
    """Signal over noise of each bead in the output of a matched filter, float64 (N,).

    S / sqrt(4 pi sigma^2 v), where S are the bead's electrons, v the variance of background and read noise per pixel
    in electrons^2 and 4 pi sigma^2 the pixels that a Gaussian of this width gathers noise from.
    """
    variance = sensor.quantum_efficiency * background_photons + sensor.read_noise_electrons**2
    gathered = np.sqrt(4 * np.pi * beads.sigma_px**2 * variance)
    return np.asarray(sensor.quantum_efficiency * beads.photons / gathered)


def _inside(beads: Beads, shape: tuple[int, int]) -> Array:
    y, x = beads.y, beads.x
    return np.asarray((y >= -0.5) & (y < shape[0] - 0.5) & (x >= -0.5) & (x < shape[1] - 0.5))
