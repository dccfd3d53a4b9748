"""What happens when something goes wrong: in the scene, in a listener, in the order of things, by the keyboard."""

from __future__ import annotations

import gc
import logging
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from onscope.drivers import specimen

from ..processes import heed_ctrl_c
from .specimens import QUICK, SIZE, Broken, mounted, one_bead, popped, snapped


class Slow(specimen.FieldOfBeads):
    """Beads whose second picture is not done before `go` is set."""

    def __init__(self) -> None:
        super().__init__(extent_um=(100.0, 100.0), per_um2=0.0)
        self.at_it, self.go = threading.Event(), threading.Event()

    def expose(self, shot: specimen.Shot, out: Any) -> None:
        if shot.number == 1:
            self.at_it.set()
            assert self.go.wait(30)
        super().expose(shot, out)


class Dark(specimen.FieldOfBeads):
    """Beads that do not bear light without a camera."""

    def illuminate(self, shot: specimen.Shot) -> None:
        raise ValueError("no such light")


def ended(mmc: specimen.SpecimenCore) -> None:
    """Wait until the sequence has ended, half a minute at most."""
    for _ in range(3000):
        if not mmc.isSequenceRunning():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it runs and runs")


def test_a_snap_that_fails_leaves_no_image_and_the_shutter_closed() -> None:
    mmc = mounted(Broken(extent_um=(100.0, 100.0)))
    for _ in range(3):
        snapped(mmc)
    with pytest.raises(specimen.DeviceError, match=r"found that the scene before Camera failed \(no such bead\)"):
        mmc.snapImage()
    with pytest.raises(RuntimeError, match="No image buffer"):
        mmc.getImage()
    assert not mmc.getShutterOpen()
    assert snapped(mmc).shape == (SIZE, SIZE)
    mmc.unloadAllDevices()


def test_a_sequence_that_fails_gives_what_it_had_and_says_so_once() -> None:
    mmc = mounted(Broken(extent_um=(100.0, 100.0)))
    mmc.startContinuousSequenceAcquisition(0)
    assert len(popped(mmc, 3)) == 3
    with pytest.raises(specimen.DeviceError, match="found that the scene before Camera failed"):
        ended(mmc)
    assert not mmc.isSequenceRunning()
    assert not mmc.getShutterOpen()
    mmc.startSequenceAcquisition(2, 0, True)
    assert len(popped(mmc, 2)) == 2
    mmc.unloadAllDevices()


def test_light_that_fails_is_told_too() -> None:
    mmc = mounted(Dark(extent_um=(100.0, 100.0)))
    mmc.setShutterOpen(True)
    mmc.waitForDevice("Shutter")
    with pytest.raises(specimen.DeviceError, match=r"found that the scene before Camera failed \(no such light\)"):
        mmc.snapImage()
    mmc.unloadAllDevices()


@pytest.mark.long
def test_stopping_waits_for_the_picture_at_hand() -> None:
    scene = Slow()
    mmc = mounted(scene, clock=specimen.RealClock())
    mmc.startContinuousSequenceAcquisition(0)
    assert scene.at_it.wait(30)
    threading.Timer(2.5, scene.go.set).start()  # longer than pymmcore-plus itself waits
    mmc.stopSequenceAcquisition()
    assert scene.go.is_set()
    assert not mmc.isSequenceRunning()
    assert snapped(mmc).shape == (SIZE, SIZE)
    mmc.unloadAllDevices()


def test_stopping_ends_a_long_exposure_at_once() -> None:
    mmc = mounted(clock=specimen.RealClock())
    mmc.setExposure(10_000.0)
    begun = threading.Event()
    mmc.events.propertyChanged.connect(lambda *change: begun.set() if change[:2] == ("Shutter", "State") else None)
    stops: tuple[Callable[[], None], ...] = (mmc.stopSequenceAcquisition, lambda: mmc.unloadDevice("Camera"))
    for stop in stops:
        begun.clear()
        mmc.startContinuousSequenceAcquisition(0)
        assert begun.wait(10)
        since = mmc.bench.clock.now_s()
        stop()
        assert mmc.bench.clock.now_s() - since < 8  # of the ten seconds
        assert not mmc.isSequenceRunning()
        assert not mmc.getShutterOpen()
    mmc.unloadAllDevices()


def test_stopping_twice_is_nothing_special() -> None:
    mmc = mounted()
    mmc.stopSequenceAcquisition()
    mmc.startContinuousSequenceAcquisition(0)
    mmc.stopSequenceAcquisition()
    mmc.stopSequenceAcquisition("Camera")
    assert not mmc.isSequenceRunning()
    mmc.unloadAllDevices()
    mmc.unloadAllDevices()


@pytest.mark.parametrize("label", ["Shutter", "XY", "Focus", "Emission", "Objective", "SLM", "LED 475"])
def test_the_camera_goes_on_without_another_device(label: str, capfd: pytest.CaptureFixture[str]) -> None:
    mmc = mounted()
    mmc.startContinuousSequenceAcquisition(0)
    popped(mmc, 2)
    mmc.unloadDevice(label)
    mmc.clearCircularBuffer()
    assert len(popped(mmc, 2)) == 2
    mmc.stopSequenceAcquisition()
    assert "Traceback" not in capfd.readouterr().err  # of the camera's thread
    assert snapped(mmc).shape == (SIZE, SIZE)
    mmc.unloadAllDevices()


