"""What a user has measured of a camera, and what it makes of a frame: in NumPy, slow and obvious."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import PipelineError

Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
MOST_HOT = 0.1
"""Largest share of hot pixels: with more, the map is another one, or turned round."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A camera's offset, gain and maps: (counts - dark) / response * electrons_per_count, hot pixels replaced.

    `offset` is in counts, of all pixels; `dark`, a map in counts, takes its place. `electrons_per_count` is the gain
    in photoelectrons (1: what comes out is counts above the offset). `response` is the relative sensitivity of each
    pixel, 1 on average. Where `hot` is True, a pixel is replaced by the median of its neighbours that are not.
    Maps are (y, x), or (y, x, 3) for RGB but for `hot`, all of one size: that of the frames. `bits` is the camera's
    effective bit depth. `sha256` is that of all of it. Raises PipelineError for values that cannot be.
    """

    offset: float = 0.0
    electrons_per_count: float = 1.0
    dark: Map | None = None
    response: Map | None = None
    hot: Mask | None = None
    bits: int | None = None
    sha256: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if not np.isfinite(self.offset) or not 0 < self.electrons_per_count < np.inf:
            raise PipelineError(
                f"found an offset of {self.offset} counts and {self.electrons_per_count} electrons per count, expected "
                "a number and one above 0: correct the calibration"
            )
        for name, dtype in (("dark", np.float32), ("response", np.float32), ("hot", np.bool_)):
            if (given := getattr(self, name)) is not None:
                held = np.array(given, dtype)  # a copy of its own: nothing that is written elsewhere reaches a graph
                held.flags.writeable = False
                object.__setattr__(self, name, held)
        self._check()
        sizes = {each.shape[:2] for each in self._maps()}
        if len(sizes) > 1:
            raise PipelineError(
                f"found maps of {' and '.join(map(_size, sorted(sizes)))} pixels in one calibration, expected one size"
            )
        object.__setattr__(self, "sha256", self._hash())

    @property
    def size(self) -> tuple[int, int] | None:
        """(y, x) of the maps in pixels; None: there are none, and any frame fits."""
        return next(((int(each.shape[0]), int(each.shape[1])) for each in self._maps()), None)

    @property
    def full_scale(self) -> int | None:
        """The largest count of the effective bit depth."""
        return None if self.bits is None else (1 << self.bits) - 1

    def cropped(self, y: int, x: int, height: int, width: int) -> Calibration:
        """The calibration of a ROI whose first pixel is (y, x) on the maps; the response keeps its scale."""
        size = self.size
        if size is None:
            return self
        if min(y, x) < 0 or min(height, width) < 1 or y + height > size[0] or x + width > size[1]:
            raise PipelineError(
                f"found a ROI of {height} x {width} pixels at (y {y}, x {x}), expected one inside the calibration's "
                f"{_size(size)}: correct the ROI"
            )
        part = (slice(y, y + height), slice(x, x + width))
        maps: dict[str, Any] = {
            name: None if (held := getattr(self, name)) is None else held[part] for name in ("dark", "response", "hot")
        }
        return replace(self, **maps)

    def check_fits(self, shape: tuple[int, ...]) -> None:
        """Raise PipelineError unless frames of this shape, (y, x) or (y, x, s), have the maps' size."""
        if self.size is not None and self.size != tuple(shape[:2]):
            raise PipelineError(
                f"found frames of {_size(shape)} pixels and a calibration of {_size(self.size)}, expected the same "
                "size: state the ROI (y, x, height, width) in the calibration, or measure it with this ROI and binning"
            )
        for held in (self.dark, self.response):
            if held is not None and held.ndim == 3 and tuple(shape[2:]) != held.shape[2:]:
                raise PipelineError(
                    "found a map for RGB pixels and frames without, expected a map of one value per pixel"
                )

    def _maps(self) -> list[npt.NDArray[Any]]:
        return [each for each in (self.dark, self.response, self.hot) if each is not None]

    def _check(self) -> None:
        for what, held in (("dark frame", self.dark), ("response", self.response), ("hot-pixel map", self.hot)):
            rgb = held is not None and held.ndim == 3 and held.shape[2] == 3 and what != "hot-pixel map"
            if held is not None and ((held.ndim != 2 and not rgb) or not held.size):
                raise PipelineError(
                    f"found a {what} with the axes {held.shape}, expected (y, x): average a stack of frames first"
                )
        if self.dark is not None and not np.all(np.isfinite(self.dark)):
            raise PipelineError("found a dark frame with numbers that are none, expected counts: measure it again")
        if self.response is not None and not np.all((self.response > 0) & np.isfinite(self.response)):
            raise PipelineError(
                "found a flat field with pixels that do not answer to light, expected all above the dark frame: "
                "mark them in the hot-pixel map, or measure it again"
            )
        if self.hot is not None and self.hot.mean() > MOST_HOT:
            raise PipelineError(
                f"found a hot-pixel map that marks {100 * self.hot.mean():.0f} % of the pixels, expected at most "
                f"{100 * MOST_HOT:.0f} %: True (or 1) marks the hot ones"
            )

    def _hash(self) -> str:
        digest = hashlib.sha256(json.dumps([self.offset, self.electrons_per_count, self.bits]).encode())
        for name in ("dark", "response", "hot"):
            held = getattr(self, name)
            digest.update(f"{name} {None if held is None else held.shape}\n".encode())
            digest.update(b"" if held is None else held.tobytes())
        return digest.hexdigest()


