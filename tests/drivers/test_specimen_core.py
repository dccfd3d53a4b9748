"""The core as its users know MMCore: events, the chosen devices, caches, labels, configuration files, images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import specimen

from .specimens import QUICK, SIZE, commands, mounted, popped, snapped

SIGNALS = (
    "propertyChanged",
    "configGroupChanged",
    "pixelSizeChanged",
    "pixelSizeAffineChanged",
    "XYStagePositionChanged",
    "stagePositionChanged",
    "exposureChanged",
    "SLMExposureChanged",
    "roiSet",
    "sequenceAcquisitionStopped",
)
Told = list[tuple[Any, ...]]


@pytest.fixture
def mmc() -> Iterator[specimen.SpecimenCore]:
    core = mounted()
    yield core
    core.unloadAllDevices()


@pytest.fixture
def told(mmc: specimen.SpecimenCore) -> Told:
    """(signal, *arguments) of what the core has emitted, but of what MMCore's own thread tells later on."""
    heard: Told = []

    def listener(signal: str) -> Callable[..., None]:
        return lambda *args: heard.append((signal, *args)) if args[0] != "Core" else None

    kept = [listener(name) for name in SIGNALS]
    for name, one in zip(SIGNALS, kept, strict=True):
        getattr(mmc.events, name).connect(one)
    return heard


def test_a_snap_tells_the_shutter_once_each_way(mmc: specimen.SpecimenCore, told: Told) -> None:
    mmc.snapImage()
    assert told == [("propertyChanged", "Shutter", "State", "1"), ("propertyChanged", "Shutter", "State", "0")]
    assert mmc.getPropertyFromCache("Shutter", "State") == "0"


@pytest.mark.parametrize("label", [(), ("Shutter",)])
def test_events_name_the_shutter_and_the_cache_follows(
    mmc: specimen.SpecimenCore, told: Told, label: tuple[str, ...]
) -> None:
    mmc.setShutterOpen(*label, True)
    assert told == [("propertyChanged", "Shutter", "State", "1")]
    assert mmc.getPropertyFromCache("Shutter", "State") == "1"


def test_events_name_the_camera(mmc: specimen.SpecimenCore, told: Told) -> None:
    mmc.setROI(1, 2, 30, 40)
    mmc.startSequenceAcquisition(1, 0, True)
    popped(mmc, 1)
    mmc.stopSequenceAcquisition()
    assert ("roiSet", "Camera", 1, 2, 30, 40) in told
    assert told[-1] == ("sequenceAcquisitionStopped", "Camera")


def test_an_exposure_is_in_the_cache(mmc: specimen.SpecimenCore, told: Told) -> None:
    mmc.setExposure(12.5)
    assert mmc.getPropertyFromCache("Camera", "Exposure") == "12.5"
    mmc.setExposure("Camera", 7)
    assert mmc.getPropertyFromCache("Camera", "Exposure") == "7"
    assert told == [("exposureChanged", "Camera", 12.5), ("exposureChanged", "Camera", 7.0)]


def test_the_cache_has_the_devices_words_for_a_value(mmc: specimen.SpecimenCore) -> None:
    mmc.setProperty("LED 475", "Power_mW", "3.000")
    assert mmc.getPropertyFromCache("LED 475", "Power_mW") == mmc.getProperty("LED 475", "Power_mW") == "3"


def test_what_depends_on_a_property_is_told(mmc: specimen.SpecimenCore, told: Told) -> None:
    mmc.setConfig("Objective", "Plan Apo 20x 0.75")
    assert ("configGroupChanged", "Objective", "Plan Apo 20x 0.75") in told
    assert ("configGroupChanged", "System", "") in told
    assert ("pixelSizeChanged", 0.325) in told
    assert ("pixelSizeAffineChanged", 0.325, 0.0, 0.0, 0.0, 0.325, 0.0) in told
    told.clear()
    mmc.setProperty("LED 475", "State", 0)
    assert ("configGroupChanged", "Channel", "") in told
    assert not [one for one in told if one[0].startswith("pixelSize")]


