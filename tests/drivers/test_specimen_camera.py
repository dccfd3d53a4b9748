"""The camera: what it gives at which time, and what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.drivers import specimen
from onscope.drivers.specimen._buffer import FrameBuffer
from onscope.drivers.specimen._grid import SLACK_FRAMES, SLACK_S, Grid

from .specimens import QUICK, SIZE, Broken, commands, mounted, one_bead, popped, snapped

LINE_S = QUICK.camera.line_s
READOUT_S = SIZE * LINE_S


@pytest.fixture
def mmc() -> Iterator[specimen.SpecimenCore]:
    core = mounted()
    yield core
    core.unloadAllDevices()


class Slow(specimen.FieldOfBeads):
    """Beads that take so many seconds of the clock to compute."""

    def __init__(self, clock: specimen.Clock, *takes_s: float) -> None:
        super().__init__(extent_um=(100.0, 100.0))
        self.clock, self.takes_s = clock, list(takes_s)

    def expose(self, shot: specimen.Shot, out: Any) -> None:
        super().expose(shot, out)
        takes_s = self.takes_s[min(shot.number, len(self.takes_s) - 1)]
        self.clock.wait_until(self.clock.now_s() + takes_s, threading.Event())


def begins(mmc: specimen.SpecimenCore) -> list[float]:
    """When exposures began, in seconds."""
    return [one.at_s for one in mmc.bench.journal if one.verb == "expose"]


@pytest.mark.parametrize(
    ("kind", "dtype", "depth", "exposure_ms"),
    [("8bit", np.uint8, 8, 10.0), ("12bit", np.uint16, 12, 40.0), ("16bit", np.uint16, 16, 1000.0)],
)
def test_pixel_types(mmc: specimen.SpecimenCore, kind: str, dtype: Any, depth: int, exposure_ms: float) -> None:
    mmc.setProperty("Camera", "PixelType", kind)
    mmc.setExposure(exposure_ms)
    image = snapped(mmc)
    assert image.dtype == dtype
    assert mmc.getBytesPerPixel() == image.itemsize
    assert mmc.getImageBitDepth() == depth
    assert mmc.getImageBufferSize() == image.nbytes
    assert image.max() == 2**depth - 1  # a bead in focus saturates, and the medium around it does not
    assert image.min() < 2**depth / 2


def test_a_roi_is_that_part_of_the_image(mmc: specimen.SpecimenCore) -> None:
    whole = snapped(mmc)
    mmc.setROI(20, 24, 30, 16)
    part = snapped(mmc)
    assert part.shape == (16, 30)
    assert mmc.getROI() == [20, 24, 30, 16]
    row, column = np.unravel_index(part.argmax(), part.shape)
    there = np.unravel_index(whole.argmax(), whole.shape)
    assert abs(row + 24 - there[0]) <= 1
    assert abs(column + 20 - there[1]) <= 1
    mmc.clearROI()
    assert snapped(mmc).shape == (SIZE, SIZE)


def test_a_roi_of_binned_pixels(mmc: specimen.SpecimenCore) -> None:
    mmc.setROI(0, 0, 10, 10)
    mmc.setProperty("Camera", "Binning", 2)
    assert mmc.getROI() == [0, 0, SIZE // 2, SIZE // 2]
    mmc.setROI(8, 4, 16, 20)
    mmc.snapImage()
    assert mmc.getImage().shape == (20, 16)
    assert mmc.getROI() == [8, 4, 16, 20]


@pytest.mark.parametrize("roi", [(-1, 0, 4, 4), (0, 0, 0, 4), (0, 0, 65, 4), (60, 0, 8, 4), (0, 63, 4, 2)])
def test_a_roi_beside_the_sensor_is_refused(mmc: specimen.SpecimenCore, roi: tuple[int, int, int, int]) -> None:
    with pytest.raises(specimen.DeviceError, match=r"found a ROI of .* expected one inside of its 64 x 64 pixels|ROI"):
        mmc.setROI(*roi)
    assert mmc.getROI() == [0, 0, SIZE, SIZE]


@pytest.mark.parametrize(
    ("exposure_ms", "interval_ms", "period_s"),
    [(10.0, 0.0, 0.010), (0.05, 0.0, READOUT_S), (10.0, 25.0, 0.025), (10.0, 5.0, 0.010)],
)
def test_exposures_begin_on_a_grid(
    mmc: specimen.SpecimenCore, exposure_ms: float, interval_ms: float, period_s: float
) -> None:
    mmc.setExposure(exposure_ms)
    mmc.startSequenceAcquisition(20, interval_ms, True)
    images = popped(mmc, 20)
    assert np.diff(begins(mmc)) == pytest.approx(period_s, abs=1e-9)
    assert float(mmc.getProperty("Camera", "ActualInterval-ms")) == pytest.approx(period_s * 1e3)
    assert [int(tags["ImageNumber"]) for _, tags in images] == list(range(20))
    assert [int(tags["SpecimenExposure"]) for _, tags in images] == list(range(20))
    times = [float(tags["SpecimenTime-s"]) for _, tags in images]
    assert np.diff(times) == pytest.approx(period_s, abs=1e-6)


def test_what_computing_takes_now_and_then_shifts_nothing() -> None:
    clock = specimen.PatientClock()
    mmc = mounted(Slow(clock, 0, 0, 0.07, 0, 0), clock=clock)
    mmc.setExposure(10.0)
    mmc.startSequenceAcquisition(15, 0, True)
    popped(mmc, 15)
    assert np.diff(begins(mmc)) == pytest.approx(0.01)
    assert mmc.getProperty("Camera", "SkippedExposures") == "0"
    mmc.unloadAllDevices()


def test_what_computing_takes_always_leaves_exposures_out() -> None:
    clock = specimen.PatientClock()
    mmc = mounted(Slow(clock, 0.04), clock=clock)
    mmc.setExposure(10.0)
    mmc.startSequenceAcquisition(40, 0, True)
    popped(mmc, 40)
    ticks = (np.array(begins(mmc)) - begins(mmc)[0]) / 0.01
    assert ticks == pytest.approx(np.rint(ticks), abs=1e-6)
    skipped = int(mmc.getProperty("Camera", "SkippedExposures"))
    assert skipped == round(ticks[-1]) - 39
    assert 80 < skipped <= 117  # it can do every fourth, after the memory of its first 0.1 s
    mmc.unloadAllDevices()


@settings(deadline=None)
@given(
    period=st.floats(0.001, 0.5),
    takes=st.lists(st.floats(0, 0.7), min_size=1, max_size=30),
)
def test_no_exposure_begins_early_or_off_the_grid(period: float, takes: list[float]) -> None:
    clock, never = specimen.PatientClock(), threading.Event()
    grid, last = Grid(clock, period), -period
    for took in takes:
        begin = grid.next(period)
        tick = begin / period
        assert tick == pytest.approx(round(tick), abs=1e-6)
        assert begin >= last + period * (1 - 1e-9)
        assert clock.now_s() - begin <= max(SLACK_S, SLACK_FRAMES * period) + 1e-9
        clock.wait_until(begin + period, never)
        clock.wait_until(clock.now_s() + took, never)
        last = begin


def test_an_exposure_can_be_changed_on_the_way(mmc: specimen.SpecimenCore) -> None:
    core = mounted(clock=specimen.RealClock())
    core.setExposure(5.0)
    core.startContinuousSequenceAcquisition(0)
    popped(core, 3)
    core.setExposure(12.0)
    tags = [tags["Exposure-ms"] for _, tags in popped(core, 30)]
    core.stopSequenceAcquisition()
    assert tags[-1] == "12"
    assert tags == sorted(tags, reverse=True)  # "5" comes before "12", and nothing between them
    core.unloadAllDevices()


def test_settings_of_a_running_camera_stay() -> None:
    core = mounted(clock=specimen.RealClock())
    core.startContinuousSequenceAcquisition(0)
    popped(core, 1)
    running = "found Camera exposing while its {} was asked for, expected it at rest: stop the sequence first"
    changes: list[tuple[Callable[[], None], str]] = [
        (lambda: core.setProperty("Camera", "Binning", 2), "binning"),
        (lambda: core.setProperty("Camera", "PixelType", "8bit"), "pixel type"),
        (lambda: core.setROI(0, 0, 8, 8), "ROI"),
        (core.clearROI, "ROI"),
    ]
    for change, what in changes:
        with pytest.raises(specimen.DeviceError, match=running.format(what)):
            change()
    starts: list[tuple[Callable[[], None], str]] = [
        (core.snapImage, "a snap"),
        (lambda: core.startSequenceAcquisition(2, 0, True), "a sequence"),
        (lambda: core.startContinuousSequenceAcquisition(0), "a sequence"),
    ]
    for start, what in starts:
        with pytest.raises(specimen.DeviceError, match=f"found Camera acquiring a sequence while {what} was asked for"):
            start()
    popped(core, 2)
    core.stopSequenceAcquisition()
    snapped(core)
    core.unloadAllDevices()


def test_a_long_exposure_is_stopped_at_once() -> None:
    core = mounted(clock=specimen.RealClock())
    core.setExposure(10_000.0)
    core.startContinuousSequenceAcquisition(0)
    while not begins(core):
        threading.Event().wait(0.001)
    core.stopSequenceAcquisition()
    assert not core.isSequenceRunning()
    assert core.getRemainingImageCount() == 0
    assert not core.getShutterOpen()
    core.setExposure(1.0)
    core.startSequenceAcquisition(2, 0, True)
    assert [int(tags["ImageNumber"]) for _, tags in popped(core, 2)] == [0, 1]
    core.unloadAllDevices()


def test_a_sequence_opens_the_shutter_once(mmc: specimen.SpecimenCore) -> None:
    mmc.startSequenceAcquisition(3, 0, True)
    popped(mmc, 3)
    assert commands(mmc, "Shutter", "Camera") == [
        ("Shutter", "open"),
        *[("Camera", "expose")] * 3,
        ("Shutter", "close"),
    ]


def test_frames_are_dark_behind_a_closed_shutter(mmc: specimen.SpecimenCore) -> None:
    mmc.setAutoShutter(False)
    mmc.startSequenceAcquisition(3, 0, True)
    for image, _ in popped(mmc, 3):
        assert image.mean() == pytest.approx(100.0, abs=0.5)
        assert image.max() < 130


def test_the_same_seed_gives_the_same_frames() -> None:
    def frames(seed: int) -> list[Any]:
        mmc = mounted(one_bead(seed=seed))
        mmc.startSequenceAcquisition(3, 0, True)
        images = [image for image, _ in popped(mmc, 3)]
        mmc.unloadAllDevices()
        return images

    first, again, other = frames(1), frames(1), frames(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_a_full_buffer_ends_the_sequence_or_loses_the_oldest() -> None:
    mmc = mounted(buffer_mb=1)  # 128 images of 64 x 64 x 2 bytes
    assert mmc.getBufferTotalCapacity() == 128
    mmc.startSequenceAcquisition(200, 0, True)
    while mmc.isSequenceRunning():
        threading.Event().wait(0.001)
    assert mmc.isBufferOverflowed()
    numbers = [int(tags["ImageNumber"]) for _, tags in popped(mmc, 128)]
    assert numbers == list(range(128))
    with pytest.raises(IndexError):
        mmc.pop_with_tags()
    mmc.startSequenceAcquisition(200, 0, False)
    while mmc.isSequenceRunning():
        threading.Event().wait(0.001)
    assert [int(tags["ImageNumber"]) for _, tags in popped(mmc, 128)] == list(range(72, 200))
    mmc.unloadAllDevices()


@settings(deadline=None)
@given(st.lists(st.sampled_from(["push", "pop"]), max_size=200), st.booleans())
def test_a_buffer_overflows_when_it_is_full_and_not_before(steps: list[str], overwrite: bool) -> None:
    buffer, model, frame = FrameBuffer(10 / 1024, overwrite_on_overflow=overwrite), list[int](), 0
    for step in steps:
        if step == "pop":
            got = buffer.pop_next()
            assert (None if got is None else int(got[0][0])) == (model.pop(0) if model else None)
        elif len(model) == 10 and not overwrite:
            with pytest.raises(BufferError, match="found no room for 1024 bytes"):
                buffer.acquire_slot((1024,), np.uint8)
            assert buffer.overflow_occurred
        else:
            frame = (frame + 1) % 256
            buffer.acquire_slot((1024,), np.uint8)[:] = frame
            buffer.finalize_slot({"number": frame})
            model = [*model, frame][-10:]
        assert len(buffer) == len(model)
        assert buffer.used_bytes == 1024 * len(model)
    newest = buffer.peek_last()
    assert (None if newest is None else newest[1]["number"]) == (model[-1] if model else None)


FAILED = r"found that the scene before Camera failed \(no such bead\), expected a picture: see what it says"


def test_a_scene_that_fails_ends_the_sequence_and_says_so() -> None:
    mmc = mounted(Broken(extent_um=(100.0, 100.0)))
    mmc.startSequenceAcquisition(10, 0, True)
    popped(mmc, 3)
    with pytest.raises(specimen.DeviceError, match=FAILED):
        popped(mmc, 1)
    assert not mmc.getShutterOpen()
    assert snapped(mmc).shape == (SIZE, SIZE)
    mmc.unloadAllDevices()


def test_a_scene_that_fails_in_a_snap_says_so() -> None:
    mmc = mounted(Broken(extent_um=(100.0, 100.0)))
    for _ in range(3):
        mmc.snapImage()
    with pytest.raises(specimen.DeviceError, match=FAILED):
        mmc.snapImage()
    mmc.snapImage()
    mmc.unloadAllDevices()
