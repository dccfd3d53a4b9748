"""The SLM as a device: an image of light."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pymmcore_plus.experimental.unicore import SLMDevice

from ._bench import Bench
from ._device import OnBench
from ._errors import DeviceError
from ._projector import FULL, mirrors_of, projected

Array = npt.NDArray[Any]


class Slm(OnBench, SLMDevice):
    """A micromirror array in the light path: uint8, 0 dark to 255 full light, from `displaySLMImage` on.

    Before its first image all mirrors are on. With an exposure it goes dark that many milliseconds after the image was
    displayed; 0: it stays. It takes no sequences: pymmcore-plus 0.18 would load one and never start it. `Alignment` is
    the affine map from the camera's full image at the objective in use to mirrors, as a calibration would find it: six
    numbers a b c d e f with column = a x + b y + c, row = d x + e y + f.
    """

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.mounted(bench)
        self._image: Array = np.full(self.shape(), FULL, np.uint8)
        self._exposure_ms = 0.0
        self.register_property("Alignment", property_type=str, is_read_only=True, getter=type(self)._alignment)

    @classmethod
    def name(cls) -> str:
        """That of Micro-Manager's own device of 8 bit: by it acquisition engines know which value means on (255)."""
        return "GenericSLM"

    def shape(self) -> tuple[int, ...]:
        return self.bench.hardware.slm.shape

    def dtype(self) -> npt.DTypeLike:
        return np.uint8

    def set_image(self, pixels: Array) -> None:
        self._image = grey(pixels, self.shape()).copy()

    def get_image(self) -> Array:
        return self._image.copy()

    def display_image(self) -> None:
        for_s = self._exposure_ms / 1e3 if self._exposure_ms > 0 else None
        self.bench.project(self.get_label(), self._image, for_s)

    def set_exposure(self, interval_ms: float) -> None:
        if not 0 <= interval_ms < float("inf"):
            raise DeviceError(
                f"found an SLM exposure of {interval_ms:g} ms, expected a finite one of at least 0: give "
                "milliseconds, 0 for light without an end"
            )
        self._exposure_ms = float(interval_ms)
        self.announce("SLMExposureChanged", float(interval_ms))

    def get_exposure(self) -> float:
        return self._exposure_ms

    def _alignment(self) -> str:
        hardware, objective = self.bench.hardware, self.bench.objective
        shape = hardware.camera.shape
        here = projected(hardware.slm, self._image, objective)
        alignment = mirrors_of(here, shape, hardware.pixel_um(objective), (0.0, 0.0))
        return " ".join(f"{value:.8g}" for value in alignment.ravel())


def grey(image: object, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """An image for the array: whole numbers from 0 to 255, or truths (on is 255). Raises DeviceError for others."""
    pixels = np.asarray(image)
    if pixels.shape != shape:
        raise DeviceError(
            f"found an SLM image of {' x '.join(map(str, pixels.shape)) or 'no'} pixels, expected "
            f"{' x '.join(map(str, shape))}: give one value per mirror, rows first"
        )
    if pixels.dtype == bool:
        return np.where(pixels, np.uint8(FULL), np.uint8(0))
    if pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > FULL:
        raise DeviceError(
            f"found an SLM image of {pixels.dtype} from {pixels.min():g} to {pixels.max():g}, expected whole numbers "
            f"from 0 to {FULL}: scale it, and convert it to uint8"
        )
    return pixels.astype(np.uint8, copy=False)
