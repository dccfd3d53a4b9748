"""What the rows of an image's frames tell of its axes: names of channels, time between frames, distance of planes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RawAxes:
    """Of a raw image: the `sizes` along the `leading` axes of its elements, and what its frames said of these.

    Names of the `channels` by number (none: nobody named them), seconds along t, micrometres along z (None: unknown).
    """

    leading: str
    sizes: tuple[int, ...]
    channels: tuple[str, ...] = ()
    interval_s: float | None = None
    step_um: float | None = None

    def one_channel(self) -> RawAxes:
        """Those of an image that holds a single one of the channels."""
        kept = [(axis, size) for axis, size in zip(self.leading, self.sizes, strict=True) if axis != "c"]
        return replace(self, leading="".join(axis for axis, _ in kept), sizes=tuple(size for _, size in kept))


def elements_of(rows: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """The elements of an image's rows as int64 (rows, axes), and their pages, if these have any."""
    flat = rows["index"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    pages = rows["page"]
    return flat.reshape(len(rows), -1), pages.to_numpy() if len(rows) and pages.null_count == 0 else None


def raw_axes(rows: Any, leading: str, *, rolling: bool = False) -> RawAxes:
    """What the rows of an image's frames (at least one) in the table `frames` tell.

    Times and distances are medians over neighbouring elements: acquisitions wait now and then. In a `rolling` window
    elements along t are used again, and nothing is said of times.
    """
    at, _ = elements_of(rows)
    along = dict(zip(leading, at.T, strict=True))
    return RawAxes(
        leading,
        tuple(int(size) for size in at.max(axis=0) + 1),
        _channels(rows, along["c"]) if "c" in along else (),
        None if rolling else _interval_s(rows["received_ns"].to_numpy(), along["t"]),
        _step(rows["stage_z_um"].to_numpy(zero_copy_only=False), along["z"]) if "z" in along else None,
    )


def axes_for(rows: Any, axes: str, channel: int | None, *, rolling: bool = False) -> RawAxes:
    """`raw_axes` for an image of answers with these `axes`, of a single `channel` perhaps."""
    if channel is None:
        return raw_axes(rows, axes, rolling=rolling)
    return raw_axes(rows, f"{axes[:1]}c{axes[1:]}", rolling=rolling).one_channel()


def _channels(rows: Any, numbers: npt.NDArray[np.int64]) -> tuple[str, ...]:
    found, first = np.unique(numbers, return_index=True)
    names: Mapping[int, Any] = {
        int(number): json.loads(rows["labels"][int(row)].as_py() or "{}").get("c")
        for number, row in zip(found, first, strict=True)
    }
    if not any(names.values()):
        return ()
    return tuple(str(names.get(number) or f"channel {number}") for number in range(int(found[-1]) + 1))


def _interval_s(received_ns: npt.NDArray[np.int64], t: npt.NDArray[np.int64]) -> float | None:
    begun = _each(t, np.asarray(received_ns, float), np.fmin)
    between = np.diff(begun)
    between = between[np.isfinite(between) & (between > 0)]
    return round(float(np.median(between)) / 1e9, 6) or None if len(between) else None


def _step(heights: npt.NDArray[Any], z: npt.NDArray[np.int64]) -> float | None:
    planes = _each(z, np.asarray(heights, float), np.fmax)
    between = np.abs(np.diff(planes))
    between = between[np.isfinite(between) & (between > 0)]
    return round(float(np.median(between)), 6) or None if len(between) else None


def _each(numbers: npt.NDArray[np.int64], values: npt.NDArray[np.float64], choose: np.ufunc) -> npt.NDArray[Any]:
    """One of the values of each number from 0 on; NaN where there is none."""
    found = np.full(int(numbers.max()) + 1, np.nan)
    choose.at(found, numbers, values)
    return found
