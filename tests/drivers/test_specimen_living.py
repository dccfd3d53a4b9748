"""Living cells under the mounted microscope: what is seen, what is true, what the light does to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.drivers import specimen
from onscope.specimen.optics import Drift
from onscope.specimen.sample import Cells, CellSettings
from onscope.specimen.sensor import EMCCD

from .specimens import QUICK, mounted, popped, snapped

SIDE = 384
HARDWARE = replace(
    QUICK, camera=replace(QUICK.camera, shape=(SIDE, SIDE)), start_objective="Plan Apo 20x 0.75", start_channel="TRITC"
)
FIELD_CM2 = np.pi * (2.2 / 20 / 2) ** 2
IRRADIANCE = 6e-3 / FIELD_CM2
"""W/cm2 of the channels FITC and TRITC through the 20x objective, on average over the field."""


def culture(seed: int = 3) -> Cells:
    """Cells on 250 x 250 um, of which the camera sees 125."""
    return Cells(CellSettings(count=45, extent_um=(250.0, 250.0), mitotic_fraction=0.0), seed=seed)


def living(**options: Any) -> specimen.Living:
    """The culture as a scene, with its truth."""
    return specimen.Living(culture(), remember=4, **options)


def cells(scene: specimen.Living, **options: Any) -> specimen.SpecimenCore:
    """A core with the culture in it, in focus."""
    mmc = mounted(scene, hardware=HARDWARE, **options)
    mmc.setPosition(2.0)
    mmc.setExposure(100.0)
    mmc.waitForSystem()
    return mmc


@pytest.fixture(scope="module")
def scene() -> specimen.Living:
    return living()


@pytest.fixture(scope="module")
def mmc(scene: specimen.Living) -> Iterator[specimen.SpecimenCore]:
    core = cells(scene)
    yield core
    core.unloadAllDevices()


def seen(mmc: specimen.SpecimenCore, scene: specimen.Living) -> specimen.Seen:
    """The truth of the last exposure."""
    return scene.seen(int(mmc.snap_tags()["SpecimenExposure"]))


@pytest.mark.parametrize(("channel", "body"), [("TRITC", "nuclei"), ("FITC", "labels")])
def test_each_channel_shows_its_structure(
    mmc: specimen.SpecimenCore, scene: specimen.Living, channel: str, body: str
) -> None:
    mmc.setConfig("Channel", channel)
    mmc.waitForConfig("Channel", channel)
    image = snapped(mmc).astype(float)
    truth = seen(mmc, scene).truth
    inside = getattr(truth, body) > 0
    assert 0.02 < inside.mean() < 0.98
    # A threshold in the middle tells nearly every pixel: edges are blurred, and dim parts are dim.
    level = (image[inside].mean() + image[~inside].mean()) / 2
    assert np.median(image[inside]) > level > np.median(image[~inside])
    if channel == "TRITC":
        cytoplasm = (truth.labels > 0) & ~inside
        assert image[inside].mean() - 100 > 5 * (image[cytoplasm].mean() - 100)


def test_the_counts_scatter_around_the_truth(mmc: specimen.SpecimenCore, scene: specimen.Living) -> None:
    mmc.setConfig("Channel", "TRITC")
    mmc.waitForConfig("Channel", "TRITC")
    image = snapped(mmc).astype(float)
    truth = seen(mmc, scene).counts
    gain, read = 1 / 0.46, 1.6  # SCMOS: counts per electron, electrons rms
    sigma = np.sqrt(gain * (truth - 100) + (gain * read) ** 2 + 0.7**2)
    score = (image - truth) / sigma
    score = score[np.abs(score) < 6]  # without hot pixels
    assert abs(score.mean()) < 0.1
    assert score.std() == pytest.approx(1.0, abs=0.15)  # the read noise differs from pixel to pixel


def test_transmitted_light_needs_no_dye(mmc: specimen.SpecimenCore, scene: specimen.Living) -> None:
    mmc.setConfig("Channel", "Transmitted")
    mmc.waitForConfig("Channel", "Transmitted")
    mmc.setExposure(20.0)
    image = snapped(mmc).astype(float)
    mmc.setExposure(100.0)
    bodies = seen(mmc, scene).truth.labels > 0
    assert 2_000 < image.mean() < 60_000
    assert image[bodies].mean() < 0.97 * image[~bodies].mean()  # phase contrast: what is denser is darker


def test_the_sample_lives_with_the_clock() -> None:
    scene = living()
    mmc = cells(scene, lapse=3600.0)
    snapped(mmc)
    first = seen(mmc, scene).truth
    mmc.bench.clock.wait_until(mmc.bench.clock.now_s() + 0.5, threading.Event())
    snapped(mmc)
    again = seen(mmc, scene).truth
    assert again.time_s == pytest.approx(float(mmc.snap_tags()["SpecimenTime-s"]), abs=1e-3)
    assert again.time_s - first.time_s > 1800
    assert (first.labels != again.labels).mean() > 0.05
    mmc.unloadAllDevices()


def test_the_dose_of_a_cell_is_irradiance_times_time() -> None:
    scene = living(stand=specimen.Stand(unevenness=0.0))
    mmc = cells(scene)
    for _ in range(3):
        snapped(mmc)
        mmc.waitForDevice("Shutter")
    snapped(mmc)
    objects = seen(mmc, scene).truth.objects  # as they were when the fourth exposure began
    whole = objects[np.isin(objects["id"], inner(seen(mmc, scene).truth.labels))]
    # booked is what came before the third exposure ended: the shutter closed twice until then
    lit_s = 3 * 0.1 + 2 * (QUICK.shutter_s + SIDE * QUICK.camera.line_s)
    assert len(whole)
    assert whole["dose_j_cm2"] == pytest.approx(lit_s * IRRADIANCE, rel=0.01)
    mmc.unloadAllDevices()


def inner(labels: Any) -> Any:
    """Ids of the bodies that do not touch the border."""
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.setdiff1d(np.unique(labels), [0, *border])


def test_the_slm_spares_what_it_does_not_light() -> None:
    scene = living()
    mmc = cells(scene)
    left = np.zeros(QUICK.slm.shape, np.uint8)
    left[:, : QUICK.slm.shape[1] // 2] = 255
    mmc.setSLMImage(left)
    mmc.displaySLMImage()
    image = snapped(mmc).astype(float)
    snapped(mmc)
    truth = seen(mmc, scene).truth
    columns = {int(one): np.nonzero(truth.labels == one)[1] for one in inner(truth.labels)}
    doses = {int(one["id"]): float(one["dose_j_cm2"]) for one in truth.objects}
    dark = [doses[one] for one, at in columns.items() if at.min() > SIDE / 2 + 4]
    lit = [doses[one] for one, at in columns.items() if at.max() < SIDE / 2 - 4]
    assert lit
    assert dark
    assert min(lit) > 50 * max(dark)  # an off mirror still sends a thousandth
    assert image[:, : SIDE // 2 - 4].max() > 3 * image[:, SIDE // 2 + 8 :].max() - 200
    mmc.unloadAllDevices()


def test_drift_moves_the_view() -> None:
    scene = living(stand=specimen.Stand(drift=Drift(velocity_um_h=(0.0, 3600.0, 0.0))))
    mmc = cells(scene)
    snapped(mmc)
    seconds = float(mmc.snap_tags()["SpecimenTime-s"])
    assert seen(mmc, scene).view.centre_um == pytest.approx((125.0 + seconds, 125.0), abs=0.006)
    assert mmc.bench.xyz_um()[1] == 125.0
    assert seconds > 0
    mmc.unloadAllDevices()


def test_the_same_seed_gives_the_same_frames_of_cells() -> None:
    def frames() -> list[Any]:
        mmc = cells(specimen.Living(culture(), seed=5))
        mmc.startSequenceAcquisition(3, 0, True)
        images = [image for image, _ in popped(mmc, 3)]
        mmc.unloadAllDevices()
        return images

    for one, other in zip(frames(), frames(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_emccd_sees_them_too() -> None:
    scene = living(sensor=replace(EMCCD, em_gain=5.0))
    mmc = cells(scene)
    mmc.setExposure(20.0)
    mmc.setProperty("Camera", "Binning", 2)
    image = snapped(mmc).astype(float)
    truth = seen(mmc, scene).counts
    assert image.shape == truth.shape == (SIDE // 2, SIDE // 2)
    bright = truth > np.quantile(truth, 0.95)
    assert truth.max() < 60_000
    # Multiplied electrons scatter by sqrt(2) more than light itself: over 1,800 pixels of 20 % each, 0.5 %.
    assert image[bright].mean() == pytest.approx(truth[bright].mean(), rel=0.03)
    mmc.unloadAllDevices()
