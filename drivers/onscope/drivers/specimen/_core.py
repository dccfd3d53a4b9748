"""A Micro-Manager core with Python devices, brought to where Micro-Manager's own core is for hardware.

Private parts of pymmcore_plus.experimental.unicore are used here and in `_settings.py` (0.18.1 was read):
`_seq_buffer`, `_pydevices`, `_state_cache`, `_current_image_buffer`, `_acquisition_thread`, `_last_xy_position`,
`_pop_or_raise`, `_stop_acquisition_thread` and the `_do_...` methods that it offers to subclasses.
"""

from __future__ import annotations

import atexit
import logging
import threading
from typing import Any
from weakref import ref

from pymmcore import CMMCore
from pymmcore_plus import CMMCorePlus
from pymmcore_plus.core import Keyword
from pymmcore_plus.experimental.unicore import Device

from ._bench import Bench
from ._buffer import FrameBuffer
from ._camera import Camera
from ._catalogue import LIBRARY, made
from ._device import OnBench
from ._errors import DeviceError
from ._settings import SettingsCore
from ._slm import grey

POLL_S = 0.001
"""Pause between two questions whether a device is still busy, in seconds."""
PATIENCE_S = 30.0
"""How long, in seconds, a stop waits for a scene to finish the picture that it is at."""
log = logging.getLogger("onscope")


