"""Frames to calibrate with and to measure on: the user's own, or the package's test input."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onscope.runtime import ExportError
from onscope.runtime.package import Package, TensorDescription, described_dtype

from .._original import Array, contiguous
from ..frames import Form, Given, Live, Tell, read_frames

MOST_CALIBRATING, MOST_MEASURED = 16, 8
LETTERS = {"batch": "b", "channel": "c", "index": "i", "time": "t"}
ONE_FRAME = (
    "calibrated on a single frame, the package's test input, and measured on the same: ranges of other frames may be "
    "wider, so give frames of your own (--calibrate)"
)
Frame = tuple[Array, ...]
"""The inputs of a package, in their order."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames that ranges are taken of, and others that errors are measured on (the same where there is only one).

    `source` says where they came from, `sha256` is that of the pixels of all calibrating frames in their order.
    """

    calibrating: tuple[Frame, ...]
    measured: tuple[Frame, ...]
    source: str
    sha256: str
    notes: tuple[str, ...] = ()


def frames_for(package: Package, given: Sequence[Given] = (), tell: Tell = lambda step, done, total: None) -> Frames:
    """The user's frames by turns for both uses, or the package's test input with a warning.

    Raises ExportError: unreadable frames, frames for a package of several inputs, no frames and no test input.
    """
    if not given:
        inputs = tuple(package.load_test_inputs())
        if not inputs:
            raise ExportError(
                f"found no test input in {package.name!r}, expected frames to calibrate with: give some (--calibrate)"
            )
        return Frames((inputs,), (inputs,), "the package's test input", _hash([inputs]), (ONE_FRAME,))
    if len(package.inputs) != 1:
        raise ExportError(
            f"found frames for {package.name!r}, which takes {len(package.inputs)} inputs, expected none: it is "
            "calibrated on its own test input"
        )
    read, notes = read_frames(given, form_of(package), MOST_CALIBRATING + MOST_MEASURED, tell)
    every = [(frame.pixels,) for frame in read]
    # By turns, so that both see the whole of a series; two thirds to calibrate with.
    measured = tuple(frame for number, frame in enumerate(every) if number % 3 == 1) or tuple(every)
    calibrating = tuple(frame for number, frame in enumerate(every) if number % 3 != 1) or tuple(every)
    names = ", ".join(_name(one) for one in given)
    told = list(notes)
    if len(every) == 1:
        told.append("calibrated and measured on the same single frame: give more of them")
    return Frames(calibrating, measured, names, _hash(calibrating), tuple(told))


def form_of(package: Package) -> Form:
    """What frames for a package of one input are like: letters and sizes of its axes, dtype before all steps."""
    (tensor,) = package.inputs
    axes = "".join(LETTERS.get(axis.kind, axis.id) for axis in tensor.described)
    if not {"y", "x"} <= set(axes) or len(axes) != len(tensor.described):
        raise ExportError(f"found the axes {', '.join(tensor.axes)}, expected images with y and x to give frames for")
    tests = package.load_test_inputs()
    shape = tests[0].shape if tests else tuple(axis.size.at_least(1) for axis in tensor.described)
    sides = [axis.size for axis in tensor.described if axis.id in ("y", "x")]
    fixed = any(side.fixed is not None for side in sides)
    if fixed:
        shape = tuple(size if axis.size.fixed is None else axis.size.fixed
                      for axis, size in zip(tensor.described, shape, strict=True))  # fmt: skip
    minimum, step = max(side.minimum for side in sides), math.lcm(*(side.step for side in sides))
    if any((minimum - side.minimum) % side.step for side in sides):
        fixed = True
    return Form(axes, tuple(shape), _dtype(tensor), minimum, step, fixed)


def _dtype(tensor: TensorDescription) -> str:
    return described_dtype(tensor, "input")


def _name(given: Given) -> str:
    if isinstance(given, Live):
        return f"{given.label}, {given.seconds:g} s"
    return "arrays" if isinstance(given, np.ndarray) else Path(given).name


def _hash(frames: Sequence[Frame]) -> str:
    digest = hashlib.sha256()
    for frame in frames:
        for array in frame:
            digest.update(f"{array.dtype.name} {array.shape}\n".encode())
            digest.update(contiguous(array).data)
    return digest.hexdigest()
