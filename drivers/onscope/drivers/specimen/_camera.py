"""The camera as a device: exposures on a grid of time, read out of a scene."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pymmcore_plus.core import Keyword
from pymmcore_plus.experimental.unicore import CameraDevice

from ._bench import Bench
from ._device import OnBench, text
from ._errors import DeviceError
from ._grid import Grid
from ._scene import Foreseeing, Readout, Shot

Array = npt.NDArray[Any]
GetBuffer = Callable[[Sequence[int], npt.DTypeLike], Array]
PIXEL_TYPES = {"8bit": 8, "12bit": 12, "16bit": 16}
"""`PixelType` and its depth in bits: the names of Micro-Manager's demo camera."""


class Listener(Protocol):
    """What a camera tells its core."""

    def prepare_for_acquisition(self) -> None:
        """Called in the exposing thread before the first exposure: the automatic shutter opens."""

    def acquisition_finished(self) -> None:
        """Called once after the last exposure, from whichever thread ended it: the shutter closes."""


class Camera(OnBench, CameraDevice):
    """Rolling-shutter sCMOS camera that looks at the bench's scene.

    Frames come one exposure apart, as fast as the lines can be read, or at the interval of a paced sequence: on the
    grid of the clock, whatever computing takes. What is computed too slowly comes late; the camera catches up, and
    where it cannot, exposures are left out and counted in `SkippedExposures`.
    ROI and binning are in the units of the image, as Micro-Manager has them; a new binning reads the whole sensor.
    """

    def __init__(self, bench: Bench) -> None:
        model = bench.hardware.camera
        self._model = model
        self._readout = Readout(0, 0, model.shape[1], model.shape[0], chip=model.shape)
        self._exposure_ms = 10.0
        self._interval_s = 0.0
        self._grid = Grid(bench.clock, 0.0)
        self._stop = threading.Event()
        self._running = threading.Lock()
        self._listener: Listener | None = None
        self._shot: Shot | None = None
        self._fault: Exception | None = None
        super().__init__()
        self.mounted(bench)
        self.set_property_allowed_values(Keyword.Binning, model.binnings)
        self.set_property_limits(Keyword.Exposure, model.exposure_ms)
        cls = type(self)
        self.register_property(
            Keyword.PixelType.value,
            property_type=str,
            allowed_values=[name for name, bits in PIXEL_TYPES.items() if bits in model.bit_depths],
            getter=cls.get_pixel_type,
            setter=cls.set_pixel_type,
        )
        self.register_property("BitDepth", property_type=int, is_read_only=True, getter=cls.get_bit_depth)
        self.register_property(
            "SkippedExposures", property_type=int, is_read_only=True, getter=lambda _: self._grid.skipped
        )

    def report_to(self, listener: Listener) -> None:
        """Called by the core that the camera is mounted in."""
        self._listener = listener

    @property
    def shot(self) -> Shot | None:
        """The last exposure, as the bench stood; None before the first."""
        return self._shot

    def tags(self) -> dict[str, str]:
        """What is written beside the last image; empty before the first exposure."""
        return {} if self._shot is None else _tags(self._shot)

    @property
    def running(self) -> bool:
        """Whether it exposes."""
        return self._running.locked()

    def check(self) -> None:
        """Called by the core after an exposure and while a sequence runs. Raises DeviceError when the scene failed."""
        error, self._fault = self._fault, None
        if error is not None:
            raise DeviceError(
                f"found that the scene before {self.get_label()} failed ({error}), expected a picture: see what it says"
            ) from error

    def get_camera_name(self) -> str:
        return self._model.name

    def get_exposure(self) -> float:
        return self._exposure_ms

    def set_exposure(self, exposure: float) -> None:
        """In milliseconds; a running sequence goes on with it from its next frame on."""
        low, high = self._model.exposure_ms
        if not low <= exposure <= high:
            told = f"found an exposure of {exposure:g} ms for {self.get_label()}, expected {low:g} to {high:g}"
            raise DeviceError(f"{told}: choose one in the camera's range")
        self._exposure_ms = float(exposure)
        self.announce("exposureChanged", float(exposure))

    def get_binning(self) -> int:
        return self._readout.binning

    def set_binning(self, value: int) -> None:
        self._at_rest("its binning")
        rows, columns = self._model.shape
        self._readout = replace(self._readout, x=0, y=0, width=columns, height=rows, binning=value)

    def get_pixel_type(self) -> str:
        return next(name for name, bits in PIXEL_TYPES.items() if bits == self._readout.bit_depth)

    def set_pixel_type(self, value: str) -> None:
        self._at_rest("its pixel type")
        self._readout = replace(self._readout, bit_depth=PIXEL_TYPES[value])

    def get_bit_depth(self) -> int:
        return self._readout.bit_depth

    def get_readout_time(self) -> float:
        """In milliseconds: the lines that are read, one after the other."""
        return self._readout.height * self._model.line_s * 1e3

    def get_actual_interval_ms(self) -> float:
        return self._grid.interval_s * 1e3

    def shape(self) -> tuple[int, int]:
        return self._readout.shape

    def dtype(self) -> npt.DTypeLike:
        return self._readout.dtype

    def get_roi(self) -> tuple[int, int, int, int]:
        here, by = self._readout, self._readout.binning
        return here.x // by, here.y // by, here.width // by, here.height // by

    def set_roi(self, x: int, y: int, width: int, height: int) -> None:
        self._at_rest("its ROI")
        by = self._readout.binning
        rows, columns = (side // by for side in self._model.shape)
        if min(x, y) < 0 or min(width, height) < 1 or x + width > columns or y + height > rows:
            raise DeviceError(
                f"found a ROI of {width} x {height} pixels at column {x} and row {y} for {self.get_label()}, expected "
                f"one inside of its {columns} x {rows}: give x, y, width, height in pixels of the image"
            )
        self._readout = replace(self._readout, x=x * by, y=y * by, width=width * by, height=height * by)

    def clear_roi(self) -> None:
        self._at_rest("its ROI")
        rows, columns = self._model.shape
        self._readout = replace(self._readout, x=0, y=0, width=columns, height=rows)

    def pace(self, interval_s: float) -> None:
        """The interval between the begins of exposures in the next sequences, in seconds; 0: as fast as it can."""
        if not 0 <= interval_s < math.inf:
            raise DeviceError(
                f"found an interval of {interval_s} s for {self.get_label()}, expected a finite one of at least 0: "
                "give 0 for the camera's own pace"
            )
        self._interval_s = interval_s

    def stop(self) -> None:
        """End the running sequence, also in the middle of an exposure; its frame is not given."""
        self._stop.set()

    def start_sequence(self, n: int | None, get_buffer: GetBuffer) -> Iterator[Mapping[str, str]]:
        """Called by the core for snaps (n = 1) and sequences; what it gives is run in the core's acquisition thread."""
        self._at_rest("an exposure")
        self._stop = threading.Event()
        return self._exposures(n, get_buffer, self._stop)

    def _exposures(self, n: int | None, get_buffer: GetBuffer, stop: threading.Event) -> Iterator[Mapping[str, str]]:
        bench, label, count = self.bench, self.get_label(), 0
        with self._running:
            self._tell_core(begins=True)
            try:
                self._grid = grid = Grid(bench.clock, self._period_s())
                while n is None or count < n:
                    begin_s = grid.next(self._period_s())
                    if not bench.clock.wait_until(begin_s, stop):
                        return
                    exposure_s, readout_s = self._exposure_ms / 1e3, self.get_readout_time() / 1e3
                    self._shot = shot = bench.shot(label, begin_s, exposure_s, self._readout)
                    buffer = get_buffer(shot.readout.shape, shot.readout.dtype)
                    try:
                        for lit in bench.owed():
                            bench.scene.illuminate(lit)
                        bench.scene.expose(shot, buffer)
                    except Exception as error:
                        self._fault = error
                        return
                    bench.trigger(begin_s + exposure_s)
                    if count + 1 == n:
                        bench.excuse(begin_s + exposure_s + readout_s)
                    elif isinstance(bench.scene, Foreseeing):
                        coming_s = grid.coming(self._period_s())
                        bench.scene.ahead(bench.coming(coming_s, self._exposure_ms / 1e3, self._readout))
                    if not bench.clock.wait_until(begin_s + exposure_s + readout_s, stop):
                        return
                    count += 1
                    if count == n:
                        break
                    yield _tags(shot)
            finally:
                self._tell_core(begins=False)
        yield _tags(shot)

    def _period_s(self) -> float:
        return max(self._exposure_ms / 1e3, self.get_readout_time() / 1e3, self._interval_s)

    def _tell_core(self, *, begins: bool) -> None:
        if self._listener is not None:
            self._listener.prepare_for_acquisition() if begins else self._listener.acquisition_finished()

    def _at_rest(self, wanted: str) -> None:
        if self.running:
            raise DeviceError(
                f"found {self.get_label()} exposing while {wanted} was asked for, expected it at rest: stop the "
                "sequence first"
            )


def _tags(shot: Shot) -> dict[str, str]:
    """What the camera writes beside an image: `Exposure-ms`, the sample's time, the stages in the exposure's middle."""
    y_um, x_um = np.round(shot.view.centre_um, 6)
    return {
        "Exposure-ms": text(shot.exposure_s * 1e3),
        "BitDepth": text(shot.readout.bit_depth),
        "SpecimenExposure": text(shot.number),
        "SpecimenTime-s": text(shot.time_s),
        "ViewX_um": text(float(x_um)),
        "ViewY_um": text(float(y_um)),
        "ViewZ_um": text(round(shot.z_um, 6)),
    }
