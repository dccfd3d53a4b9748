"""The documentation's pictures: structured light carries what is finer than the cutoff, and each scenario has one."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from onscope.specimen._view import View
from onscope.specimen.optics import Illumination, Microscope, Objective
from onscope.specimen.scenarios import read_scenario, scenario_names

from .plain import Plain

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("specimen_pictures", IMAGES / "specimen_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = script()


@pytest.mark.parametrize("direction", [0, 1, 2])
def test_nine_images_show_what_their_mean_cannot(direction: int) -> None:
    """A grating of 150 nm is beyond wavelength / (2 NA) of 175 nm, and within what stripes of 280 nm reach: 107 nm."""
    phases = read_scenario("sim").channels["filaments"].sim
    assert phases is not None
    angle = phases.stripes[3 * direction].angle_rad
    period = 0.15

    def grating(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray(100 * (1 + np.cos(2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / period)))

    view = View((0.0, 0.0), (128, 128), 0.065)
    microscope = Microscope(Objective(100, 1.49, 1.515), "tirf", 6.5)
    sample = Plain(sheets=[(0.15, grating)])
    raw = {
        stripes: microscope.image(sample, view, "dye", 0.15, Illumination(488, 8.0, 80.0, 0.0, pattern=stripes), 0.03)
        for stripes in phases.stripes
    }
    mean = sum(raw.values()) / 9
    fine = PICTURES.reconstructed(raw, 0.065, 1.49, 0.52)
    assert fine.shape == (256, 256)

    def strength(image: np.ndarray, pixel_um: float) -> complex:
        """Of the grating in the middle of the image, relative to its mean: a cosine of phase 0 is real and positive."""
        n = image.shape[0]
        window = np.outer(np.hanning(n), np.hanning(n))
        at = (np.arange(n) - (n - 1) / 2) * pixel_um
        wave = np.exp(-2j * math.pi * (at * math.cos(angle) + at[:, None] * math.sin(angle)) / period)
        return complex(2 * (image * window * wave).sum() / (image * window).sum())

    assert abs(strength(np.asarray(mean), 0.065)) < 0.01
    found = strength(fine, 0.0325)
    assert abs(found) > 0.2
    assert abs(np.angle(found)) < 0.15  # its lines are where they are: to 4 nm


def test_every_scenario_has_its_picture_and_all_are_small() -> None:
    pictures = {path.stem.removeprefix("specimen-"): path.stat().st_size for path in IMAGES.glob("specimen-*.png")}
    assert sorted(pictures) == scenario_names()
    assert sorted([*PICTURES.SIMULATED, "sim", "photo-toxicity"]) == scenario_names()
    assert sum(pictures.values()) < 3_000_000
