"""One camera of a core: what it is set to give, and its exposure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from onscope.runtime import FrameSpec, SourceError

from ._core import CORE_ERRORS, Core, one_line

EXPOSURE_TOLERANCE = 0.1
"""Cameras round to their line time, which is welcome; out of range some ignore the value without a word."""
KINDS = {(1, 1): ("uint8", "yx"), (2, 1): ("uint16", "yx"), (4, 1): ("float32", "yx")}
KINDS |= {(4, 4): ("uint8", "yxs"), (8, 4): ("uint16", "yxs")}
"""dtype and axes by the core's (bytes per pixel, components)."""


@dataclass(eq=False)
class Camera:
    """A camera as a live source wants it; `exposure_ms` in milliseconds, `pixel_size_um` None: as the core knows it."""

    core: Core
    label: str
    exposure_ms: float
    pixel_size_um: float | None = None

    def choose(self) -> None:
        """Make it the core's camera, which is the one that the core answers for; see `kept_camera`."""
        if self.core.get_camera_device() != self.label:
            self.core.set_camera_device(self.label)

    def spec(self) -> FrameSpec:
        """What it is set to give now. Raises SourceError when it refuses, or gives pixels of no known type."""
        core = self.core
        try:
            self.choose()
            kind = (int(core.get_bytes_per_pixel()), int(core.get_number_of_components()))
            if kind not in KINDS:
                raise SourceError(
                    f"found pixels of {kind[0]} bytes in {kind[1]} components from {self.label}, expected 8 or 16 bit "
                    "grey, 32-bit float, RGB32 or RGB64: set the camera's PixelType"
                )
            dtype, axes = KINDS[kind]
            shape = (int(core.get_image_height()), int(core.get_image_width()))
            size = self.pixel_size_um or float(core.get_pixel_size_um())
            return FrameSpec(
                shape=shape if axes == "yx" else (*shape, 3),
                dtype=dtype,
                axes=axes,
                camera=self.label,
                pixel_size_um=size if size > 0 else None,
                bit_depth=int(core.get_image_bit_depth()),
            )
        except CORE_ERRORS as error:
            raise refused(self.label, error) from error

    def channels(self) -> int:
        """How many cameras it stands for: more than one in Micro-Manager's Multi Camera."""
        with kept_camera(self.core):
            self.choose()
            return int(self.core.get_number_of_camera_channels())

    def describe(self) -> dict[str, Any]:
        """What it is, as plain values; what the core does not tell is left out."""
        told: dict[str, Any] = {"camera": self.label, "exposure_ms": self.exposure_ms}
        with suppress(AttributeError, *CORE_ERRORS):
            told["device"] = str(self.core.get_device_name(self.label))
            told["adapter"] = str(self.core.get_device_library(self.label))
        return told

    def expose(self) -> float:
        """Set `exposure_ms`; the milliseconds that the camera really took.

        Raises SourceError when they are not within a tenth of what was asked for.
        """
        self.choose()
        self.core.set_exposure(float(self.exposure_ms))
        taken_ms = float(self.core.get_exposure())
        if abs(taken_ms - self.exposure_ms) > EXPOSURE_TOLERANCE * self.exposure_ms:
            raise SourceError(
                f"found that {self.label} exposes for {taken_ms:g} ms, expected the {self.exposure_ms:g} ms "
                "asked for: choose an exposure in the camera's range"
            )
        return taken_ms


def check_exposure(exposure_ms: float) -> float:
    """`exposure_ms` as a float, when it is finite and above 0."""
    if not 0 < exposure_ms < math.inf:
        raise SourceError(f"found an exposure of {exposure_ms} ms, expected a finite one above 0: give milliseconds")
    return float(exposure_ms)


def change_exposure(core: Core, label: str, cameras: Sequence[Camera], exposure_ms: float) -> None:
    """Have the camera `label` expose for so many milliseconds, and all `cameras` (of that label) ask for it later.

    Raises SourceError, and leaves all as it was, when it does not take it.
    """
    trial = Camera(core, label, exposure_ms)
    with kept_camera(core):
        trial.choose()
        old_ms = float(core.get_exposure())
        try:
            trial.expose()
        except (SourceError, *CORE_ERRORS):
            core.set_exposure(old_ms)
            raise
    for camera in cameras:
        camera.exposure_ms = exposure_ms


@contextmanager
def kept_camera(core: Core) -> Iterator[None]:
    """Whatever is chosen meanwhile, the core's camera is the one that it was: others see it too, and count on it."""
    before = core.get_camera_device()
    try:
        yield
    finally:
        choose_again(core, before)


def choose_again(core: Core, before: str) -> None:
    """Make `before` the core's camera again, where there was one. Raises SourceError when the core refuses."""
    try:
        if before and core.get_camera_device() != before:
            core.set_camera_device(before)
    except CORE_ERRORS as error:
        raise refused(before, error) from error


def check_at_rest(core: Core, labels: Iterable[str], *, others: bool) -> None:
    """Raise SourceError for cameras that run a sequence; `others`: one of this scope's runs, on whichever."""
    for label in labels:
        if others or core.is_sequence_running(label):
            raise SourceError(
                f"found {label} already running a sequence, expected it at rest: close the other frames() "
                "generator, or stop the live view, first"
            )


def refused(label: str, error: Exception) -> SourceError:
    """The SourceError for what the core said of a camera."""
    return SourceError(
        f"found that Micro-Manager refused {label} ({one_line(error)}), expected a camera ready to run: see "
        "what the message says"
    )