def test_every_way_of_a_stage_is_told(mmc: specimen.SpecimenCore, told: Told) -> None:
    mmc.home("XY")
    mmc.home("Focus")
    mmc.waitForSystem()
    mmc.setRelativeXYPosition(3.0, 4.0)
    mmc.waitForSystem()
    mmc.stop("XY")
    places = [("XYStagePositionChanged", "XY", *at) for at in ((0.0, 0.0), (3.0, 4.0), (3.0, 4.0))]
    assert [one for one in told if one[0] == places[0][0]] == places
    assert ("stagePositionChanged", "Focus", 0.0) in told


def test_the_place_where_a_stage_is_can_be_renamed(mmc: specimen.SpecimenCore) -> None:
    mmc.setAdapterOriginXY(5.0, 6.0)
    mmc.setAdapterOrigin(7.0)
    assert (*mmc.getXYPosition(), mmc.getPosition()) == (5.0, 6.0, 7.0)
    assert mmc.bench.xyz_um() == (50.0, 50.0, 0.0)


@pytest.mark.parametrize("role", ["Camera", "Shutter", "Focus", "XYStage", "SLM"])
def test_the_core_tells_and_takes_the_chosen_devices(mmc: specimen.SpecimenCore, role: str) -> None:
    heard: Told = []
    mmc.events.propertyChanged.connect(lambda *args: heard.append(args) if args[:2] == ("Core", role) else None)
    label = {"XYStage": "XY"}.get(role, role)
    state: Any = mmc.getSystemState()
    cached: Any = mmc.getSystemStateCache()
    for settings in (state, cached):
        assert (("Core", role), label) in [((device, name), value) for device, name, value in settings]
    assert mmc.getProperty("Core", role) == mmc.getPropertyFromCache("Core", role) == label
    mmc.setProperty("Core", role, "")
    assert mmc.getProperty("Core", role) == ""
    mmc.setProperty("Core", role, label)
    assert getattr(mmc, f"get{role}Device")() == label
    assert heard[-1] == ("Core", role, label)
    with pytest.raises(specimen.DeviceError, match=f"found no device 'Nothing' for {role}, expected a loaded one"):
        mmc.setProperty("Core", role, "Nothing")


