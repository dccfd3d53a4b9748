"""Calibration files: what they say, and how they are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onscope.drivers.micromanager.control import Calibration, CoreController, HeartbeatLine, Put, _calibration_file
from onscope.runtime import ControlError

from .rigs import controlled

EXAMPLE = (_calibration_file.__doc__ or "").partition("\n\n")[2]


def loaded(folder: Path, text: str) -> Calibration:
    path = folder / "calibration.yaml"
    path.write_text(text)
    return Calibration.load(path)


def test_the_example_is_read(tmp_path: Path) -> None:
    told = loaded(tmp_path, EXAMPLE)
    blue = told.lights["blue"]
    assert (blue.mw_per_unit, blue.most_mw, dict(blue.areas_um2)) == (0.12, 8.0, {"": 105600.0})
    assert blue.switch is not None
    assert (blue.switch.device, blue.switch.on, blue.switch.off) == ("LED engine", 1, 0)
    assert dict(told.channels["FITC"]) == {"blue": 5.0}
    assert (told.lines["uncage"].most_ms, told.lines["uncage"].light) == (50.0, "blue")
    assert told.slms["dmd"].affine == ((1.2, 0.0, 80.0), (0.0, 1.2, 40.0))
    assert (told.stages.x_um, told.stages.dark_um) == ((-5000.0, 5000.0), 50.0)
    assert told.safe == (Put("Laser", "Emission", "Off"),)
    assert told.heartbeat == HeartbeatLine("Arduino", "Switch 8", (0, 1), 0.1, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("FITC: {blue: 5.0}", "FITC: {red: 5.0}", r"found the light 'red', expected one of blue"),
        ("FITC: {blue: 5.0}", "FITC: {blue: 9.0}", r"found 9 mW of blue, expected at most its 8"),
        ("FITC: {blue: 5.0}", "FITC: {blue: -1}", r"channels.FITC.blue: .*greater than or equal to 0"),
        ("light: blue}", "light: green}", r"found the light 'green'"),
        ("1.2, 0, 80, 0, 1.2, 40", "1, 1, 0, 1, 1, 0", r"found a map that leads to a line"),
        ("[-5000, 5000]", "[5000, -5000]", r"found 5000 to -5000, expected the lower end first"),
        ("[-5000, 5000]", "[.nan, 5000]", r"stages.x_um.0: .*finite"),
        ("most_mw: 8", "most_mw: .inf", r"lights.blue.most_mw: .*finite"),
        ("most_mw: 8", "most_mw: 8\n    mw_per_unit: 2", r".*both or neither"),
        ("schema: 1", "schema: 2", r"schema"),
        ("patience_s: 1.0", "patience_s: 0.1", r"heartbeat: .*not longer than period_s"),
        ("safe:", "unsafe:", r"unsafe: Extra inputs"),
        ("shutter: White", "shutter: &a White", r"found an anchor"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    line = EXAMPLE[: EXAMPLE.index(old)].count("\n") + 1
    with pytest.raises(ControlError, match=rf"line \d+: {words}") as refusal:
        loaded(tmp_path, EXAMPLE.replace(old, new, 1))
    assert f"line {line}: " in str(refusal.value) or "both or neither" in words


def test_a_measured_power_is_told_to_the_device_in_its_own_units(tmp_path: Path) -> None:
    text = """
schema: 1
shutter: Shutter
lights:
  blue:
    device: LED 475
    property: Power_mW
    measured: {power_mw: 5.0, at: 10}
    most_mw: 100
    area_um2: {Plan Apo 60x 1.40 Oil: 105592, Plan Apo 20x 0.75: 950332, "": 1}
    switch: {device: LED 475, property: State}
channels: {FITC: {blue: 3.0}}
stages: {x_um: [0, 80], y_um: [20, 2000]}
"""
    from onscope.runtime.feedback import Light, SetPower, SetPreset

    with controlled(calibration=loaded(tmp_path, text)) as (scope, controller):
        limits, setting = controller.limits(), controller.setting()
        assert (limits.x_um, limits.y_um, limits.z_um) == ((0.0, 80.0), (20.0, 2000.0), None)
        assert limits.power_mw == {"blue": 60.0}  # 120 of the device's units, which are half a mW each
        assert limits.exposure_ms == (0.01, 10_000.0)  # the camera's own
        assert limits.presets["Channel"] == {"DAPI", "FITC", "TRITC", "Cy5", "Transmitted"}
        assert setting.channels["FITC"] == {"blue": Light(3.0, 105592.0)}
        controller.apply(SetPower("blue", 4.0))
        assert scope.bench.lights.power_mw("LED 475") == 8.0
        controller.apply(SetPreset("Objective", "Plan Apo 20x 0.75"))
        assert controller.setting().channels["FITC"] == {"blue": Light(4.0, 950332.0)}
        assert controller.setting().lights == {"blue": Light(4.0, 950332.0)}
        assert controller.setting().pixel_um == pytest.approx(0.325)
        with pytest.raises(ControlError, match="found the light 'red', expected one of blue"):
            controller.apply(SetPower("red", 1.0))


def test_a_bare_core_is_controlled_but_for_its_camera() -> None:
    from onscope.runtime.feedback import Burst, MoveStage, SetExposure

    with controlled() as (scope, _):
        controller = CoreController(scope.core)
        controller.apply(MoveStage(60.0, 55.0))
        controller.apply(SetExposure(12.0))
        assert scope.bench.xyz_um()[:2] == (60.0, 55.0)
        assert scope.core.get_exposure() == controller.setting().exposure_ms == 12.0
        assert controller.limits().x_um is None  # this stage does not tell
        with pytest.raises(ControlError, match="found burst without a camera of this controller"):
            controller.apply(Burst(3))
        with pytest.raises(ControlError, match="found a bare core, expected a Scope"):
            controller.live()


def test_the_published_schema_is_up_to_date() -> None:
    published = Path(__file__).resolve().parents[3] / "docs" / "schema" / "microscope-1.json"
    made = json.dumps(_calibration_file.CalibrationModel.model_json_schema(by_alias=True), indent=2) + "\n"
    assert published.read_text(encoding="utf-8") == made, "the model changed: publish its schema again"
