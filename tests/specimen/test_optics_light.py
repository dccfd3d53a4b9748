"""Light is counted in photons and joules: brightness, unevenness, dust, drift."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen._view import View
from onscope.specimen.optics import (
    EGFP,
    OBJECTIVES,
    Condenser,
    Drift,
    Illumination,
    LightPath,
    Microscope,
    Objective,
    irradiance_w_cm2,
    photon_energy_j,
)

from .plain import Plain, sheet

CLEAN = LightPath(vignetting=0, specks=0)
SCOPE = Microscope(OBJECTIVES["60x/1.20 W"], medium_per_um3=0, path=CLEAN)
VIEW = View((50, 60), (96, 128), 0.108)
LIGHT = Illumination(488, power_mw=2, field_um=200, unevenness=0)


def test_an_objective_collects_the_cone_that_it_sees_in_the_sample() -> None:
    thin = Objective(10, 0.1, 1.0, transmission=1.0)
    assert thin.collection_from(1.36) == pytest.approx(0.1**2 / (4 * 1.36**2), rel=3e-3)
    assert thin.collection_from(1.0) / thin.collection_from(1.36) == pytest.approx(1.36**2, rel=2e-3)
    assert Objective(100, 1.49, transmission=1.0).collection_from(1.36) == 0.5  # all that goes down
    assert thin.collection == thin.collection_from(Microscope(thin).sample_index)


def test_photons_are_those_counted_by_hand() -> None:
    sample = Plain(sheets=[(2.0, sheet(300.0))])
    image = SCOPE.image(sample, VIEW, "dye", 2.0, LIGHT, 0.05)
    irradiance = 2e-3 / (200e-4) ** 2  # W/cm2
    absorbed = irradiance * 0.05 / photon_energy_j(488) * 2.1412e-16
    collected = 0.5 * (1 - math.sqrt(1 - (1.2 / 1.36) ** 2)) * 0.6  # the cone in the sample
    assert image.dtype == np.float32
    assert image.shape == VIEW.shape
    assert image == pytest.approx(300 * 0.108**2 * absorbed * 0.6 * collected, rel=3e-3)


@given(power_mw=st.floats(0.01, 20), exposure_s=st.floats(1e-4, 1), amount=st.floats(1, 1e4))
@settings(max_examples=40, deadline=None)
def test_brightness_is_in_proportion_to_power_exposure_and_molecules(
    power_mw: float, exposure_s: float, amount: float
) -> None:
    view = View((50, 50), (16, 16), 0.108)
    one = SCOPE.image(Plain(sheets=[(1.0, sheet())]), view, "dye", 1, replace(LIGHT, power_mw=1), 1.0)
    light = replace(LIGHT, power_mw=power_mw)
    many = SCOPE.image(Plain(sheets=[(1.0, sheet(amount))]), view, "dye", 1, light, exposure_s)
    assert many == pytest.approx(one * (power_mw * exposure_s * amount / 100), rel=1e-3)


def test_no_light_no_photons() -> None:
    scope = Microscope()
    sample = Plain(sheets=[(1.0, sheet())])
    assert not scope.image(sample, VIEW, "dye", 1, replace(LIGHT, power_mw=0), 0.1).any()
    assert not scope.image(sample, VIEW, "dye", 1, LIGHT, 0).any()
    assert scope.image(Plain(), VIEW, "dye", 1, LIGHT, 0.1).min() > 0  # the medium itself shines a little


def test_fluence_is_power_times_time_over_area() -> None:
    fluence = SCOPE.fluence(VIEW, LIGHT, 0.5)
    assert fluence == pytest.approx(2e-3 * 0.5 / (200e-4) ** 2, rel=1e-5)


@given(unevenness=st.floats(0, 0.8), off=st.tuples(st.floats(-40, 40), st.floats(-40, 40)))
@settings(max_examples=40, deadline=None)
def test_uneven_light_keeps_its_power_and_its_stated_fall(unevenness: float, off: tuple[float, float]) -> None:
    light = Illumination(power_mw=3, field_um=200, unevenness=unevenness, off_centre_um=off)
    field = light.irradiance((200, 200), 1.0)
    assert field.mean() == pytest.approx(light.mean_w_cm2, rel=1e-3)
    centred = replace(light, off_centre_um=(0.0, 0.0)).irradiance((201, 201), 1.0)
    assert centred[0, 0] / centred[100, 100] == pytest.approx(1 - unevenness, rel=1e-3)


def test_a_region_of_the_camera_sees_its_part_of_light_and_dust() -> None:
    scope = Microscope(Objective(20, 0.75, 1.0), path=LightPath(vignetting=0.3, specks=60, seed=3))
    light = Illumination(power_mw=3, field_um=400, unevenness=0.5, off_centre_um=(20.0, -30.0))
    sample = Plain(sheets=[(1.0, sheet())])
    whole = scope.image(sample, View((500, 500), (512, 640), 0.325), "dye", 1, light, 0.1)
    part = View((500 + 100 * 0.325, 500 - 130 * 0.325), (128, 200), 0.325)
    region = scope.image(sample, part, "dye", 1, light, 0.1, axis_um=(500, 500))
    assert region == pytest.approx(whole[292:420, 90:290], rel=2e-3)
    assert np.ptp(whole) > 0.2 * whole.max()


def test_vignetting_and_dust_take_light_and_stay_where_they_are() -> None:
    path = LightPath(vignetting=0.2, specks=40, seed=1)
    light = path.transmission((1024, 1024), 13.0)
    assert np.array_equal(light, path.transmission((1024, 1024), 13.0))
    assert not np.array_equal(light, replace(path, seed=2).transmission((1024, 1024), 13.0))
    bare = replace(path, specks=0).transmission((1024, 1024), 13.0)
    assert bare[512, 512] == pytest.approx(1, abs=1e-4)
    assert bare[512, 0] == pytest.approx(1 - 0.2 * (6.65 / 11) ** 4, abs=1e-3)
    assert 0.7 < (light / bare).min() < 0.985
    assert np.median(light / bare) == pytest.approx(1, abs=1e-3)
    assert replace(path, vignetting=0, specks=0).transmission((8, 8), 6.5) == pytest.approx(np.ones((8, 8)))


def test_drift_creeps_wanders_and_loses_focus() -> None:
    assert Drift().at(1e4) == (0, 0, 0)
    assert Drift(velocity_um_h=(1.0, 0.0, -2.0)).at(1800) == pytest.approx((0.5, 0, -1))
    lost = Drift(focus_lost_s=100, focus_loss_um=5)
    assert [lost.at(t)[0] for t in (0, 100, 120, 1000)] == pytest.approx([0, 0, 5 * (1 - 1 / math.e), 5])


def test_drift_is_known_at_any_time_and_goes_on_smoothly() -> None:
    drift = Drift(wander_um=(0.5, 1.0, 1.0), seed=4)
    times = np.arange(0, 6 * 3600, 20.0)
    path = np.array([drift.at(t) for t in times])
    assert drift.at(times[77]) == pytest.approx(tuple(path[77]))
    assert np.abs(path[0]).max() == 0
    assert np.abs(np.diff(path, axis=0)).max() < 0.3  # a third of a um in 20 s would be a jump
    walks = np.array([Drift(wander_um=(1.0, 1.0, 1.0), seed=s).at(9e5) for s in range(300)])
    spread = walks.std(axis=0)  # measured against where it began: twice the variance
    assert spread == pytest.approx([math.sqrt(2)] * 3, rel=0.15)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Illumination(unevenness=1.0),
        lambda: Illumination(wavelength_nm=0),
        lambda: Objective(60, 1.4, 1.33),
        lambda: Microscope(mode="x-ray"),  # type: ignore[arg-type]
        lambda: Microscope(Objective(60, 1.4, 1.515), mode="tirf", tirf_angle_deg=50),
        lambda: Microscope(Objective(20, 0.75, 1.0), mode="tirf"),
        lambda: Microscope(Objective(4, 0.13, 1.0), mode="transmitted", condenser=Condenser("phase")),
        lambda: SCOPE.image(Plain(), VIEW, None, 0, LIGHT, 0.1),
        lambda: SCOPE.image(Plain(), VIEW, "dye", 0, LIGHT, -0.1),
        lambda: SCOPE.image(Plain(), VIEW, "dye", 0, LIGHT, math.nan),
        lambda: SCOPE.image(Plain(), VIEW, "dye", math.nan, LIGHT, 0.1),
        lambda: replace(SCOPE, mode="transmitted").image(Plain(), VIEW, None, math.inf, LIGHT, 0.1),
        lambda: Illumination(power_mw=math.inf),
        lambda: Illumination(field_um=math.nan),
        lambda: replace(EGFP, quantum_yield=1.2),
        lambda: replace(EGFP, emission_nm=0),
        lambda: replace(EGFP, emission_sides_nm=(0.0, 30.0)),
        lambda: photon_energy_j(0),
        lambda: irradiance_w_cm2(1, 0),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(make: object) -> None:
    with pytest.raises(ValueError, match=r"found .*, expected"):
        make()  # type: ignore[operator]


def test_a_dye_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        SCOPE.image(Plain(), VIEW, "mitochondria", 0, LIGHT, 0.1)
