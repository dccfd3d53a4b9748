"""A camera's calibration as nodes at the head of a graph: counts in, electrons (or counts above the offset) out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._errors import PipelineError
from .._draft import Draft, Value
from ._camera import Calibration, Mask, affine, calibrated, is_affine

__all__ = ["Calibration", "affine", "calibrate", "calibrated", "calibration_files", "is_affine", "load_calibration"]

Ranks = npt.NDArray[np.int64]


def load_calibration(path: Path) -> Calibration:
    """The calibration of a YAML file with its maps beside it (`_calibration_file.py`); raises PipelineError."""
    from ._calibration_file import read_calibration

    return read_calibration(path)


def calibration_files(path: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """What a calibration's YAML says, as plain values, and its maps' files by their keys; raises PipelineError."""
    from ._calibration_file import files_of

    return files_of(path)


def calibrate(draft: Draft, value: Value, calibration: Calibration) -> Value:
    """Write the calibration behind a frame of the axes ("y", "x") or ("y", "x", "s"), or n crops of it; float32 out.

    Crops ("n" before them) take no maps. `calibrated` is what it computes, to a few units in the last place. Raises
    PipelineError when the maps do not have the frame's size.
    """
    axes = tuple(axis for axis in value.axes if axis != "n")
    if axes not in (("y", "x"), ("y", "x", "s")) or None in value.shape:
        raise PipelineError(
            f"found a frame with the axes {', '.join(value.axes)} of {value.shape} to be calibrated, expected y, x and "
            "perhaps s of known sizes: calibrate the camera's own frames"
        )
    shape = tuple(size or 0 for size in value.shape)
    calibration.check_fits(shape)
    value = draft.cast(value, "float32")
    dark = np.float32(calibration.offset) if calibration.dark is None else _along(calibration.dark, value)
    if np.any(dark):
        value = _with(draft, "Sub", value, dark)
    gain = np.asarray(calibration.electrons_per_count, np.float64)
    if calibration.response is not None:
        gain = gain / _along(calibration.response, value).astype(np.float64)
    if np.any(gain != 1):
        value = _with(draft, "Mul", value, gain)
    if calibration.hot is not None and calibration.hot.any():
        value = _without_hot(draft, value, calibration.hot, shape)
    return value


def _with(draft: Draft, kind: str, value: Value, numbers: npt.ArrayLike) -> Value:
    name = draft.node(kind, [value.name, draft.constant(numbers, "float32")])
    return Value(name, value.dtype, value.axes, value.shape)


def _along(held: npt.NDArray[np.float32], value: Value) -> npt.NDArray[np.float32]:
    """A map as it broadcasts against the frame: one value per pixel is that of all its samples."""
    return held[..., np.newaxis] if len(value.axes) > held.ndim else held


class Neighbours(NamedTuple):
    """Of each hot pixel: its place in the flattened frame, those of its neighbours, and which of these are good."""

    places: Ranks
    table: Ranks
    good: Mask


def neighbours(hot: Mask) -> Neighbours:
    """The square around each hot pixel: 3 x 3, or the smallest in which one is not hot. Not good: hot, or outside."""
    places = np.flatnonzero(hot)
    open_, radius = np.arange(places.size), 0
    found: list[tuple[Ranks, Ranks, Mask]] = []
    while open_.size:
        radius += 1
        reach = np.arange(-radius, radius + 1)
        y, x = np.divmod(places[open_, np.newaxis], hot.shape[1])
        at_y, at_x = y + np.repeat(reach, reach.size), x + np.tile(reach, reach.size)
        inside = (at_y >= 0) & (at_y < hot.shape[0]) & (at_x >= 0) & (at_x < hot.shape[1])
        at = np.where(inside, at_y, y) * hot.shape[1] + np.where(inside, at_x, x)
        good = inside & ~hot.ravel()[at]
        done = good.any(axis=1)
        found.append((open_[done], at[done], good[done]))
        open_ = open_[~done]
    widest = max(at.shape[1] for _, at, _ in found)
    table, goods = np.zeros((places.size, widest), np.int64), np.zeros((places.size, widest), np.bool_)
    for rows, at, good in found:
        table[rows, : at.shape[1]], goods[rows, : at.shape[1]] = at, good
    return Neighbours(places.astype(np.int64), table, goods)


def _without_hot(draft: Draft, value: Value, hot: Mask, shape: tuple[int, ...]) -> Value:
    """Hot pixels gathered with their neighbours, sorted (what is not good at the end), their medians put back."""
    of, samples = neighbours(hot), shape[2] if len(shape) == 3 else 1
    count, width = of.table.shape
    flat = draft.node("Reshape", [value.name, draft.constant([shape[0] * shape[1], samples], "int64")])
    near = draft.node("Gather", [flat, draft.constant(of.table)], axis=0)
    last = draft.constant(np.inf, "float32")
    near = draft.node("Where", [draft.constant(of.good[..., np.newaxis]), near, last])
    size = draft.constant([width], "int64")
    ordered = draft.node("TopK", [near, size], outputs=2, axis=1, largest=0, sorted=1)[0]
    goods = of.good.sum(axis=1)
    middle = [
        draft.node("GatherElements", [ordered, draft.constant(_ranks(rank, samples))], axis=1)
        for rank in ((goods - 1) // 2, goods // 2)
    ]
    median = draft.node("Mul", [draft.node("Add", middle), draft.constant(0.5, "float32")])
    median = draft.node("Reshape", [median, draft.constant([count, samples], "int64")])
    fixed = draft.node("ScatterND", [flat, draft.constant(of.places[:, np.newaxis]), median])
    name = draft.node("Reshape", [fixed, draft.constant(list(shape), "int64")], "calibrated")
    return Value(name, value.dtype, value.axes, value.shape)


def _ranks(of: Ranks, samples: int) -> Ranks:
    return np.broadcast_to(of.astype(np.int64)[:, np.newaxis, np.newaxis], (of.size, 1, samples))
