"""Frames that are good for a denoiser of beads, and others; answers that are wrong whatever the frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export.zoo._scenes import DEMO_LIKE, EVERYTHING, random_sensor
from onscope.specimen import DEMO_SENSOR, Scene, Sensor, Specimen
from onscope.specimen.scenarios import load_scenario

Image = npt.NDArray[Any]
ENLARGED = 4
DEFOCUS_PX = 5.0
SATURATED = 97.0
"""Percentile of the frame at which the sensor is full."""


class Draw:
    """One scene of beads behind its sensor: as training draws them ("recipe"), or as the demonstration has ("own")."""

    def __init__(self, base: str, seed: int, size: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.shape = (size, size)
        ranges = EVERYTHING if base == "recipe" else DEMO_LIKE
        self.scene: Scene = ranges.draw(self.shape, self.rng)
        self.sensor: Sensor = random_sensor(self.rng) if base == "recipe" else DEMO_SENSOR
        self.photons: Image = self.scene.photons()

    def exposed(self, photons: Image | None = None, **sensor: float) -> Image:
        """A frame, uint16, of these photons (the scene's) behind the sensor, with some of its properties changed."""
        light = self.photons if photons is None else photons
        return replace(self.sensor, **sensor).expose(light, self.rng, exact=True)  # type: ignore[arg-type]


def good(draw: Draw) -> Image:
    """The frame as it is."""
    return draw.exposed()


def less_light(draw: Draw) -> Image:
    """An eighth of the light: another noise level."""
    return draw.exposed(draw.photons / 8)


def more_light(draw: Draw) -> Image:
    """30 times the light."""
    return draw.exposed(draw.photons * 30)


def read_noise(draw: Draw) -> Image:
    """Five times the read noise."""
    return draw.exposed(read_noise_electrons=5 * draw.sensor.read_noise_electrons)


def enlarged(draw: Draw) -> Image:
    """The middle at four times the magnification, each pixel as bright."""
    size, start = draw.shape[0] // ENLARGED, draw.shape[0] * (ENLARGED - 1) // (2 * ENLARGED)
    part = draw.photons[start : start + size, start : start + size]
    fine = cv2.resize(part, draw.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return draw.exposed(np.maximum(np.asarray(fine, np.float32), 0))


def defocused(draw: Draw) -> Image:
    """Out of focus: beads as Gaussians 5 pixels wide more."""
    return draw.exposed(np.asarray(cv2.GaussianBlur(draw.photons, (0, 0), DEFOCUS_PX), np.float32))


def saturated(draw: Draw) -> Image:
    """The brightest 3 % of the pixels are full."""
    frame = draw.exposed()
    return np.minimum(frame, np.uint16(np.percentile(frame, SATURATED, method="lower")))


def smoothed_by_camera(draw: Draw) -> Image:
    """The camera smooths: neighbouring pixels share their noise, as after interpolation or compression."""
    frame = draw.exposed().astype(np.float32)
    return np.asarray(np.rint(cv2.GaussianBlur(frame, (0, 0), 0.6)), np.uint16)


def striped(draw: Draw) -> Image:
    """Rows read high or low, by as much as a pixel's noise."""
    noise = draw.sensor.gain_counts_per_electron * np.sqrt(
        draw.sensor.quantum_efficiency * draw.scene.background_photons + draw.sensor.read_noise_electrons**2
    )
    stripes = draw.rng.normal(0, noise, (draw.shape[0], 1))
    return np.asarray(np.clip(np.rint(draw.exposed() + stripes), 0, 65535), np.uint16)


FRAMES: Mapping[str, Callable[[Draw], Image]] = {
    "an eighth of the light": less_light,
    "30 times the light": more_light,
    "five times the read noise": read_noise,
    "four times the magnification": enlarged,
    "out of focus": defocused,
    "3 % saturated": saturated,
    "smoothed by the camera": smoothed_by_camera,
    "stripes of the camera": striped,
}
NUCLEI = "nuclei instead of beads"


class Nuclei:
    """Nuclei of dividing cells, by the scenario of that name; each draw is another place of the stage."""

    def __init__(self, seed: int) -> None:
        self._specimen: Specimen = load_scenario("dividing-cells", seed=seed)
        self._rng = np.random.default_rng(seed)

    def frame(self, size: int) -> Image:
        """One frame, uint16 (size, size)."""
        place = self._rng.uniform(150, 330, 2)
        look = self._specimen.snap((float(place[0]), float(place[1])), "nuclei")
        counts: Image = np.asarray(look.counts)
        y, x = (int(self._rng.integers(0, side - size + 1)) for side in counts.shape)
        return np.ascontiguousarray(counts[y : y + size, x : x + size])


def oversmoothed(frame: Image, answer: Image, rng: np.random.Generator) -> Image:
    """The answer blurred by 2 pixels."""
    return np.asarray(cv2.GaussianBlur(answer.astype(np.float32), (0, 0), 2.0), np.float32)


def given_back(frame: Image, answer: Image, rng: np.random.Generator) -> Image:
    """The frame itself: nothing was taken out of it."""
    return frame


def shifted(frame: Image, answer: Image, rng: np.random.Generator) -> Image:
    """A third of the noise added everywhere."""
    return answer.astype(np.float32) + np.float32(0.33 * float((frame.astype(np.float32) - answer).std()))


def invented(frame: Image, answer: Image, rng: np.random.Generator) -> Image:
    """Twelve objects per 256 x 256 pixels that are not there, as bright as three times the noise."""
    made: Image = np.zeros(answer.shape, np.float32)
    count = max(1, round(12 * made.size / 256**2))
    made[rng.integers(8, made.shape[0] - 8, count), rng.integers(8, made.shape[1] - 8, count)] = 1
    made = np.asarray(cv2.GaussianBlur(made, (0, 0), 2.0), np.float32) * np.float32(8 * np.pi)
    return np.asarray(answer + made * np.float32(3 * float((frame.astype(np.float32) - answer).std())))


ANSWERS: Mapping[str, Callable[[Image, Image, np.random.Generator], Image]] = {
    "answer: blurred by 2 px": oversmoothed,
    "answer: the frame given back": given_back,
    "answer: a third of the noise added": shifted,
    "answer: objects invented": invented,
}
