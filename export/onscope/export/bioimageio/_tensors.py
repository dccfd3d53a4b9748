"""Tensors of a package in the words of an export: their axes as letters, their steps, the inputs beside the frame."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from onscope.runtime import ExportError
from onscope.runtime.package import Axis, StatedPackage, Step, TensorDescription, described_dtype, make_step

from .._further import states
from .._original import Array, FurtherInput
from .._steps import AXES

DECODERS = ("stardist_postprocessing", "cellpose_flow_dynamics")
_LETTERS = {id: letter for letter, id in AXES.items()}
_KINDS = {"batch": "b", "channel": "c", "time": "t", "index": "i"}


def inputs(package: StatedPackage, notes: list[str]) -> tuple[TensorDescription, list[TensorDescription]]:
    """The one that frames go to, which is the first, and those beside it."""
    needed = [tensor for tensor in package.inputs if not tensor.optional] or list(package.inputs)[:1]
    if needed and needed[0].name in states(package.settings):
        raise ExportError(
            f"found {needed[0].name!r}, which is remembered from window to window, as the first input of "
            f"{package.name}, expected the frame there: put it first in the network and in the rdf.yaml"
        )
    if left := [tensor.name for tensor in package.inputs if tensor not in needed]:
        notes.append(f"the optional inputs {', '.join(left)} were left out")
    return needed[0], needed[1:]


def further(package: StatedPackage, tensor: TensorDescription, given: TensorDescription) -> FurtherInput:
    """An input beside the frame; raises ExportError for sizes that an export does not state."""
    sizes: list[int | Fraction] = []
    for axis in tensor.described:
        follows = axis.size.follows
        if axis.kind == "batch":
            sizes.append(1)
        elif follows is None:
            sizes.append(axis.size.fixed if axis.size.fixed is not None else _tested(package, tensor, axis))
        elif (follows.tensor, follows.axis, follows.offset) == (given.name, axis.id, 0):
            sizes.append(Fraction(follows.factor).limit_denominator(64))
        else:
            raise ExportError(
                f"found a size of {axis.id} in {tensor.name!r} that follows {follows.tensor}.{follows.axis} by an "
                f"offset of {follows.offset}, expected {given.name}.{axis.id} without one: an export states no other"
            )
    test = package.test_inputs[package.inputs.index(tensor)] if package.test_inputs else None
    dtype = described_dtype(tensor, "input")
    return FurtherInput(
        tensor.name,
        letters_of(tensor),
        tuple(sizes),
        dtype,
        steps_of(tensor, ids_of(tensor)),
        channels_of(tensor),
        None if test is None else cast_of(test, dtype),
    )


def _tested(package: StatedPackage, tensor: TensorDescription, axis: Axis) -> int:
    """The size in the test tensor of an axis that may have several; the smallest where there is none."""
    if not package.test_inputs:
        return axis.size.minimum
    return int(package.test_inputs[package.inputs.index(tensor)].shape[tensor.axes.index(axis.id)])


def letters_of(tensor: TensorDescription) -> str:
    letters = [_KINDS.get(axis.kind) or _LETTERS.get(axis.id, "") for axis in tensor.described]
    if not all(letters) or len(set(letters)) != len(letters):
        raise ExportError(
            f"found the axes {', '.join(tensor.axes)} of {tensor.name!r}, expected at most one each of batch, channel, "
            "time, index, z, y and x"
        )
    return "".join(letters)


def ids_of(tensor: TensorDescription) -> Mapping[str, str]:
    return {axis.id: AXES[letter] for axis, letter in zip(tensor.described, letters_of(tensor), strict=True)}


def steps_of(tensor: TensorDescription, ids: Mapping[str, str]) -> tuple[Step, ...]:
    for step in tensor.steps:
        if step.id == "custom":
            what = f"the step custom ({step.arguments.get('callable')} of {step.arguments.get('source')})"
        elif step.id in DECODERS:
            what = f"the step {step.id}"
        else:
            continue
        raise ExportError(
            f"found {what} beside {tensor.name!r}, expected steps of the format itself that are arithmetic: make it "
            "part of the network, or remove it"
        )
    return tuple(make_step(step.id, _renamed(step.arguments, ids)) for step in tensor.steps)


def _renamed(arguments: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Axes by the ids that an export gives them."""
    renamed = dict(arguments)
    if isinstance(renamed.get("axis"), str):
        renamed["axis"] = ids.get(renamed["axis"], renamed["axis"])
    if renamed.get("axes") is not None:
        renamed["axes"] = [ids.get(name, name) for name in renamed["axes"]]
    return renamed


def channels_of(tensor: TensorDescription) -> tuple[str, ...]:
    return next((axis.channels for axis in tensor.described if axis.kind == "channel"), ())


def cast_of(array: Array, dtype: str) -> Array:
    """Numbers of any kind stand in for described floats."""
    return array.astype(dtype) if array.dtype != np.dtype(dtype) else array
