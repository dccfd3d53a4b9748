"""Scenarios mounted in a core: what is set up, what is seen, how old it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from onscope.drivers import specimen
from onscope.specimen import View
from onscope.specimen.scenarios import Scenario, ScenarioError, as_specimen, read_scenario, scenario_names

from .specimens import snapped


def small(name: str = "dividing-cells") -> Scenario:
    """A shipped scenario with 96 x 128 pixels, and fewer and younger cells."""
    told = read_scenario(name)
    assert told.sample.cells is not None
    sample = replace(told.sample, cells=replace(told.sample.cells, count=60, extent_um=(240, 240)), age_s=600)
    return replace(told, sample=sample, acquisition=replace(told.acquisition, stage_um=(120, 130), shape=(96, 128)))


@pytest.fixture
def scope() -> Iterator[specimen.ScenarioScope]:
    with specimen.from_scenario(small(), clock=specimen.PatientClock(), buffer_mb=16, remember=1) as scope:
        yield scope


def test_the_microscope_stands_as_the_scenario_says(scope: specimen.ScenarioScope) -> None:
    mmc, told = scope.mmc, scope.scenario
    assert set(mmc.getAvailableConfigs("Channel")) == {"nuclei", "membranes", "phase"}
    assert mmc.getCurrentConfig("Channel") == "nuclei"
    assert mmc.getXYPosition() == pytest.approx(told.acquisition.stage_um[::-1])
    assert mmc.getPosition() == told.channels["nuclei"].z_um
    assert mmc.getExposure() == told.channels["nuclei"].exposure_ms
    assert mmc.getPixelSizeUm() == pytest.approx(6.5 / 40)
    assert mmc.getROI() == [(2048 - 128) // 2, (2048 - 96) // 2, 128, 96]


def test_choosing_a_channel_sets_light_exposure_and_focus(scope: specimen.ScenarioScope) -> None:
    scope.choose("membranes")
    assert scope.mmc.getCurrentConfig("Channel") == "membranes"
    assert scope.mmc.getExposure() == 80
    with pytest.raises(KeyError):
        scope.choose("nothing")
    scope.choose("nuclei")


def test_the_sample_is_as_old_as_the_scenario_has_it(scope: specimen.ScenarioScope) -> None:
    snapped(scope.mmc)
    tags = scope.mmc.snap_tags()
    truth = scope.scene.seen(int(tags["SpecimenExposure"])).truth
    assert truth.time_s == pytest.approx(scope.scenario.sample.age_s + float(tags["SpecimenTime-s"]))
    assert truth.time_s >= 600


@pytest.mark.parametrize("channel", ["transmitted", "nuclei", "mitochondria"])
def test_a_mounted_scenario_shows_what_the_specimen_shows(channel: str) -> None:
    told = small("label-free")
    with specimen.from_scenario(told, clock=specimen.PatientClock(), buffer_mb=16, remember=1) as scope:
        scope.choose(channel)
        snapped(scope.mmc)
        seen = scope.scene.seen(int(scope.mmc.snap_tags()["SpecimenExposure"]))
    snap = as_specimen(told).snap(told.acquisition.stage_um, channel, shape=told.acquisition.shape)
    assert seen.view == snap.view
    np.testing.assert_allclose(seen.counts, snap.expected, rtol=1e-5)


def test_stripes_are_presets_of_their_own() -> None:
    told = small("sim")
    with specimen.from_scenario(told, clock=specimen.PatientClock(), buffer_mb=16) as scope:
        presets = [f"filaments a{angle} p{phase}" for angle in (1, 2, 3) for phase in (1, 2, 3)]
        assert sorted(scope.mmc.getAvailableConfigs("Channel")) == presets
        images = []
        for preset in presets[:3]:
            scope.mmc.setConfig("Channel", preset)
            images.append(snapped(scope.mmc).astype(float))
    even = sum(images) / 3
    assert np.abs(images[0] - even).mean() > 1.5 * np.abs(snapshot_noise(even))


def snapshot_noise(even: np.ndarray) -> float:
    """Mean deviation in counts that photon and read noise give one image of this mean."""
    return float(np.sqrt(np.maximum(even - 100, 0) / 0.46 + 12).mean() * 0.8)


def test_an_emccd_is_mounted_where_the_scenario_has_one() -> None:
    with specimen.from_scenario("spots", clock=specimen.PatientClock(), buffer_mb=16) as scope:
        camera = scope.bench.hardware.camera
        assert (camera.shape, camera.pixel_um) == ((1024, 1024), 13.0)
        assert snapped(scope.mmc).shape == (256, 256)
        assert scope.mmc.getPixelSizeUm() == pytest.approx(0.13)


def test_a_camera_of_12_bits_gives_12_bits() -> None:
    told = small()
    told = replace(told, camera=replace(told.camera, bit_depth=12))
    with specimen.from_scenario(told, clock=specimen.PatientClock(), buffer_mb=16) as scope:
        assert scope.mmc.getImageBitDepth() == 12
        assert snapped(scope.mmc).max() <= 4095


def test_another_seed_is_another_culture() -> None:
    seen = []
    for seed in (1, 2):
        with specimen.from_scenario(small(), seed=seed, clock=specimen.PatientClock(), buffer_mb=16) as scope:
            seen.append(scope.scene.sample.truth(View((120.0, 120.0), (300, 300), 1.0)).objects[:50])
    assert not np.allclose(seen[0]["y_um"], seen[1]["y_um"])


def test_a_dye_that_the_sample_has_not_is_refused() -> None:
    told = small()
    told = replace(told, channels={"a": replace(told.channels["nuclei"], dye="beads")})
    with pytest.raises(ScenarioError, match="found dye 'beads' in channel 'a', expected one of nucleus"):
        specimen.from_scenario(told)


def test_every_shipped_scenario_has_its_devices() -> None:
    from onscope.drivers.specimen._from_scenario import hardware_of

    for name in scenario_names():
        told = read_scenario(name)
        hardware = hardware_of(told)
        assert [one.name for one in hardware.channels] == list(told.all_channels)
        assert hardware.start_turret == 0
        assert all(one.filter in {each.label for each in hardware.filters} for one in hardware.channels)
