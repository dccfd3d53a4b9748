"""A microscope behind a Micro-Manager core: what one holds inside the `with` block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakSet

from onscope.runtime import SourceError

from ._camera import Camera, change_exposure, check_exposure
from ._changes import Changes
from ._core import CORE_ERRORS, Core, check_buffer, one_line
from ._live import LiveSource, ManyLiveSource
from ._sequence import OnFull

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
        self._changes = Changes()
        self._cameras: WeakSet[Camera] = WeakSet()
        self._stage_um = self._read_stage()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End: sequences stop, and a core of our own is unloaded. A second call does nothing."""
        if not self._closed.is_set():
            self._changes.close()
            self._closed.set()
            if self._stop is not None:
                self._stop()

    def live(
        self,
        exposure_ms: float = 10.0,
        camera: str | None = None,
        buffer_mb: int | None = None,
        pixel_size_um: float | None = None,
        on_full: OnFull = "stop",
    ) -> LiveSource:
        """The camera's frames as they come, as a Source.

        `exposure_ms` in milliseconds; `camera` is a device label (None: the core's camera); `buffer_mb` the size of
        Micro-Manager's buffer in megabytes (None: as it is); `pixel_size_um` the pixel's size in the sample where the
        core does not know it. All are set when the sequence starts. `received_ns` of the frames is the core's receipt.
        `on_full` says what happens when frames are taken so slowly that the buffer fills: "stop" ends the sequence in
        order, with all its frames given; "overwrite" loses the oldest, for live views where that is fine.
        `set_roi`, `clear_roi`, `set_binning`, `set_exposure` and `set` may be called while it runs.
        Raises SourceError when there is no such camera.
        """
        label = self._label(camera)
        source = LiveSource(**self._source([label], {label: exposure_ms}, buffer_mb, pixel_size_um, on_full))
        source.spec()
        if (channels := self._do(source.cameras[0].channels)) > 1:
            raise SourceError(
                f"found {channels} cameras in {label}, expected one: take them with live_all(), or say live(camera=...)"
            )
        return source

    def live_all(
        self,
        exposure_ms: float | Mapping[str, float] = 10.0,
        cameras: Sequence[str] | None = None,
        buffer_mb: int | None = None,
        pixel_size_um: float | None = None,
        on_full: OnFull = "stop",
    ) -> ManyLiveSource:
        """The frames of several cameras at once, as a ManyCameras source; each has segments and numbers of its own.

        `cameras` are device labels (None: those of the core's camera, when that is Micro-Manager's Multi Camera);
        `exposure_ms` is one for all, or one for each by label; the others as in `live`. The cameras run freely, each
        at its own pace. Raises SourceError when there are no such cameras, or when their images differ in size or
        type: they share one buffer.
        """
        labels = list(dict.fromkeys(cameras if cameras is not None else self._channels()))
        if not labels:
            raise SourceError("found no cameras to take, expected at least one: name them in live_all(cameras=[...])")
        times = exposure_ms if isinstance(exposure_ms, Mapping) else dict.fromkeys(labels, exposure_ms)
        if set(times) != set(labels):
            raise SourceError(
                f"found exposures for {', '.join(times)}, expected one for each of {', '.join(labels)}: name them all"
            )
        source = ManyLiveSource(**self._source(labels, times, buffer_mb, pixel_size_um, on_full))
        kinds = {(spec.shape, spec.dtype) for spec in source.specs()}
        if len(kinds) > 1:
            raise SourceError(
                f"found images of {' and '.join(sorted(map(str, kinds)))}, expected one size and type of all cameras, "
                "which share Micro-Manager's buffer: set their ROI, binning and PixelType alike"
            )
        return source

    def _channels(self) -> list[str]:
        core = self.core
        self._label(None)
        count = int(self._do(core.get_number_of_camera_channels))
        return [str(core.get_camera_channel_name(i)) for i in range(count)] if count > 1 else [self._label(None)]

    def _label(self, camera: str | None) -> str:
        if self._closed.is_set():
            raise SourceError("found the scope closed, expected an open one: stay inside its `with` block")
        label = camera or str(self._do(self.core.get_camera_device))
        if not label:
            raise SourceError(
                "found no camera in this configuration, expected one: add the line Property,Core,Camera,NAME to the "
                ".cfg file, or say live(camera=...)"
            )
        return label

    def _source(
        self,
        labels: Sequence[str],
        exposures_ms: Mapping[str, float],
        buffer_mb: int | None,
        pixel_size_um: float | None,
        on_full: OnFull,
    ) -> dict[str, Any]:
        if on_full not in ("stop", "overwrite"):
            raise SourceError(f"found on_full={on_full!r}, expected 'stop' or 'overwrite': choose one")
        if buffer_mb is not None:
            check_buffer(buffer_mb)
        cameras = [Camera(self.core, label, check_exposure(exposures_ms[label]), pixel_size_um) for label in labels]
        self._cameras.update(cameras)
        return {
            "core": self.core,
            "cameras": cameras,
            "changes": self._changes,
            "buffer_mb": buffer_mb,
            "on_full": on_full,
            "where_um": lambda: self._stage_um,
            "is_open": lambda: not self._closed.is_set(),
        }

    def set_roi(self, x: int, y: int, width: int, height: int) -> None:
        """Read out only this part of the core's camera, in pixels. A running sequence opens a new segment.

        This holds for all commands here that change a camera: the camera is stopped, the frames that it gave before
        still come, the change is made, and it starts again when frames() is asked for the next one. They may be called
        from any thread, also from the one that takes the frames.
        """
        if min(x, y) < 0 or min(width, height) < 1:
            raise SourceError(
                f"found a ROI of {width}x{height} at ({x}, {y}), expected at least 1x1 inside the camera: give x, y, "
                "width, height in pixels"
            )
        self._change(lambda: self.core.set_roi(int(x), int(y), int(width), int(height)))

    def clear_roi(self) -> None:
        """Read out the whole camera again, as `set_roi` does a part."""
        self._change(self.core.clear_roi)

    def set_binning(self, binning: int, camera: str | None = None) -> None:
        """Add up `binning` x `binning` pixels on the camera. Raises SourceError when the camera does not know it."""
        label = self._label(camera)
        known = [str(value) for value in self._do(lambda: self.core.get_allowed_property_values(label, "Binning"))]
        values = [value for value in known if value.lower().split("x")[0].strip() == str(int(binning))]
        if known and not values:
            raise SourceError(f"found a binning of {binning}, expected one of {', '.join(known)}: choose one")
        self.set(label, "Binning", values[0] if values else str(int(binning)))

    def set_exposure(self, exposure_ms: float, camera: str | None = None) -> None:
        """Expose for so many milliseconds from now on, also in the sources made before.

        Raises SourceError, and leaves all as it was, when the camera does not take it.
        """
        label, asked = self._label(camera), check_exposure(exposure_ms)
        mine = [one for one in self._cameras if one.label == label]
        self._change(lambda: change_exposure(self.core, label, mine, asked), label)

    def set(self, device: str, name: str, value: str | int | float) -> None:
        """Set a device property, as in Micro-Manager's property browser. Raises SourceError when it is refused.

        One of a running camera opens a new segment, as `set_roi` does; other devices leave it running.
        """
        self._change(lambda: self.core.set_property(device, name, value), device)

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

    def _change(self, command: Callable[[], Answer], device: str | None = None) -> Answer:
        return self._do(lambda: self._changes.make(command, device))

    def _do(self, command: Callable[[], Answer]) -> Answer:
        try:
            return command()
        except CORE_ERRORS as error:
            raise SourceError(
                f"found that Micro-Manager refused a command ({one_line(error)}), expected one that fits the hardware: "
                "see what the message says"
            ) from error
