"""The devices through the core: properties, configurations, pixel sizes, and what they say when they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pymmcore_plus.core import DeviceType, FocusDirection

from onscope.drivers import specimen

from .specimens import QUICK, SIZE, commands, even_light, mounted, snapped


@pytest.fixture
def mmc() -> Iterator[specimen.SpecimenCore]:
    core = mounted()
    yield core
    core.unloadAllDevices()


def test_it_has_what_a_microscope_has(mmc: specimen.SpecimenCore) -> None:
    kinds = {str(label): mmc.getDeviceType(label) for label in mmc.getLoadedDevices()}
    assert kinds["Camera"] == DeviceType.Camera
    assert kinds["XY"] == DeviceType.XYStage
    assert kinds["Focus"] == DeviceType.Stage
    assert kinds["Shutter"] == DeviceType.Shutter
    assert kinds["SLM"] == DeviceType.SLM
    assert kinds["Emission"] == kinds["Objective"] == DeviceType.State
    chosen = (mmc.getCameraDevice(), mmc.getXYStageDevice(), mmc.getFocusDevice(), mmc.getShutterDevice())
    assert (*chosen, mmc.getSLMDevice()) == ("Camera", "XY", "Focus", "Shutter", "SLM")
    assert mmc.getFocusDirection("Focus") == FocusDirection.TowardSample


def test_the_groups_are_those_of_a_real_scope(mmc: specimen.SpecimenCore) -> None:
    assert set(mmc.getAvailableConfigGroups()) == {"Channel", "Objective", "System"}
    assert mmc.getChannelGroup() == "Channel"
    assert set(mmc.getAvailableConfigs("Channel")) == {"DAPI", "FITC", "TRITC", "Cy5", "Transmitted"}
    assert mmc.getCurrentConfig("System") == "Startup"
    assert mmc.getCurrentConfig("Channel") == "FITC"


@pytest.mark.parametrize("channel", QUICK.channels, ids=lambda one: one.name)
def test_a_channel_sets_filter_and_lights(mmc: specimen.SpecimenCore, channel: specimen.Channel) -> None:
    mmc.setConfig("Channel", channel.name)
    mmc.waitForConfig("Channel", channel.name)
    assert mmc.getCurrentConfig("Channel") == mmc.getCurrentConfigFromCache("Channel") == channel.name
    assert mmc.getStateLabel("Emission") == channel.filter
    on = {one.label for one in QUICK.lights if mmc.getProperty(one.label, "State") == "1"}
    assert on == set(channel.power_mw)
    for label, power_mw in channel.power_mw.items():
        assert float(mmc.getProperty(label, "Power_mW")) == power_mw


def test_lights_change_in_the_dark_and_before_the_filter(mmc: specimen.SpecimenCore) -> None:
    before = len(mmc.bench.journal)
    mmc.setConfig("Channel", "TRITC")
    told = [(one.device, one.verb) for one in mmc.bench.journal][before:]
    assert told[-3:] == [("LED 555", "power_mw"), ("LED 555", "on"), ("Emission", "turn")]
    assert ("LED 475", "off") in told[:-3]
    assert ("Shutter", "open") not in told


@pytest.mark.parametrize("objective", QUICK.objectives, ids=lambda one: one.label)
@pytest.mark.parametrize("cached", [False, True])
def test_the_pixel_size_follows_objective_and_binning(
    mmc: specimen.SpecimenCore, objective: specimen.Objective, cached: bool
) -> None:
    mmc.setConfig("Objective", objective.label)
    mmc.waitForConfig("Objective", objective.label)
    for binning in (1, 2, 4):
        mmc.setProperty("Camera", "Binning", binning)
        pixel_um = 6.5 / objective.magnification * binning
        assert mmc.getPixelSizeUm(cached) == pytest.approx(pixel_um)
        assert mmc.getPixelSizeAffine(cached) == pytest.approx((pixel_um, 0, 0, 0, pixel_um, 0))
        mmc.snapImage()
        shot = mmc.snap_tags()
        assert shot["BitDepth"] == "16"


def test_state_and_label_tell_the_same(mmc: specimen.SpecimenCore) -> None:
    told: list[tuple[str, ...]] = []
    mmc.events.propertyChanged.connect(lambda *change: told.append(change) if change[0] != "Core" else None)
    turns: tuple[Callable[[], None], ...] = (
        lambda: mmc.setState("Emission", 2),
        lambda: mmc.setStateLabel("Emission", QUICK.filters[3].label),
        lambda: mmc.setProperty("Emission", "State", "2"),
        lambda: mmc.setProperty("Emission", "Label", QUICK.filters[3].label),
    )
    for turn in turns:
        told.clear()
        turn()
        state = mmc.getState("Emission")
        label = QUICK.filters[state].label
        assert mmc.getStateLabel("Emission") == label
        assert mmc.getPropertyFromCache("Emission", "State") == mmc.getProperty("Emission", "State") == str(state)
        assert mmc.getPropertyFromCache("Emission", "Label") == label
        assert sorted(told) == [("Emission", "Label", label), ("Emission", "State", str(state))]
    assert state == 3


def test_a_listener_may_ask_back(mmc: specimen.SpecimenCore) -> None:
    seen: list[str] = []
    mmc.events.propertyChanged.connect(
        lambda device, name, value: seen.append(mmc.getProperty(device, name)) if device != "Core" else None
    )
    mmc.setProperty("LED 385", "Power_mW", 3)
    mmc.setState("Emission", 1 - mmc.getState("Emission"))
    assert seen[0] == "3"
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("device", "name", "value", "message"),
    [
        ("Camera", "Binning", "3", "found Binning = '3' for Camera, expected one of 1, 2, 4: choose one"),
        ("Camera", "Binning", 2.5, "found Binning = 2.5 for Camera, expected one of 1, 2, 4"),
        ("Camera", "Exposure", "nan", "found Exposure = 'nan' for Camera, expected 0.01 to 10000"),
        ("Camera", "PixelType", "14bit", "found PixelType = '14bit' for Camera, expected one of 8bit, 12bit, 16bit"),
        ("Camera", "Exposure", "soon", "found Exposure = 'soon' for Camera, expected a number"),
        ("Camera", "Exposure", 1e6, "found Exposure = 1000000.0 for Camera, expected 0.01 to 10000"),
        ("Camera", "BitDepth", 8, "found BitDepth of Camera set to 8, expected it to be read only"),
        ("LED 475", "Power_mW", -1, "found Power_mW = -1 for LED 475, expected 0 to 120"),
        ("LED 475", "State", 2, "found State = 2 for LED 475, expected one of 0, 1"),
        ("Emission", "Label", "YFP", "found Label = 'YFP' for Emission, expected one of ET460/50"),
        ("Emission", "State", 9, "found State = 9 for Emission, expected one of 0, 1, 2, 3, 4"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    mmc: specimen.SpecimenCore, device: str, name: str, value: Any, message: str
) -> None:
    before = mmc.getProperty(device, name)
    with pytest.raises(specimen.DeviceError, match=message.replace("(", r"\(")):
        mmc.setProperty(device, name, value)
    assert mmc.getProperty(device, name) == before


@pytest.mark.parametrize("value", ["2", 2, 2.0])
def test_numbers_and_their_texts_are_the_same(mmc: specimen.SpecimenCore, value: Any) -> None:
    mmc.setProperty("Camera", "Binning", value)
    assert mmc.getProperty("Camera", "Binning") == "2"
    assert mmc.getImageWidth() == SIZE // 2


def test_stages_move_and_are_busy_meanwhile() -> None:
    core = mounted(clock=specimen.RealClock())
    core.setXYPosition(80.0, 20.0)
    core.setPosition(5.0)
    assert core.deviceBusy("XY")
    assert core.deviceBusy("Focus")
    core.waitForSystem()
    assert not core.deviceBusy("XY")
    assert core.getXYPosition() == (80.0, 20.0)
    core.setRelativeXYPosition(-10.0, 5.0)
    core.setRelativePosition(-1.0)
    core.waitForSystem()
    assert (*core.getXYPosition(), core.getPosition()) == (70.0, 25.0, 4.0)
    core.unloadAllDevices()


def test_the_origin_is_where_it_was_set(mmc: specimen.SpecimenCore) -> None:
    mmc.setXYPosition(80.0, 20.0)
    mmc.waitForSystem()
    mmc.setOriginXY()
    mmc.setOrigin()
    assert mmc.getXYPosition() == (0.0, 0.0)
    mmc.setXYPosition(-5.0, 5.0)
    mmc.waitForSystem()
    assert mmc.bench.xyz_um()[:2] == (75.0, 25.0)
    with pytest.raises(specimen.DeviceError, match="found x = 180 um for XY, expected 0 to 100"):
        mmc.setXYPosition(100.0, 0.0)


def test_a_stage_out_of_limits_says_so(mmc: specimen.SpecimenCore) -> None:
    with pytest.raises(specimen.DeviceError, match="found y = 101 um for XY, expected 0 to 100: stay within"):
        mmc.setXYPosition(50.0, 101.0)
    with pytest.raises(specimen.DeviceError, match="found z = -51 um for Focus, expected -50 to 350"):
        mmc.setPosition(-51.0)
    assert (*mmc.getXYPosition(), mmc.getPosition()) == (50.0, 50.0, 0.0)


def test_the_automatic_shutter_opens_for_exposures_only(mmc: specimen.SpecimenCore) -> None:
    snapped(mmc)
    assert commands(mmc, "Shutter", "Camera") == [("Shutter", "open"), ("Camera", "expose"), ("Shutter", "close")]
    open_s, exposed_s, closed_s = (one.at_s for one in mmc.bench.journal if one.device in ("Shutter", "Camera"))
    assert exposed_s >= open_s + QUICK.shutter_s
    assert closed_s >= exposed_s + 0.01
    assert not mmc.getShutterOpen()


def test_without_the_automatic_shutter_it_stays_as_it_is(mmc: specimen.SpecimenCore) -> None:
    mmc.setAutoShutter(False)
    dark = snapped(mmc)
    mmc.setShutterOpen(True)
    mmc.waitForDevice("Shutter")
    lit = snapped(mmc)
    assert commands(mmc, "Shutter") == [("Shutter", "open")]
    assert mmc.getProperty("Shutter", "State") == "1"
    assert lit.max() > 10 * (dark.max() - 100) + 100


def test_an_slm_image_of_the_wrong_size_is_refused(mmc: specimen.SpecimenCore) -> None:
    rows, columns = QUICK.slm.shape
    assert (mmc.getSLMHeight(), mmc.getSLMWidth()) == (rows, columns)
    assert (mmc.getSLMBytesPerPixel(), mmc.getSLMNumberOfComponents()) == (1, 1)
    with pytest.raises(specimen.DeviceError, match="found an SLM image of 3 x 4 pixels, expected 768 x 1024: give one"):
        mmc.setSLMImage(np.zeros((3, 4), np.uint8))
    with pytest.raises(specimen.DeviceError, match="found an SLM image of 1024 x 768 pixels"):
        mmc.setSLMImage("SLM", np.zeros((columns, rows), np.uint8))
    with pytest.raises(specimen.DeviceError, match="found an SLM exposure of -1 ms"):
        mmc.setSLMExposure(-1.0)


def test_an_slm_image_lights_from_its_display_on() -> None:
    mmc = mounted(even_light())
    lit = snapped(mmc).mean()
    mmc.setSLMPixelsTo(0)
    assert snapped(mmc).mean() == pytest.approx(lit, abs=1)
    mmc.displaySLMImage()
    dark = snapped(mmc)
    assert dark.mean() == pytest.approx(100.0, abs=1)
    assert lit > 103
    mmc.unloadAllDevices()


def test_the_configuration_can_be_written_down(mmc: specimen.SpecimenCore, tmp_path: Any) -> None:
    mmc.saveSystemConfiguration(tmp_path / "specimen.cfg")
    written = (tmp_path / "specimen.cfg").read_text()
    assert "ConfigGroup,Channel,FITC,Emission,Label,ET525/50" in written
    assert "PixelSize_um,Res Plan Apo 20x 0.75,0.325" in written


def test_its_properties_are_in_the_summary(mmc: specimen.SpecimenCore) -> None:
    settings: Any = mmc.getSystemState()
    state = {(device, name): value for device, name, value in settings}
    assert state["Camera", "PixelType"] == "16bit"
    assert state["LED 475", "Wavelength_nm"] == "475"
    assert state["Objective", "Label"] == QUICK.start_objective
