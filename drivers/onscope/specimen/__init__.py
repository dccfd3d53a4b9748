"""Simulated samples with known truth: living cells, bacteria, beads, molecules; optics; sensors, in plain NumPy.

specimen = load_scenario("dividing-cells")           # sample, microscope, light, camera
snap = specimen.snap((400, 400), "nuclei")           # .counts as a camera gives them, .photons, .truth

Beads alone, for networks that find them:

scene = SceneRanges().draw((512, 512), rng)         # beads at known sub-pixel positions
truth = sensor.expected_counts(scene.photons())     # what a noise-free camera would count
frame = sensor.expose(scene.photons(), rng)         # what the camera gives: uint16 counts
"""

from __future__ import annotations

from ._beads import Beads, Scene, SceneRanges, no_beads, render
from ._channel import Channel
from ._looking import Look, Looking, Sight, binned, drift_at, fluorophore_of
from ._snap import Light, Snap
from ._specimen import Specimen
from ._view import CLASSES, OBJECT, Sample, Truth, View
from .optics import GAUSSIAN_WIDTH, Optics
from .sensor import DEMO_BACKGROUND_PHOTONS, DEMO_PHOTONS_PER_UNIT, DEMO_SENSOR, Sensor, demo_photons

__all__ = [
    "CLASSES",
    "DEMO_BACKGROUND_PHOTONS",
    "DEMO_PHOTONS_PER_UNIT",
    "DEMO_SENSOR",
    "GAUSSIAN_WIDTH",
    "OBJECT",
    "Beads",
    "Channel",
    "Light",
    "Look",
    "Looking",
    "Optics",
    "Sample",
    "Scene",
    "SceneRanges",
    "Sensor",
    "Sight",
    "Snap",
    "Specimen",
    "Truth",
    "View",
    "binned",
    "demo_photons",
    "drift_at",
    "fluorophore_of",
    "no_beads",
    "render",
]
