"""A microscope behind a Micro-Manager core: what one holds inside the `with` block."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TypeVar

from onscope.runtime import SourceError

from ._config import check_config
from ._core import CORE_ERRORS, Core, check_buffer, installed_adapter_paths, one_line, start_core, stop_core
from ._live import LiveSource

BUFFER_MB = 256
Answer = TypeVar("Answer")


class Scope:
    """A context manager around a running Micro-Manager core; `.core` is that core, as `pycromanager.Core()` gives it.

    `open` and `demo` make one that stops its core at the end; `Scope(pycromanager.Core())` wraps a core that is
    someone else's and leaves it running. Not more than one thread at a time should change the hardware.
    """

    def __init__(self, core: Core, stop: Callable[[], None] | None = None) -> None:
        self.core = core
        self._stop = stop
        self._closed = Event()
        self._stage_um = self._read_stage()

    def __enter__(self) -> Scope:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End: sequences stop, and a core of our own is unloaded. A second call does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            if self._stop is not None:
                self._stop()

    def live(
        self,
        exposure_ms: float = 10.0,
        camera: str | None = None,
        buffer_mb: int | None = None,
        pixel_size_um: float | None = None,
    ) -> LiveSource:
        """The camera's frames as they come, as a Source.

        `exposure_ms` in milliseconds; `camera` is a device label (None: the core's camera); `buffer_mb` the size of
        Micro-Manager's buffer in megabytes (None: as it is); `pixel_size_um` the pixel's size in the sample where the
        core does not know it. All are set when the sequence starts. `received_ns` of the frames is the core's receipt.
        Raises SourceError when there is no such camera.
        """
        if self._closed.is_set():
            raise SourceError("found the scope closed, expected an open one: stay inside its `with` block")
        label = camera or self.core.get_camera_device()
        if not label:
            raise SourceError(
                "found no camera in this configuration, expected one: add the line Property,Core,Camera,NAME to the "
                ".cfg file, or say live(camera=...)"
            )
        if not 0 < exposure_ms < math.inf:
            raise SourceError(
                f"found an exposure of {exposure_ms} ms, expected a finite one above 0: give milliseconds"
            )
        if buffer_mb is not None:
            check_buffer(buffer_mb)
        source = LiveSource(
            self.core,
            label,
            float(exposure_ms),
            buffer_mb,
            pixel_size_um,
            where_um=lambda: self._stage_um,
            is_open=lambda: not self._closed.is_set(),
        )
        source.spec()
        return source

    def set_roi(self, x: int, y: int, width: int, height: int) -> None:
        """Read out only this part of the camera, in pixels. Stops a running sequence: its frames() says so."""
        if min(x, y) < 0 or min(width, height) < 1:
            raise SourceError(
                f"found a ROI of {width}x{height} at ({x}, {y}), expected at least 1x1 inside the camera: give x, y, "
                "width, height in pixels"
            )
        self._do(lambda: self.core.set_roi(int(x), int(y), int(width), int(height)))

    def clear_roi(self) -> None:
        """Read out the whole camera again. Stops a running sequence as `set_roi` does."""
        self._do(self.core.clear_roi)

    def set(self, device: str, name: str, value: str | int | float) -> None:
        """Set a device property, as in Micro-Manager's property browser. Raises SourceError when it is refused."""
        self._do(lambda: self.core.set_property(device, name, value))

    @property
    def stage_um(self) -> tuple[float, float, float] | None:
        """Stage position (x, y, z) in micrometres as last read or commanded here; None without an XY stage.

        Read from the devices at the start and after `read_stage()`, and carried on by `move_xy`: asking a stage over
        a serial line for every frame would stall the camera's thread.
        """
        return self._stage_um

    def read_stage(self) -> tuple[float, float, float] | None:
        """Ask the devices where they are, and remember it."""
        self._stage_um = self._read_stage()
        return self._stage_um

    def move_xy(self, dx_um: float, dy_um: float) -> None:
        """Move the XY stage by this many micrometres from where it is; returns when the command is sent."""
        self._do(lambda: self.core.set_relative_xy_position(float(dx_um), float(dy_um)))
        if self._stage_um is not None:
            x, y, z = self._stage_um
            self._stage_um = (x + dx_um, y + dy_um, z)

    def is_moving(self) -> bool:
        """Whether the XY stage is still on its way. A relative move would count from wherever it is by then."""
        return self._do(lambda: self.core.device_busy(self.core.get_xy_stage_device()))

    def wait_stage(self) -> None:
        """Return when the XY stage has arrived. Raises SourceError when it does not within the core's time-out."""
        self._do(lambda: self.core.wait_for_device(self.core.get_xy_stage_device()))

    def _read_stage(self) -> tuple[float, float, float] | None:
        core = self.core
        try:
            if not core.get_xy_stage_device():
                return None
            z = float(core.get_position()) if core.get_focus_device() else 0.0
            return float(core.get_x_position()), float(core.get_y_position()), z
        except CORE_ERRORS as error:
            raise SourceError(
                f"found a stage that does not tell its position ({one_line(error)}), expected one: see what it says"
            ) from error

    def _do(self, command: Callable[[], Answer]) -> Answer:
        try:
            return command()
        except CORE_ERRORS as error:
            raise SourceError(
                f"found that Micro-Manager refused a command ({one_line(error)}), expected one that fits the hardware: "
                "see what the message says"
            ) from error


def open_scope(
    cfg: str | os.PathLike[str], adapter_paths: Sequence[str] | None = None, *, buffer_mb: int = BUFFER_MB
) -> Scope:
    """Start a Micro-Manager core in this process with a hardware configuration; a context manager that ends it.

    `cfg` is the path of a .cfg file; `adapter_paths` are folders with device adapters, such as Micro-Manager's own
    (None: the installed Micro-Managers in their usual places or in $MICROMANAGER_PATH, as pymmcore-plus finds them,
    then the demo devices of the wheel mm-test-adapters); `buffer_mb` is the core's image buffer in megabytes.
    Raises SourceError, naming file and line, when the file is missing or wrong, or when a device cannot be loaded.
    """
    path = Path(cfg).expanduser().absolute()
    check_config(path)
    core = start_core(path, adapter_paths or installed_adapter_paths(), buffer_mb)
    try:
        return Scope(core, stop=stop_core)
    except BaseException:
        stop_core()
        raise