def test_tagged_images_know_where_they_come_from(mmc: specimen.SpecimenCore) -> None:
    mmc.setProperty("Camera", "Binning", 2)
    mmc.setExposure(12.0)
    mmc.setConfig("Channel", "TRITC")
    mmc.snapImage()
    pixels, tags = mmc.getTaggedImage()
    assert pixels.shape == (SIZE // 2, SIZE // 2)
    assert tags["PixelSizeUm"] == pytest.approx(2 * 6.5 / 60)
    assert (tags["Channel"], tags["Core-Camera"], tags["Camera"]) == ("TRITC", "Camera", "Camera")
    assert (tags["Camera-Exposure"], tags["Camera-Binning"], tags["BitDepth"]) == ("12", "2", 16)
    assert tags["Emission-Label"] == "ET605/52"
    assert (tags["ROI"], tags["PixelType"]) == ("0-0-32-32", "GRAY16")


def test_a_snapped_image_is_the_callers_own(mmc: specimen.SpecimenCore) -> None:
    first = snapped(mmc)
    kept = first.copy()
    first[:] = 0
    assert (mmc.getImage() == kept).all()


def test_a_new_label_is_taken_over_by_the_presets(mmc: specimen.SpecimenCore) -> None:
    mmc.defineStateLabel("Emission", 0, "Blue")
    mmc.defineStateLabel("Objective", 1, "Air")
    mmc.setConfig("Channel", "DAPI")
    mmc.setConfig("Objective", "Plan Apo 20x 0.75")
    assert (mmc.getStateLabel("Emission"), mmc.getState("Emission")) == ("Blue", 0)
    assert mmc.getCurrentConfig("Channel") == mmc.getCurrentConfigFromCache("Channel") == "DAPI"
    assert mmc.getPixelSizeUm() == mmc.getPixelSizeUm(True) == pytest.approx(0.325)
    with pytest.raises(specimen.DeviceError, match="found Label = 'ET460/50' for Emission, expected one of Blue"):
        mmc.setStateLabel("Emission", "ET460/50")
    with pytest.raises(specimen.DeviceError, match="found position 77 of Emission, expected one of 0, 1, 2, 3, 4"):
        mmc.defineStateLabel("Emission", 77, "Red")
    with pytest.raises(specimen.DeviceError, match="found the label 'Open' twice for Emission"):
        mmc.defineStateLabel("Emission", 0, "Open")
    assert mmc.getStateLabels("Emission")[0] == "Blue"


def test_a_configuration_file_brings_the_microscope_back(mmc: specimen.SpecimenCore, tmp_path: Path) -> None:
    mmc.defineConfig("Mine", "bright", "LED 475", "Power_mW", "50")
    mmc.defineStateLabel("Emission", 0, "Blue")
    before: Any = mmc.getSystemState()
    groups, sizes = mmc.getAvailableConfigGroups(), mmc.getAvailablePixelSizeConfigs()
    mmc.saveSystemConfiguration(tmp_path / "mine.cfg")
    mmc.setConfig("Objective", "Plan Apo 10x 0.45")
    mmc.loadSystemConfiguration(tmp_path / "mine.cfg")  # unloads all, and loads it anew
    after: Any = mmc.getSystemState()
    assert sorted(after) == sorted(before)
    assert mmc.getAvailableConfigGroups() == groups
    assert mmc.getAvailablePixelSizeConfigs() == sizes
    assert mmc.getChannelGroup() == "Channel"
    mmc.setConfig("Mine", "bright")
    assert mmc.getProperty("LED 475", "Power_mW") == "50"
    mmc.startSequenceAcquisition(2, 0, True)
    assert len(popped(mmc, 2)) == 2


def test_devices_that_are_loaded_again_stand_as_the_bench_does(mmc: specimen.SpecimenCore) -> None:
    mmc.setState("Emission", 3)
    mmc.setState("Objective", 0)
    mmc.setXYPosition(10.0, 20.0)
    mmc.waitForSystem()
    for label, name in (("Emission", "FilterWheel"), ("Objective", "ObjectiveTurret"), ("XY", "XYStage")):
        mmc.unloadDevice(label)
        mmc.loadDevice(label, "onscope.drivers.specimen", name)
        mmc.initializeDevice(label)
    assert (mmc.getState("Emission"), mmc.getState("Objective")) == (3, 0)
    assert mmc.getXYPosition("XY") == (10.0, 20.0)


def test_other_devices_can_be_loaded_beside(mmc: specimen.SpecimenCore) -> None:
    mmc.loadDevice("Demo", "DemoCamera", "DCam")
    mmc.initializeDevice("Demo")
    mmc.setCameraDevice("Demo")
    assert snapped(mmc).shape == (512, 512)
    assert mmc.getPixelSizeUm() == pytest.approx(6.5 / 60)
    mmc.setProperty("Demo", "Binning", 2)
    assert mmc.getPixelSizeUm() == pytest.approx(2 * 6.5 / 60)
    mmc.setCameraDevice("Camera")
    assert snapped(mmc).shape == (SIZE, SIZE)


@pytest.mark.parametrize(
    ("label", "name", "message"),
    [
        ("X", "Laser", "found the device 'Laser' of onscope.drivers.specimen, expected one of Camera, XYStage"),
        ("X", "Light", "found the light 'X', expected one of LED 385, LED 475"),
    ],
)
def test_a_device_that_is_not_there_cannot_be_loaded(
    mmc: specimen.SpecimenCore, label: str, name: str, message: str
) -> None:
    with pytest.raises(specimen.DeviceError, match=message):
        mmc.loadDevice(label, "onscope.drivers.specimen", name)
    assert label not in mmc.getLoadedDevices()


def test_a_state_can_be_written_and_set_again(mmc: specimen.SpecimenCore, tmp_path: Path) -> None:
    mmc.setConfig("Channel", "TRITC")
    mmc.setConfig("Objective", "Plan Apo 20x 0.75")
    mmc.setExposure(33.0)
    mmc.setProperty("Camera", "Binning", 2)
    before: Any = mmc.getSystemState()
    mmc.saveSystemState(str(tmp_path / "state"))
    mmc.setConfig("System", "Startup")
    mmc.setExposure(10.0)
    mmc.loadSystemState(str(tmp_path / "state"))
    after: Any = mmc.getSystemState()
    assert sorted(after) == sorted(before)
    (tmp_path / "other").write_text("Label,Emission,0,Blue\n")
    with pytest.raises(specimen.DeviceError, match=r"found the line 'Label,Emission,0,Blue' in .*other, expected Prop"):
        mmc.loadSystemState(str(tmp_path / "other"))


def test_what_is_not_there_is_a_cores_error(mmc: specimen.SpecimenCore) -> None:
    with pytest.raises(specimen.DeviceError, match=r"found no property 'Colour' of Camera, expected one of .*Binning"):
        mmc.getProperty("Camera", "Colour")
    with pytest.raises(specimen.DeviceError, match="found no property 'Colour' of Camera"):
        mmc.setProperty("Camera", "Colour", "red")
    assert not mmc.hasProperty("Camera", "Colour")


@pytest.mark.parametrize("count", [0, -1])
def test_a_sequence_has_at_least_one_image(mmc: specimen.SpecimenCore, count: int) -> None:
    with pytest.raises(specimen.DeviceError, match=f"found a sequence of {count} images for Camera, expected at least"):
        mmc.startSequenceAcquisition(count, 0, True)
    assert not mmc.isSequenceRunning()


def test_waiting_ends_with_the_cores_time_out() -> None:
    mmc = mounted(clock=specimen.RealClock())
    mmc.setTimeoutMs(5)
    mmc.setState("Objective", 0)
    with pytest.raises(specimen.DeviceError, match="found Objective busy for more than 5 ms, expected it to be done"):
        mmc.waitForDevice("Objective")
    mmc.setTimeoutMs(5000)
    mmc.waitForSystem()
    assert not mmc.systemBusy()
    mmc.unloadAllDevices()


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64])
def test_an_slm_image_of_any_whole_kind_is_what_it_says(mmc: specimen.SpecimenCore, kind: type) -> None:
    image: Any = np.zeros(QUICK.slm.shape, kind)
    image[:, 10:] = 1 if kind is bool else 255
    mmc.setSLMImage(image)
    assert mmc.getSLMImage().dtype == np.uint8
    assert (mmc.getSLMImage() == np.where(image, 255, 0)).all()


