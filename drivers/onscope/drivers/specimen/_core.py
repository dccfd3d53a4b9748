"""pymmcore-plus' core with Python devices, brought to where Micro-Manager's own core is for hardware.

Private parts of pymmcore_plus.experimental.unicore are used here and nowhere else (0.18.1 was read): `_seq_buffer`,
`_pydevices`, `_state_cache`, `_last_xy_position`, `_pop_or_raise` and the `_do_...` methods that it offers to
subclasses.
"""

from __future__ import annotations

import atexit
from typing import Any
from weakref import ref

import numpy as np
from pymmcore import CMMCore
from pymmcore_plus.core import Keyword
from pymmcore_plus.experimental.unicore import UniMMCore

from ._bench import Bench
from ._buffer import FrameBuffer
from ._camera import Camera
from ._device import text
from ._errors import DeviceError
from ._slm import wrong_size

POLL_S = 0.001
"""Pause between two questions whether a device is still busy, in seconds."""


class SpecimenCore(UniMMCore):
    """A Micro-Manager core (pymmcore-plus) in which a microscope with a specimen is mounted; made by `mount`.

    What pymmcore-plus 0.18 leaves out for Python devices, and is done here as MMCore does it: the automatic shutter
    around snaps and sequences; the interval of paced sequences; pixel-size configurations; the bit depth; properties as
    text; refusing to start a camera that runs; an image buffer without false overflows; events and cache for a shutter.
    """

    def __init__(self, bench: Bench, adapter_path: str, buffer_mb: int) -> None:
        super().__init__(mm_path=adapter_path, adapter_paths=[adapter_path])
        self.bench = bench
        self._camera: Camera | None = None
        self._opened = ""
        self.setBuffer(buffer_mb)
        self.events.propertyChanged.connect(self._remember)
        atexit.register(_deaf, ref(self))

    def setBuffer(self, size_mb: int) -> None:
        """An empty image buffer of so many MiB."""
        self._seq_buffer: Any = FrameBuffer(size_mb)

    def attach_camera(self, camera: Camera) -> None:
        """Called by `mount` with the loaded camera; it reports to this core from then on."""
        self._camera = camera
        camera.report_to(self)

    def prepare_for_acquisition(self) -> None:
        """The camera's: open the automatic shutter, and wait until it is open."""
        shutter = self.getShutterDevice()
        if shutter and self.getAutoShutter():
            self._opened = shutter
            self.setShutterOpen(shutter, True)
            self.waitForDevice(shutter)

    def acquisition_finished(self) -> None:
        """The camera's: close what was opened for it."""
        if self._opened:
            self.setShutterOpen(self._opened, False)
            self._opened = ""

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

    def getProperty(self, label: str, propName: str) -> str:
        value = super().getProperty(label, propName)
        return text(value) if label in self._pydevices else value

    def getPropertyFromCache(self, deviceLabel: str, propName: str) -> str:
        if deviceLabel in self._pydevices and (deviceLabel, propName) not in self._state_cache:
            return self.getProperty(deviceLabel, propName)
        return text(super().getPropertyFromCache(deviceLabel, propName))

    def _remember(self, device: str, prop: str, value: str) -> None:
        if device in self._pydevices:
            self._state_cache[(device, prop)] = value

    def waitForDevice(self, label: str) -> None:
        if label in self._pydevices:
            self._pydevices.wait_for(label, self.getTimeoutMs(), POLL_S)
        else:
            super().waitForDevice(label)

    def setXYPosition(self, *args: Any) -> None:
        super().setXYPosition(*args)
        self._last_xy_position[args[0] if len(args) == 3 else None] = tuple(args[-2:])

    def setSLMImage(self, *args: Any) -> None:
        label = args[0] if len(args) == 2 else self.getSLMDevice()
        slm = self._py_slm(label)
        if slm is not None and np.shape(args[-1]) != slm.shape():
            raise wrong_size(np.shape(args[-1]), slm.shape())
        super().setSLMImage(*args)

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

    def getCameraChannelName(self, channelNr: int) -> str:
        return self.getCameraDevice() if self._py_camera() is not None else super().getCameraChannelName(channelNr)

    def getCurrentPixelSizeConfig(self, cached: bool = False) -> Any:
        """The first pixel-size configuration whose settings all hold; empty for none."""
        get = self.getPropertyFromCache if cached else self.getProperty
        for name in self.getAvailablePixelSizeConfigs():
            settings = self.getPixelSizeConfigData(name)
            if all(text(get(device, prop)) == value for device, prop, value in settings):
                return str(name)
        return ""

    def getPixelSizeUm(self, cached: bool = False) -> float:
        """Side of a pixel of the image in the sample, binning included, in um; 0 when no configuration holds."""
        name = self.getCurrentPixelSizeConfig(cached)
        return self.getPixelSizeUmByID(name) * self._binning() if name else 0.0

    def getPixelSizeAffine(self, cached: bool = False) -> Any:
        """Pixels to um of the stage, as (xx, xy, x, yx, yy, y); zeros when no configuration holds."""
        name = self.getCurrentPixelSizeConfig(cached)
        by = self._binning()
        return tuple(value * by for value in self.getPixelSizeAffineByID(name)) if name else (0.0,) * 6

    def _binning(self) -> float:
        camera = self._py_camera()
        return float(camera.get_property_value(Keyword.Binning)) if camera else 1.0

    def _do_snap_image(self) -> None:
        self._check_at_rest(self.getCameraDevice(), "a snap")
        super()._do_snap_image()
        if self._camera is not None:
            self._camera.check()

    def _do_start_sequence_acquisition(
        self, cameraLabel: str, numImages: int, intervalMs: float, stopOnOverflow: bool
    ) -> None:
        self._pace(cameraLabel, intervalMs)
        super()._do_start_sequence_acquisition(cameraLabel, numImages, intervalMs, stopOnOverflow)

    def _do_start_continuous_sequence_acquisition(self, intervalMs: float = 0) -> None:
        self._pace(self.getCameraDevice(), intervalMs)
        super()._do_start_continuous_sequence_acquisition(intervalMs)

    def _do_stop_sequence_acquisition(self, cameraLabel: str) -> None:
        camera = self._py_camera(cameraLabel)
        if isinstance(camera, Camera):
            camera.stop()
        super()._do_stop_sequence_acquisition(cameraLabel)

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


def _deaf(core: ref[SpecimenCore]) -> None:
    """At exit: the core's own thread still calls back into Python then, which ends the process with an abort."""
    if (alive := core()) is not None:
        CMMCore.registerCallback(alive, None)