class SpecimenCore(SettingsCore):
    """A Micro-Manager core (pymmcore-plus) in which a microscope with a specimen is mounted; made by `mount`.

    What pymmcore-plus 0.18 leaves out for Python devices, and is done here and in `SettingsCore` as MMCore does it: the
    automatic shutter around snaps and sequences; the interval of paced sequences; the bit depth; refusing to start a
    camera that runs; stopping in the middle of a long exposure; an image buffer without false overflows; images that
    are the caller's own; events that name the device; configuration files that bring the devices back.
    """

    def __init__(self, bench: Bench, adapter_path: str, buffer_mb: int) -> None:
        super().__init__(mm_path=adapter_path, adapter_paths=[adapter_path])
        self.bench = bench
        self._camera: Camera | None = None
        self._opened = ""
        self._snapping = False
        self.setBuffer(buffer_mb)
        atexit.register(_deaf, ref(self))

    def setBuffer(self, size_mb: int) -> None:
        """An empty image buffer of so many MiB."""
        self._seq_buffer: Any = FrameBuffer(size_mb)

    def loadDevice(self, label: str, moduleName: str, deviceName: str) -> None:
        """As MMCore; devices of the library onscope.drivers.specimen stand on this core's bench."""
        if moduleName == LIBRARY:
            self.loadPyDevice(label, made(self.bench, label, deviceName))
        else:
            super().loadDevice(label, moduleName, deviceName)

    def loadPyDevice(self, label: str, device: Device) -> None:
        super().loadPyDevice(label, device)
        if isinstance(device, Camera):
            self._camera = device
            device.report_to(_Ear(self))

    def getDeviceLibrary(self, label: str) -> Any:
        ours = label in self._pydevices and isinstance(self._pydevices[label], OnBench)
        return LIBRARY if ours else super().getDeviceLibrary(label)

    def prepare_for_acquisition(self) -> None:
        """The camera's: open the automatic shutter, and wait until it is open."""
        shutter = self.getShutterDevice()
        if shutter and self.getAutoShutter():
            self._opened = shutter
            self._turn(shutter, True)
            self.waitForDevice(shutter)

    def acquisition_finished(self) -> None:
        """The camera's: close what was opened for it, when it is still there."""
        shutter, self._opened = self._opened, ""
        if shutter and shutter in self.getLoadedDevices():
            self._turn(shutter, False)

    def _turn(self, shutter: str, opened: bool) -> None:
        """Open or close it for the camera, in the camera's thread: a listener that fails does not end the sequence."""
        self._do_shutter_open(shutter, opened)
        state = str(int(opened))
        if self._snapping:  # who snaps tells it
            self._state_cache[(shutter, Keyword.State.value)] = state
            return
        try:
            self._emit_property_changed(shutter, Keyword.State.value, state)
        except Exception:
            log.exception("a listener failed when %s turned", shutter)

    def setShutterOpen(self, *args: Any) -> None:
        super().setShutterOpen(*(args if len(args) == 2 else (self.getShutterDevice(), *args)))

    def setROI(self, *args: Any) -> None:
        super().setROI(*(args if len(args) == 5 else (self.getCameraDevice(), *args)))

    def setCircularBufferMemoryFootprint(self, sizeMB: int) -> None:
        if self._py_camera() is None:
            super().setCircularBufferMemoryFootprint(sizeMB)
            return
        if sizeMB <= 0:
            raise DeviceError(f"found a buffer of {sizeMB} MB, expected at least 1: choose one that holds a second")
        if self.isSequenceRunning():
            self.stopSequenceAcquisition()
        self.setBuffer(sizeMB)

    def pop_with_tags(self) -> tuple[Any, dict[str, str]]:
        """The oldest image of the running sequence and its tags, all text. Raises IndexError when there is none."""
        image, tags = self._pop_or_raise()
        return image, {str(key): str(value) for key, value in tags.items()}

    def snap_tags(self) -> dict[str, str]:
        """The camera's own tags of its last exposure; empty before the first."""
        return self._camera.tags() if self._camera is not None else {}

    def getImage(self, *args: Any, **options: Any) -> Any:
        image = super().getImage(*args, **options)
        return image.copy() if self._py_camera() is not None else image

    def waitForDevice(self, label: str) -> None:
        if label not in self._pydevices:
            super().waitForDevice(label)
            return
        try:
            self._pydevices.wait_for(label, self.getTimeoutMs(), POLL_S)
        except TimeoutError:
            raise DeviceError(
                f"found {label} busy for more than {self.getTimeoutMs():g} ms, expected it to be done: wait again, or "
                "set a longer time-out"
            ) from None

    def waitForDeviceType(self, devType: int) -> None:
        CMMCorePlus.waitForDeviceType(self, devType)
        for label in self._pydevices.get_labels_of_type(devType):
            self.waitForDevice(label)

    def setXYPosition(self, *args: Any) -> None:
        super().setXYPosition(*args)
        self._last_xy_position[args[0] if len(args) == 3 else None] = tuple(args[-2:])

    def setSLMImage(self, *args: Any) -> None:
        slm = self._py_slm(args[0] if len(args) == 2 else self.getSLMDevice())
        image: Any = args[-1] if slm is None else grey(args[-1], slm.shape())
        super().setSLMImage(args[0] if len(args) == 2 else self.getSLMDevice(), image)

    def getImageBitDepth(self) -> int:
        camera = self._py_camera()
        return camera.get_bit_depth() if isinstance(camera, Camera) else super().getImageBitDepth()

    def isSequenceRunning(self, cameraLabel: str | None = None) -> bool:
        """Whether it runs. Raises DeviceError, once, when the scene before the camera has ended it."""
        label = cameraLabel or self.getCameraDevice()
        running = super().isSequenceRunning(label)
        if not running and self._camera is not None and self._py_camera(label) is self._camera:
            self._camera.check()
        return running

    def stopSequenceAcquisition(self, cameraLabel: str | None = None) -> None:
        super().stopSequenceAcquisition(cameraLabel or self.getCameraDevice())

    def getCameraChannelName(self, channelNr: int) -> str:
        return self.getCameraDevice() if self._py_camera() is not None else super().getCameraChannelName(channelNr)

    def _do_snap_image(self) -> None:
        self._check_at_rest(self.getCameraDevice(), "a snap")
        self._current_image_buffer, self._snapping = None, True
        try:
            super()._do_snap_image()
        finally:
            self._snapping = False
        if self._camera is not None:
            self._camera.check()

    def _do_start_sequence_acquisition(
        self, cameraLabel: str, numImages: int, intervalMs: float, stopOnOverflow: bool
    ) -> None:
        if numImages < 1 and self._py_camera(cameraLabel) is not None:
            raise DeviceError(
                f"found a sequence of {numImages} images for {cameraLabel}, expected at least 1: give their number, or "
                "start a continuous sequence"
            )
        self._pace(cameraLabel, intervalMs)
        super()._do_start_sequence_acquisition(cameraLabel, numImages, intervalMs, stopOnOverflow)

    def _do_start_continuous_sequence_acquisition(self, intervalMs: float = 0) -> None:
        self._pace(self.getCameraDevice(), intervalMs)
        super()._do_start_continuous_sequence_acquisition(intervalMs)

    def _stop_acquisition_thread(self, timeout: float | None = PATIENCE_S) -> None:
        thread = self._acquisition_thread
        if thread is None:
            return
        if self._camera is not None:
            self._camera.stop()
        if thread is threading.current_thread():  # a listener of the camera's stops it
            self._stop_event.set()
            return
        super()._stop_acquisition_thread(timeout)
        if thread.is_alive():
            self._acquisition_thread = thread
            raise DeviceError(
                f"found the scene still at a picture after {timeout:g} s, expected it to end: stop again when it has"
            )

    def _pace(self, label: str, interval_ms: float) -> None:
        self._check_at_rest(label, "a sequence")
        camera = self._py_camera(label)
        if isinstance(camera, Camera):
            camera.pace(interval_ms / 1e3)

    def _check_at_rest(self, label: str, wanted: str) -> None:
        camera = self._py_camera(label)
        if camera is not None and self.isSequenceRunning(label):
            raise DeviceError(
                f"found {camera.get_label()} acquiring a sequence while {wanted} was asked for, expected it at rest: "
                "stop the sequence first"
            )


class _Ear:
    """What the camera reports to: the core, which pymmcore-plus lets go only when no device holds it."""

    def __init__(self, core: SpecimenCore) -> None:
        self._core = ref(core)

    def prepare_for_acquisition(self) -> None:
        if (core := self._core()) is not None:
            core.prepare_for_acquisition()

    def acquisition_finished(self) -> None:
        if (core := self._core()) is not None:
            core.acquisition_finished()


def _deaf(core: ref[SpecimenCore]) -> None:
    """At exit: the core's own thread still calls back into Python then, which ends the process with an abort."""
    if (alive := core()) is not None:
        CMMCore.registerCallback(alive, None)