@pytest.mark.parametrize(("value", "kind"), [(0.5, np.float64), (300, np.int64), (-1, np.int64)])
def test_an_slm_image_that_would_be_cut_is_refused(mmc: specimen.SpecimenCore, value: float, kind: type) -> None:
    with pytest.raises(specimen.DeviceError, match=r"found an SLM image of .* expected whole numbers from 0 to 255"):
        mmc.setSLMImage("SLM", np.full(QUICK.slm.shape, value, kind))


def test_two_cores_run_side_by_side(mmc: specimen.SpecimenCore) -> None:
    other = mounted(size=32)
    mmc.startContinuousSequenceAcquisition(0)
    other.startSequenceAcquisition(5, 0, True)
    assert {image.shape for image, _ in popped(other, 5)} == {(32, 32)}
    assert {image.shape for image, _ in popped(mmc, 5)} == {(SIZE, SIZE)}
    other.unloadAllDevices()
    assert mmc.isSequenceRunning()
    mmc.stopSequenceAcquisition()


def test_listeners_of_two_threads_do_not_wait_for_each_other(mmc: specimen.SpecimenCore) -> None:
    inside, done = threading.Event(), threading.Event()

    def listener(device: str, *_: object) -> None:
        if device == "LED 475":
            inside.set()  # psygnal lets one thread at a time call listeners
            while ("Emission", "turn") not in commands(mmc):
                threading.Event().wait(0.001)
            mmc.getProperty("Emission", "Label")  # which another thread is just about to tell
            done.set()

    mmc.events.propertyChanged.connect(listener)
    first = threading.Thread(target=mmc.setProperty, args=("LED 475", "State", 0), daemon=True)
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=mmc.setState, args=("Emission", 3), daemon=True)
    second.start()
    assert done.wait(10)
    first.join(10)
    second.join(10)
    assert mmc.getPropertyFromCache("Emission", "State") == "3"
