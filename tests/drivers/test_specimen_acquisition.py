"""Whole acquisitions of the mounted microscope: by pymmcore-plus and useq, and by pycro-manager."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import useq

from onscope.drivers import micromanager, specimen
from onscope.runtime import SourceError

from .specimens import QUICK, commands, mounted, one_bead, spot

PLACES = ((30.0, 40.0, 1.0), (70.0, 60.0, 2.0))
"""Beads as (x, y, z) in um."""
MIDDLE = (64 - 1) / 2


def beads() -> specimen.FieldOfBeads:
    """A bead at each of PLACES."""
    return specimen.FieldOfBeads(np.array([(z, y, x) for x, y, z in PLACES]), extent_um=(100.0, 100.0))


@pytest.fixture
def scope() -> Iterator[specimen.SpecimenScope]:
    with specimen.open(beads(), hardware=QUICK, buffer_mb=16) as scope:
        yield scope


def ran(mmc: specimen.SpecimenCore, sequence: useq.MDASequence) -> list[tuple[Any, useq.MDAEvent, Any]]:
    """(image, event, metadata) of each frame."""
    frames: list[tuple[Any, useq.MDAEvent, Any]] = []

    def taken(image: Any, event: useq.MDAEvent, meta: Any) -> None:
        frames.append((image.copy(), event, meta))

    mmc.mda.events.frameReady.connect(taken)
    mmc.mda.run(sequence)
    mmc.mda.events.frameReady.disconnect(taken)
    return frames


SEQUENCE = useq.MDASequence.model_validate(
    {
        "axis_order": "tpcz",
        "time_plan": {"interval": 0, "loops": 2},
        "stage_positions": [{"x": x, "y": y, "z": z} for x, y, z in PLACES],
        "channels": [{"config": "DAPI", "exposure": 4}, {"config": "FITC", "exposure": 8}],
        "z_plan": {"range": 2, "step": 1},
    }
)


@pytest.mark.parametrize("triggered", [True, False])
def test_a_sequence_of_useq_gives_what_it_says(triggered: bool) -> None:
    mmc = mounted(beads())
    mmc.mda.engine.use_hardware_sequencing = triggered  # type: ignore[union-attr]
    frames = ran(mmc, SEQUENCE)
    assert [event.index for _, event, _ in frames] == [event.index for event in SEQUENCE]
    for image, event, meta in frames:
        assert meta["camera_device"] == "Camera"
        assert meta["pixel_size_um"] == pytest.approx(6.5 / 60)
        assert meta["exposure_ms"] == event.exposure
        if triggered:
            tags = meta["camera_metadata"]
            where = [float(tags[name]) for name in ("ViewX_um", "ViewY_um", "ViewZ_um")]
            assert float(tags["Exposure-ms"]) == event.exposure
        else:
            where = [meta["position"][axis] for axis in "xyz"]
            values = {(one["dev"], one["prop"]): one["val"] for one in meta["property_values"]}
            assert values["Emission", "Label"] == {"DAPI": "ET460/50", "FITC": "ET525/50"}[event.channel.config]  # type: ignore[union-attr]
        # A piezo that is triggered settles while the camera exposes: a twentieth of the step is left at first.
        assert where == pytest.approx([event.x_pos, event.y_pos, event.z_pos], abs=0.05)
        light, row, column = spot(image)
        if event.index["c"] == 1 and event.index["z"] == 1:  # its own channel, in focus
            assert (row, column) == pytest.approx((MIDDLE, MIDDLE), abs=0.15)
            assert light > 2000
        elif event.index["c"] == 0:
            assert light < 1000
    mmc.unloadAllDevices()


def test_the_focus_is_in_the_middle_of_each_stack() -> None:
    mmc = mounted(beads())
    peaks: dict[tuple[int, ...], list[int]] = {}
    for image, event, _ in ran(mmc, SEQUENCE):
        if event.index["c"] == 1:
            peaks.setdefault((event.index["t"], event.index["p"]), []).append(int(image.max()))
    assert len(peaks) == 4
    assert all(one[1] > 3 * max(one[0], one[2]) for one in peaks.values())
    mmc.unloadAllDevices()


def test_hardware_is_ready_before_each_exposure() -> None:
    mmc = mounted(beads())
    mmc.mda.engine.use_hardware_sequencing = False  # type: ignore[union-attr]
    before = len(mmc.bench.journal)
    ran(mmc, SEQUENCE)
    told = list(mmc.bench.journal)[before:]
    exposures = [k for k, one in enumerate(told) if one.verb == "expose"]
    assert len(exposures) == 24
    for first, last in pairwise([-1, *exposures]):
        verbs = [(one.device, one.verb) for one in told[first + 1 : last + 1]]
        assert verbs[-2:] == [("Shutter", "open"), ("Camera", "expose")]
        assert ("Shutter", "close") in verbs or first == -1
        for moving in ("XY", "Focus", "Emission"):  # nothing moves any more once the shutter opens
            assert all(device != moving for device, _ in verbs[-2:])
    # The first exposure waits for the slowest of what was moved: the stage, over 20 um.
    moved = next(one for one in told if (one.device, one.verb) == ("XY", "move"))
    assert told[exposures[0]].at_s - moved.at_s > QUICK.xy.settle_s
    mmc.unloadAllDevices()


def test_a_stack_of_triggers_moves_the_focus_at_the_cameras_rate() -> None:
    mmc = mounted(beads())
    ran(mmc, useq.MDASequence.model_validate({"channels": ["FITC"], "z_plan": {"range": 8, "step": 1}}))
    assert ("Focus", "arm") in commands(mmc, "Focus")
    begins = [one.at_s for one in mmc.bench.journal if one.verb == "expose"]
    assert np.diff(begins) == pytest.approx(0.01)
    mmc.unloadAllDevices()


def test_slm_masks_in_a_sequence_light_their_parts() -> None:
    mmc = mounted(beads())
    left = np.zeros(QUICK.slm.shape, bool)
    left[:, : QUICK.slm.shape[1] // 2] = True
    events = [
        useq.MDAEvent.model_validate(
            {"index": {"t": t}, "exposure": 1000, "slm_image": {"data": mask, "device": "SLM"}}
        )
        for t, mask in enumerate((left, ~left))
    ]
    (first, _, _), (second, _, _) = ran(mmc, events)  # type: ignore[arg-type]
    for image, lit, dark in ((first, slice(0, 30), slice(34, 64)), (second, slice(34, 64), slice(0, 30))):
        assert image[:, lit].mean() > 150
        assert image[:, dark].mean() == pytest.approx(100, abs=0.5)
    mmc.unloadAllDevices()


def test_pycromanager_finds_the_microscope(scope: specimen.SpecimenScope) -> None:
    import pycromanager

    core: Any = pycromanager.Core()
    assert id(core) == id(scope.core)
    core.set_exposure(5.0)
    core.snap_image()
    tagged = core.get_tagged_image(0, core.get_camera_device(), core.get_image_height(), core.get_image_width())
    assert tagged.pix.shape == (64, 64)
    assert tagged.tags["PixelType"] == "GRAY16"
    assert float(tagged.tags["Exposure-ms"]) == 5.0
    assert core.get_property("LED 475", "Power_mW") == "6"
    core.set_xy_position(30.0, 40.0)
    core.wait_for_device("XY")
    assert (core.get_x_position(), core.get_y_position()) == (30.0, 40.0)
    with pytest.raises(RuntimeError, match="Nothing"):
        core.get_property("Nothing", "Label")


@pytest.mark.parametrize("order", ["tpcz", "tpzc"])
def test_an_acquisition_of_pycromanager_gives_what_it_says(
    scope: specimen.SpecimenScope, tmp_path: Path, order: str
) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    frames: list[tuple[Any, Any]] = []

    def seen(image: Any, tags: Any) -> Any:
        frames.append((image.copy(), dict(tags)))
        return image, tags

    events = multi_d_acquisition_events(
        num_time_points=2,
        time_interval_s=0,
        channel_group="Channel",
        channels=["DAPI", "FITC"],
        channel_exposures_ms=[4, 8],
        z_start=0,
        z_end=2,
        z_step=1,
        xy_positions=np.array([(x, y) for x, y, _ in PLACES]),
        order=order,
    )
    with Acquisition(str(tmp_path), "seen", image_process_fn=seen, show_display=False) as acquisition:
        acquisition.acquire(events)
    assert len(frames) == 2 * 2 * 2 * 3
    assert {tuple(sorted(tags["Axes"].items())) for _, tags in frames} == {
        tuple(sorted(event["axes"].items())) for event in events
    }
    for image, tags in frames:
        x, y, z = PLACES[tags["Axes"]["position"]]
        assert tags["PixelSize_um"] == pytest.approx(6.5 / 60)
        assert tags["Exposure"] == float(tags["Exposure-ms"]) == {"DAPI": 4, "FITC": 8}[tags["Axes"]["channel"]]
        assert (tags["XPosition_um_Intended"], tags["YPosition_um_Intended"]) == (x, y)
        where = [float(tags[name]) for name in ("ViewX_um", "ViewY_um", "ViewZ_um")]
        assert where == pytest.approx([x, y, tags["ZPosition_um_Intended"]], abs=0.05)
        if tags["Axes"]["channel"] == "FITC" and tags["ZPosition_um_Intended"] == z:
            light, row, column = spot(image)
            assert (row, column) == pytest.approx((MIDDLE, MIDDLE), abs=0.15)
            assert light > 2000


def test_an_acquisition_on_disk_has_its_images_and_metadata(scope: specimen.SpecimenScope, tmp_path: Path) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    called: list[str] = []

    def hook(name: str) -> Callable[[Any], Any]:
        def call(event: Any) -> Any:
            called.append(name)
            return event

        return call

    scope.set("Camera", "Binning", 2)
    with Acquisition(
        str(tmp_path),
        "kept",
        show_display=False,
        pre_hardware_hook_fn=hook("before"),
        post_hardware_hook_fn=hook("after"),
        post_camera_hook_fn=hook("camera"),
    ) as acquisition:
        acquisition.acquire(
            multi_d_acquisition_events(
                num_time_points=2,
                time_interval_s=0.1,
                channel_group="Channel",
                channels=["DAPI", "FITC"],
                channel_exposures_ms=[4, 20],
                z_start=1,
                z_end=2,
                z_step=1,
                xy_positions=np.array([(x, y) for x, y, _ in PLACES]),
            )
        )
    assert called[:3] == ["before", "after", "camera"]
    assert {called.count(name) for name in called} == {8}  # once for each stack, which is one sequence
    kept: Any = acquisition.get_dataset()
    assert {name: sorted(values) for name, values in kept.axes.items()} == {
        "time": [0, 1],
        "position": [0, 1],
        "channel": ["DAPI", "FITC"],
        "z": [0, 1],
    }
    ages = []
    for time in range(2):
        for position, (x, y, z) in enumerate(PLACES):
            where = {"time": time, "position": position, "channel": "FITC", "z": int(z) - 1}
            image, tags = kept.read_image(**where), kept.read_metadata(**where)
            assert (image.shape, image.dtype) == ((32, 32), np.uint16)
            _, row, column = spot(image)
            assert (row, column) == pytest.approx((15.5, 15.5), abs=0.1)
            assert tags["Axes"] == where
            assert tags["PixelSize_um"] == pytest.approx(2 * 6.5 / 60)
            assert (tags["Binning"], tags["PixelType"], tags["Camera"]) == ("2", "GRAY16", "Camera")
            assert (tags["Width"], tags["Height"], tags["BitDepth"]) == ("32", "32", "16")
            assert (tags["Exposure"], tags["Exposure-ms"]) == (20, "20")
            assert (tags["XPosition_um_Intended"], tags["YPosition_um_Intended"]) == (x, y)
            assert tags["ZPosition_um_Intended"] == z
            ages.append(float(tags["SpecimenTime-s"]))
    assert ages == sorted(ages)
    assert ages[2] - ages[0] >= 0.1
    kept.close()


@pytest.mark.parametrize("triggered", [True, False])
def test_the_shutter_stays_open_where_it_is_asked_to(triggered: bool) -> None:
    mmc = mounted(beads())
    mmc.mda.engine.use_hardware_sequencing = triggered  # type: ignore[union-attr]
    before = len(mmc.bench.journal)
    ran(
        mmc,
        useq.MDASequence.model_validate(
            {
                "axis_order": "pcz",
                "stage_positions": [{"x": x, "y": y, "z": z} for x, y, z in PLACES],
                "channels": ["FITC"],
                "z_plan": {"range": 2, "step": 1},
                "keep_shutter_open_across": ["z"],
            }
        ),
    )
    told = [(one.device, one.verb) for one in list(mmc.bench.journal)[before:] if one.device in ("Shutter", "Camera")]
    stack = [("Shutter", "open"), *[("Camera", "expose")] * 3, ("Shutter", "close")]
    assert told == stack * 2
    assert mmc.getAutoShutter()
    mmc.unloadAllDevices()


def test_what_is_not_there_is_left_out_of_a_sequence(caplog: pytest.LogCaptureFixture) -> None:
    mmc = mounted(beads())
    logger = logging.getLogger("pymmcore-plus")  # which does not hand on what it is told
    logger.addHandler(caplog.handler)
    frames = ran(
        mmc,
        useq.MDASequence.model_validate(
            {
                "channels": ["FITC"],
                "stage_positions": [{"x": 30, "y": 40, "z": 1}, {"x": 1000, "y": 40}],
                "autofocus_plan": {"autofocus_device_name": "Z", "autofocus_motor_offset": 2, "axes": ["p"]},
            }
        ),
    )
    logger.removeHandler(caplog.handler)
    assert len(frames) == 2
    assert "No autofocus device found" in caplog.text
    assert "found x = 1000 um for XY, expected 0 to 100" in caplog.text
    assert mmc.getXYPosition() == (50.0, 50.0)  # where it was before: the engine brings it back
    mmc.unloadAllDevices()


def test_a_sequence_can_be_cancelled(scope: specimen.SpecimenScope) -> None:
    mmc, seen = scope.mmc, list[int]()

    def taken(*_: object) -> None:
        seen.append(1)
        if len(seen) == 3:
            mmc.mda.cancel()

    mmc.mda.events.frameReady.connect(taken)
    mmc.mda.run(useq.MDASequence.model_validate({"channels": ["FITC"], "time_plan": {"interval": 0, "loops": 300}}))
    assert 3 <= len(seen) < 100
    assert not mmc.isSequenceRunning()
    assert not mmc.getShutterOpen()
    mmc.startContinuousSequenceAcquisition(0)  # live, as a viewer does, when the next one begins
    mmc.mda.events.frameReady.disconnect(taken)
    assert len(ran(mmc, useq.MDASequence.model_validate({"channels": ["FITC", "DAPI"]}))) == 2


def test_there_is_one_core_per_process_and_then_the_next(scope: specimen.SpecimenScope) -> None:
    with pytest.raises(SourceError, match="found a Micro-Manager core running in this process, expected none"):
        specimen.open(one_bead(), hardware=QUICK)
    with pytest.raises(SourceError, match="found a Micro-Manager core running in this process, expected none"):
        micromanager.demo()
    scope.close()
    assert scope.mmc.getLoadedDevices() == ("Core",)
    with micromanager.demo(size=64) as demo:
        assert len(list(demo.live(2).frames(2))) == 2
    with specimen.open(one_bead(), hardware=QUICK) as again:
        assert len(list(again.live(2).frames(2))) == 2


@pytest.mark.long
@pytest.mark.parametrize("how", ["left running", "mounted"])
def test_a_script_ends_in_order(how: str) -> None:
    script = f"""
from onscope.drivers import specimen
hardware = specimen.Hardware(camera=specimen.CameraModel(shape=(64, 64)))
scene = specimen.FieldOfBeads(extent_um=(100, 100))
if {how!r} == "mounted":
    mmc = specimen.mount(scene, hardware=hardware)
    mmc.snapImage()
    mmc.unloadAllDevices()
else:
    scope = specimen.open(scene, hardware=hardware)
    frames = scope.live(1).frames()
    next(frames)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
