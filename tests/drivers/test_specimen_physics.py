"""What comes out of the mounted camera is physics: noise, shifts, focus, light, dose."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.drivers import specimen
from onscope.specimen import Sensor

from .specimens import QUICK, QUIET, even_light, mounted, one_bead, popped, snapped, spot

PIXEL_UM = 6.5 / 60
IRRADIANCE = 6e-3 / (np.pi * (2.2 / 60 / 2) ** 2)
"""W/cm2 of the channel FITC: 6 mW on the field of 22 mm as the 60x objective sees it."""


def series(mmc: specimen.SpecimenCore, n: int) -> Any:
    """`n` frames of a sequence, float64 (n, y, x)."""
    mmc.startSequenceAcquisition(n, 0, True)
    return np.array([image for image, _ in popped(mmc, n)], dtype=np.float64)


@pytest.fixture
def bead() -> Iterator[specimen.SpecimenCore]:
    mmc = mounted(one_bead(sensor=QUIET))
    mmc.setExposure(20.0)
    yield mmc
    mmc.unloadAllDevices()


def test_the_mean_variance_slope_is_the_cameras_gain() -> None:
    sensor = Sensor(gain_counts_per_electron=1.7)
    mmc = mounted(even_light(sensor=sensor))
    means, variances = [], []
    for exposure_ms in (20.0, 100.0, 400.0, 1000.0):
        mmc.setExposure(exposure_ms)
        frames = series(mmc, 60)
        means.append(frames.mean())
        variances.append(frames.var(axis=0, ddof=1).mean())
    slope = np.polyfit(means, variances, 1)[0]
    # The mean of 4096 sample variances of 60 frames has a relative error of sqrt(2 / 59 / 4096) = 0.3 %; five of them.
    assert slope == pytest.approx(1.7, rel=0.015)
    mmc.unloadAllDevices()


def test_binning_adds_up_light_and_noise() -> None:
    sensor = Sensor(read_noise_electrons=3.0, read_noise_spread=0.0)
    mmc = mounted(even_light(sensor=sensor))
    mmc.setExposure(200.0)
    plain = series(mmc, 40)
    mmc.setProperty("Camera", "Binning", 2)
    binned = series(mmc, 40)
    gain = sensor.gain_counts_per_electron
    assert binned.mean() - 100 == pytest.approx(4 * (plain.mean() - 100), rel=0.01)
    for frames, by in ((plain, 1), (binned, 2)):
        expected = gain * (frames.mean() - 100) + (gain * 3.0 * by) ** 2 + 1 / 12
        assert frames.var(axis=0, ddof=1).mean() == pytest.approx(
            expected, rel=0.04
        )  # 1024 pixels: 0.7 %, five of them
    mmc.unloadAllDevices()


@pytest.mark.parametrize(("dx_px", "dy_px"), [(7.0, 0.0), (0.0, -5.0), (3.37, 8.61), (-0.25, 0.5)])
def test_a_stage_move_shifts_the_image_by_so_many_pixels(
    bead: specimen.SpecimenCore, dx_px: float, dy_px: float
) -> None:
    before = spot(series(bead, 20).mean(axis=0))
    bead.setRelativeXYPosition(dx_px * PIXEL_UM, dy_px * PIXEL_UM)
    bead.waitForDevice("XY")
    after = spot(series(bead, 20).mean(axis=0))
    # 100,000 electrons in a spot of 0.8 pixels, and the noise of the 121 pixels around, place it to 0.004 pixels;
    # five times that of a difference.
    assert after[1] - before[1] == pytest.approx(-dy_px, abs=0.03)
    assert after[2] - before[2] == pytest.approx(-dx_px, abs=0.03)


@pytest.mark.parametrize("label", ["Plan Apo 20x 0.75", "Plan Apo 60x 1.40 Oil"])
def test_the_shift_follows_the_objective(label: str) -> None:
    mmc = mounted(one_bead(sensor=QUIET))
    mmc.setConfig("Objective", label)
    mmc.waitForDevice("Objective")
    mmc.setExposure(200.0)
    before = spot(snapped(mmc))
    mmc.setRelativeXYPosition(10 * mmc.getPixelSizeUm(), 0.0)
    mmc.waitForDevice("XY")
    after = spot(snapped(mmc))
    assert after[2] - before[2] == pytest.approx(-10.0, abs=0.05)
    mmc.unloadAllDevices()


def test_the_focus_blurs_what_is_not_in_it(bead: specimen.SpecimenCore) -> None:
    peaks = []
    for z_um in (-2.0, -1.0, 0.0, 1.0, 2.0):
        bead.setPosition(z_um)
        bead.waitForDevice("Focus")
        peaks.append(series(bead, 5).mean(axis=0).max() - 100)
    assert peaks[0] < peaks[1] < peaks[2] > peaks[3] > peaks[4]
    assert peaks[0] == pytest.approx(peaks[4], rel=0.1)
    assert peaks[2] > 5 * peaks[1]


def test_light_is_power_times_time(bead: specimen.SpecimenCore) -> None:
    mmc = mounted(even_light(sensor=Sensor(read_noise_electrons=0.0)))

    def brightness(power_mw: float, exposure_ms: float) -> float:
        mmc.setProperty("LED 475", "Power_mW", power_mw)
        mmc.setExposure(exposure_ms)
        return float(series(mmc, 10).mean()) - 100

    once = brightness(10.0, 100.0)
    assert brightness(20.0, 100.0) == pytest.approx(2 * once, rel=0.01)
    assert brightness(10.0, 200.0) == pytest.approx(2 * once, rel=0.01)
    assert brightness(0.0, 100.0) == pytest.approx(0.0, abs=0.1)
    mmc.unloadAllDevices()


def test_a_dye_shines_in_its_own_channel(bead: specimen.SpecimenCore) -> None:
    peaks = {}
    for channel in ("DAPI", "FITC", "TRITC", "Cy5"):
        bead.setConfig("Channel", channel)
        bead.waitForConfig("Channel", channel)
        peaks[channel] = snapped(bead).max() - 100
    assert peaks.pop("FITC") > 1000
    assert max(peaks.values()) < 30


def test_the_lamp_lights_the_whole_field_and_no_mask_touches_it(bead: specimen.SpecimenCore) -> None:
    bead.setSLMPixelsTo(0)
    bead.displaySLMImage()
    bead.setConfig("Channel", "Transmitted")
    bead.waitForConfig("Channel", "Transmitted")
    image = snapped(bead)
    assert image.mean() > 1000
    assert image.std() / image.mean() < 0.05


def test_the_slm_lights_what_it_points_at_and_nothing_else() -> None:
    model = replace(QUICK.slm, rotation_deg=12.0, offset_um=(30.0, -60.0))
    camera = replace(QUICK.camera, shape=(256, 256))
    mmc = mounted(even_light(), hardware=replace(QUICK, slm=model, camera=camera))
    mmc.setExposure(1000.0)
    dark = Sensor().offset_counts
    # A disc of 40 pixels around pixel (row 90, column 150), drawn on the mirrors by the alignment that the SLM tells.
    alignment = np.array(mmc.getProperty("SLM", "Alignment").split(), dtype=float).reshape(2, 3)
    away = np.linalg.inv(np.vstack([alignment, [0, 0, 1]]))
    rows, columns = np.indices(model.shape)
    seen = away @ np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)])
    disc = np.hypot(seen[0] - 150, seen[1] - 90).reshape(model.shape) <= 40
    everywhere = snapped(mmc)
    mmc.setSLMImage(disc.astype(np.uint8) * 255)
    mmc.displaySLMImage()
    image = snapped(mmc)
    row, column = np.indices(image.shape)
    far = np.hypot(column - 150, row - 90)
    mirror_px = model.pitch_um / 60 / PIXEL_UM
    inside, outside = far < 40 - mirror_px, far > 40 + 1.5 * mirror_px
    assert image[inside].mean() - dark == pytest.approx(everywhere[inside].mean() - dark, rel=0.01)
    assert image[outside].mean() == pytest.approx(dark, abs=0.05)
    assert image[outside].max() < dark + 12 * 1.6 * 2.2  # read noise alone
    mmc.unloadAllDevices()


def test_grey_mirrors_dim_the_light() -> None:
    mmc = mounted(even_light())
    mmc.setExposure(1000.0)
    full = snapped(mmc).mean() - 100
    mmc.setSLMPixelsTo(51)
    mmc.displaySLMImage()
    assert snapped(mmc).mean() - 100 == pytest.approx(full * 0.2, rel=0.02)
    mmc.unloadAllDevices()


def test_bleaching_follows_the_dose(bead: specimen.SpecimenCore) -> None:
    scene = one_bead(sensor=QUIET, dye=specimen.Dye(475.0, 515.0, 3e4, 1.0))
    mmc = mounted(scene)
    mmc.setExposure(20.0)
    first = spot(snapped(mmc))[0]
    dose = float(scene.dose_j_cm2[0])
    assert dose == pytest.approx(IRRADIANCE * 0.02)
    mmc.waitForDevice("Shutter")
    mmc.setExposure(200.0)
    snapped(mmc)
    mmc.waitForDevice("Shutter")
    mmc.setExposure(20.0)
    again = spot(snapped(mmc))[0]
    # Of 5,400 electrons and 1,600 each spot has 2 to 3 % noise; five times that of a ratio.
    assert again / first == pytest.approx(np.exp(-(scene.dose_j_cm2[0] - dose)), rel=0.16)
    # Twice the shutter took its time to close, and was still open while the lines were read.
    lit_s = 0.22 + 2 * (QUICK.shutter_s + 64 * QUICK.camera.line_s)
    assert scene.dose_j_cm2[0] - dose == pytest.approx(IRRADIANCE * lit_s)
    mmc.unloadAllDevices()


def test_an_open_shutter_bleaches_without_a_camera() -> None:
    scene = one_bead(dye=specimen.Dye(475.0, 515.0, 3e4, 5.0))
    mmc = mounted(scene)
    mmc.setAutoShutter(False)
    mmc.setShutterOpen(True)
    mmc.waitForDevice("Shutter")
    first = int(snapped(mmc).max()) - 100
    before = float(scene.dose_j_cm2[0])
    mmc.bench.clock.wait_until(mmc.bench.clock.now_s() + 3.0, threading.Event())
    again = int(snapped(mmc).max()) - 100
    assert scene.dose_j_cm2[0] - before == pytest.approx(3.0 * IRRADIANCE, rel=0.02)
    assert again < 0.1 * first
    mmc.unloadAllDevices()


def test_the_truth_is_the_mean_of_the_frames() -> None:
    scene = one_bead(sensor=Sensor(), dye=specimen.Dye(475.0, 515.0, 3e4, 1e9))
    mmc = mounted(scene)
    frames = series(mmc, 200)
    truth = scene.truth(int(mmc.snap_tags()["SpecimenExposure"]))
    error = (frames.mean(axis=0) - truth) / np.sqrt(frames.var(axis=0, ddof=1) / 200)
    assert error.std() == pytest.approx(1.0, abs=0.1)  # 4096 deviates of Student's t
    assert abs(error.mean()) < 0.2
    mmc.unloadAllDevices()