@pytest.mark.parametrize("how", ["unloadDevice", "unloadAllDevices", "reset"])
def test_a_camera_that_is_unloaded_stops_first(how: str) -> None:
    mmc = mounted(clock=specimen.RealClock())
    mmc.startContinuousSequenceAcquisition(0)
    popped(mmc, 1)
    camera: Any = mmc._camera
    mmc.unloadDevice("Camera") if how == "unloadDevice" else getattr(mmc, how)()
    assert not camera.running
    assert not mmc.bench.lights.shutter_open
    assert mmc.getCameraDevice() == ""
    with pytest.raises(RuntimeError):
        mmc.snapImage()
    mmc.unloadAllDevices()


def test_a_listener_that_fails_does_not_keep_the_camera_from_its_sequence() -> None:
    mmc = mounted()

    def fails(*_: object) -> None:
        raise ValueError("no such listener")

    mmc.events.propertyChanged.connect(fails)
    mmc.startSequenceAcquisition(3, 0, True)
    assert len(popped(mmc, 3)) == 3
    mmc.stopSequenceAcquisition()
    assert not mmc.getShutterOpen()
    mmc.unloadAllDevices()


def test_a_listener_may_stop_the_camera() -> None:
    mmc = mounted()

    def stops(device: str, name: str, value: str) -> None:
        if (device, value) == ("Shutter", "1"):  # told by the camera's own thread
            mmc.stopSequenceAcquisition()

    mmc.events.propertyChanged.connect(stops)
    mmc.startContinuousSequenceAcquisition(0)
    ended(mmc)
    assert not mmc.getShutterOpen()
    mmc.unloadAllDevices()


@pytest.mark.parametrize("stop_on_overflow", [True, False])
def test_a_buffer_that_nobody_empties_is_full_in_order(stop_on_overflow: bool) -> None:
    mmc = mounted(size=128, buffer_mb=1)
    capacity = mmc.getBufferTotalCapacity()
    assert capacity == mmc.getBufferFreeCapacity() == 32
    mmc.startSequenceAcquisition(80, 0, stop_on_overflow)
    ended(mmc)
    assert mmc.getRemainingImageCount() == capacity
    numbers = [int(tags["ImageNumber"]) for _, tags in popped(mmc, capacity)]
    # Whoever wants to stop has the first images, without a gap, and is told; the other has the last ones.
    assert numbers == list(range(32) if stop_on_overflow else range(48, 80))
    assert mmc.isBufferOverflowed() is stop_on_overflow
    assert not mmc.getShutterOpen()
    mmc.startSequenceAcquisition(1, 0, True)
    popped(mmc, 1)
    assert not mmc.isBufferOverflowed()
    mmc.unloadAllDevices()


@pytest.mark.parametrize("ran", [False, True])
def test_a_core_that_is_let_go_is_gone(ran: bool) -> None:
    logging.disable()  # the records that pytest keeps would hold it
    mmc = mounted()
    if ran:
        mmc.startSequenceAcquisition(2, 0, True)
        popped(mmc, 2)
        mmc.stopSequenceAcquisition()
    gone, bench = weakref.ref(mmc), weakref.ref(mmc.bench)
    del mmc
    gc.collect()
    logging.disable(logging.NOTSET)
    assert gone() is None
    assert bench() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
@pytest.mark.parametrize("busy", ["mmc.snapImage()", "mmc.startContinuousSequenceAcquisition(0); wait(30)"])
def test_the_keyboard_interrupts_in_order(busy: str) -> None:
    script = f"""
import threading
from onscope.drivers import specimen
wait = threading.Event().wait
hardware = specimen.Hardware(camera=specimen.CameraModel(shape=(64, 64)))
mmc = specimen.mount(specimen.FieldOfBeads(extent_um=(100, 100)), hardware=hardware)
mmc.setExposure(9000)
mmc.events.propertyChanged.connect(lambda device, *_: print("begun", flush=True) if device == "Shutter" else None)
try:
    {busy}
except KeyboardInterrupt:
    mmc.stopSequenceAcquisition()
    mmc.setExposure(5)
    mmc.snapImage()
    print(mmc.getShutterOpen(), mmc.isSequenceRunning(), mmc.getImage().shape)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "begun":
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    assert told.splitlines()[-1] == "False False (64, 64)"


def test_a_scope_that_fails_in_its_block_is_closed_all_the_same() -> None:
    scope = specimen.open(one_bead(), hardware=QUICK)

    def fail() -> None:
        with scope:
            scope.mmc.startContinuousSequenceAcquisition(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert scope.mmc.getLoadedDevices() == ("Core",)
    scope.close()
    with specimen.open(one_bead(), hardware=QUICK) as again:
        assert snapped(again.mmc).shape == (SIZE, SIZE)