def response_of(flat: npt.NDArray[Any], dark: npt.NDArray[Any] | float, hot: Mask | None = None) -> Map:
    """Relative sensitivity from a frame of even light as recorded, in counts: dark subtracted, 1 on average.

    Hot pixels do not count and get 1, since they are replaced anyway; each sample of RGB pixels is averaged by itself.
    """
    light = np.asarray(flat, np.float64) - dark
    good = np.ones(light.shape[:2], np.bool_) if hot is None or hot.shape != light.shape[:2] else ~hot
    if not good.any():
        return light.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.asarray(light / light[good].mean(axis=0), np.float32)
    relative[~good] = 1.0
    return relative


def is_affine(calibration: Calibration | None) -> bool:
    """Whether every pixel is changed alike, so that statistics of raw counts become those of calibrated ones."""
    return calibration is None or calibration.size is None


def affine(calibration: Calibration | None) -> tuple[float, float]:
    """(gain, offset) with calibrated = counts * gain + offset, of a calibration that `is_affine`."""
    if calibration is None:
        return 1.0, 0.0
    return calibration.electrons_per_count, -calibration.offset * calibration.electrons_per_count


def calibrated(pixels: npt.NDArray[Any], calibration: Calibration) -> Map:
    """What `calibrate` writes, computed in float64 pixel by pixel: (y, x) or (y, x, s) in, float32 out."""
    calibration.check_fits(pixels.shape)
    rgb = pixels.ndim == 3
    light = pixels.astype(np.float64) - (
        calibration.offset if calibration.dark is None else _wide(calibration.dark, rgb)
    )
    if calibration.response is not None:
        light /= _wide(calibration.response, rgb)
    answer = light.copy()
    hot = np.zeros(pixels.shape[:2], np.bool_) if calibration.hot is None else calibration.hot
    for y, x in np.argwhere(hot):
        radius = 1
        while True:
            near = (slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + radius + 1))
            if not hot[near].all():
                break
            radius += 1
        answer[y, x] = np.median(light[near][~hot[near]], axis=0)
    return np.asarray(answer * calibration.electrons_per_count, np.float32)


def _wide(held: Map, rgb: bool) -> npt.NDArray[np.float64]:
    wide = held.astype(np.float64)
    return wide[..., np.newaxis] if rgb and held.ndim == 2 else wide


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]}"
