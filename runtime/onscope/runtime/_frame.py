"""Frames and what is known of them before they come: the frozen values that drivers hand to the runtime."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ._clock import ClockPair, now_ns
from ._errors import FrameMismatchError

Pixels = npt.NDArray[Any]
NOWHERE: Mapping[str, int] = MappingProxyType({})
UNNAMED: Mapping[str, str] = MappingProxyType({})
DTYPES = ("uint8", "uint16", "float32")
"""Pixel types that frames may have; the first two are camera counts, the third is what float cameras give."""


def new_run_id() -> str:
    """A short random name for one run of an acquisition."""
    return uuid.uuid4().hex[:8]


class FrameId(NamedTuple):
    """Who a frame is. `seq` is the camera's own counter: it starts at 0 in every segment, and a jump is a loss."""

    run: str
    camera: str
    segment: int
    seq: int

    def __str__(self) -> str:
        return f"{self.run}/{self.camera}/{self.segment}/{self.seq}"


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """What every frame of a segment looks like; known before the first one, so that all is prepared before it.

    `shape` is (y, x) or (y, x, 3) in pixels, `dtype` a name out of `DTYPES`, `axes` "yx" or "yxs" (s: R, G, B),
    `pixel_size_um` the size of a pixel in the sample in micrometres (None: unknown), `bit_depth` the effective one.
    """

    shape: tuple[int, ...]
    dtype: str = "uint16"
    axes: str = "yx"
    camera: str = "camera"
    pixel_size_um: float | None = None
    bit_depth: int = 16

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))  # NumPy's integers do not travel
        if self.axes not in ("yx", "yxs"):
            raise FrameMismatchError(f"found frame axes {self.axes!r}, expected 'yx' or 'yxs': name them in this order")
        if len(self.shape) != len(self.axes) or min(self.shape) < 1 or (self.axes == "yxs" and self.shape[2] != 3):
            raise FrameMismatchError(
                f"found a frame shape of {self.shape} for the axes {self.axes!r}, expected one size of at least 1 per "
                "axis and 3 samples per RGB pixel: give the shape as (y, x) or (y, x, 3)"
            )
        if self.dtype not in DTYPES:
            raise FrameMismatchError(
                f"found frames of {self.dtype}, expected one of {', '.join(DTYPES)}: convert them in the driver"
            )

    @property
    def nbytes(self) -> int:
        """Bytes of one frame's pixels."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize  # asked for with each frame: np.prod takes 20 us

    def check(self, pixels: Pixels) -> None:
        """Raise FrameMismatchError unless `pixels` has this spec's shape and dtype."""
        if pixels.shape != self.shape or pixels.dtype != self.dtype:
            raise FrameMismatchError(
                f"found a frame of {'x'.join(map(str, pixels.shape))} {pixels.dtype} from {self.camera}, expected "
                f"{'x'.join(map(str, self.shape))} {self.dtype} as prepared: open a new segment when the ROI, binning "
                "or pixel type changes"
            )


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames of one unbroken sequence with one FrameSpec, and the moment it began on both clocks.

    `exposure_ms` is that of its first frame in milliseconds; None: unknown.
    """

    run: str
    index: int
    spec: FrameSpec
    exposure_ms: float | None = None
    began: ClockPair = field(default_factory=ClockPair.take)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One camera exposure.

    `pixels` has the axes named by `axes`; `index` is the acquisition position as in useq (t, p, c, z, ...), `labels`
    the names of those positions that have one ({"c": "DAPI"});
    `received_ns` is the moment the core had it, on the one monotonic clock; `exposure_end_ns` where the device tells
    it; `pixel_size_um`, `stage_um` (x, y, z) in micrometres, `exposure_ms` in milliseconds; None: unknown.
    """

    id: FrameId
    pixels: Pixels
    axes: str = "yx"
    index: Mapping[str, int] = field(default_factory=lambda: NOWHERE)
    received_ns: int = field(default_factory=now_ns)
    exposure_end_ns: int | None = None
    pixel_size_um: float | None = None
    exposure_ms: float | None = None
    stage_um: tuple[float, float, float] | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: UNNAMED)


def spec_of(frame: Frame) -> FrameSpec:
    """What a frame says of those that follow it."""
    pixels = frame.pixels
    return FrameSpec(
        shape=pixels.shape,
        dtype=pixels.dtype.name,
        axes=frame.axes,
        camera=frame.id.camera,
        pixel_size_um=frame.pixel_size_um,
        bit_depth=pixels.dtype.itemsize * 8,
    )


@runtime_checkable
class Source(Protocol):
    """A driver's first face: frames out.

    Conventions that the runtime relies on (and the conformance suite of the tests checks): `spec()` may be called at
    any time and is cheap; `frames(n)` yields n frames (None: until the source ends or is closed) and is called from
    one thread at a time, not always the one that made the source; a generator that is closed stops the camera; a
    frame's pixels belong to the caller once it is yielded; a camera that stops by itself raises SourceError. When
    ROI, binning, exposure or pixel type change, `id.segment` rises by one and `id.seq` starts at 0 again.
    """

    def spec(self) -> FrameSpec:
        """What the next frames will look like."""
        ...

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        """Yield `n` frames, or all there are."""
        ...


@runtime_checkable
class ManyCameras(Source, Protocol):
    """A source of several cameras' frames, which come in the order of their receipt."""

    def specs(self) -> Sequence[FrameSpec]:
        """What the next frames of each camera will look like; `spec()` is the first of them."""
        ...


def specs_of(source: Source) -> Sequence[FrameSpec]:
    """The FrameSpec of each camera of a source."""
    return source.specs() if isinstance(source, ManyCameras) else [source.spec()]
