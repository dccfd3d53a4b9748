"""What a package states, in the words of an export; what those cannot say is refused by name, or noted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from onscope.runtime import ExportError
from onscope.runtime.package import Axis, StatedPackage, Step, TensorDescription, described_dtype, make_step

from .._describe import NAME, known_license
from .._original import Array, OutputForm, Stated
from .._steps import AXES

SIDE = 256
DECODERS = ("stardist_postprocessing", "cellpose_flow_dynamics")
VALIDATION = "\n## Validation of the export"
"""Where the account of an earlier export begins in a README."""
_LETTERS = {id: letter for letter, id in AXES.items()}
_KINDS = {"batch": "b", "channel": "c", "time": "t", "index": "i"}


def stated_by(package: StatedPackage) -> Stated:
    """Everything that a package says; raises ExportError for what an export cannot express."""
    notes: list[str] = []
    given = _input(package, notes)
    axes = _letters(given)
    ids = {axis.id: AXES[letter] for axis, letter in zip(given.described, axes, strict=True)}
    example = package.test_inputs[package.inputs.index(given)] if package.test_inputs else None
    if example is not None:
        example = _cast(example, described_dtype(given, "input"))
    grid = _grid(given, notes)
    for output in package.outputs:
        _check_output(output, given)
    license, described = _license(package, notes), package.settings
    return Stated(
        axes=axes,
        input_name=given.name,
        output_axes=tuple(map(_letters, package.outputs)),
        output_names=tuple(output.name for output in package.outputs),
        forms=tuple(_form(output, given) for output in package.outputs),
        channel_names=_channels(given),
        dtype=described_dtype(given, "input"),
        pre=_steps(given, ids),
        post=tuple(_steps(output, _ids(output)) for output in package.outputs),
        minimum=None if grid is None else grid[0],
        step=None if grid is None else grid[1],
        fixed=grid is None,
        shape=_shape(given),
        example=example,
        answers=package.test_outputs if example is not None else (),
        tolerances=package.tolerances,
        pad={}
        if not given.pad
        else {"mode": given.pad} | ({"value": given.pad_value} if given.pad == "constant" else {}),
        settings=_thawed(described),
        name=_name(package.name),
        description=package.description,
        authors=package.authors,
        license=license,
        cite=package.cite,
        tags=package.tags,
        documentation=package.documentation.partition(VALIDATION)[0].rstrip(),
        notes=tuple(notes),
    )


def _input(package: StatedPackage, notes: list[str]) -> TensorDescription:
    needed = [tensor for tensor in package.inputs if not tensor.optional] or list(package.inputs)
    if len(needed) != 1:
        names = ", ".join(tensor.name for tensor in needed)
        raise ExportError(
            f"found {len(needed)} inputs in {package.name} ({names}), expected one: an export takes one frame, so "
            "export the network's ONNX by hand and name it under weights.onnx"
        )
    if left := [tensor.name for tensor in package.inputs if tensor is not needed[0]]:
        notes.append(f"the optional inputs {', '.join(left)} were left out")
    return needed[0]


def _letters(tensor: TensorDescription) -> str:
    letters = [_KINDS.get(axis.kind) or _LETTERS.get(axis.id, "") for axis in tensor.described]
    if not all(letters) or len(set(letters)) != len(letters):
        raise ExportError(
            f"found the axes {', '.join(tensor.axes)} of {tensor.name!r}, expected at most one each of batch, channel, "
            "time, index, z, y and x"
        )
    return "".join(letters)


def _ids(tensor: TensorDescription) -> Mapping[str, str]:
    return {axis.id: AXES[letter] for axis, letter in zip(tensor.described, _letters(tensor), strict=True)}


def _grid(given: TensorDescription, notes: list[str]) -> tuple[int, int] | None:
    """Minimum and step of heights and widths, which an export states together; None where they are fixed."""
    sizes = []
    for letter in "yx":
        axis = given.axis(letter)
        if axis is None:
            raise ExportError(f"found no axis {letter} in {given.name!r}, expected y and x: frames are images")
        follows = axis.size.follows
        if follows:  # along the other axis, mostly
            other = given.axis(follows.axis) if follows.tensor == given.name else None
            if other is None or follows.factor != 1 or follows.offset:
                raise ExportError(
                    f"found a size of {letter} in {given.name!r} that follows {follows.tensor}.{follows.axis}, "
                    "expected a size of its own: state a minimum and a step"
                )
            axis = other
        sizes.append(axis.size)
    for axis in given.described:
        if axis.id not in ("y", "x") and axis.kind != "batch" and axis.size.fixed is None:
            notes.append(f"the axis {axis.id} of {given.name} stays of the size that its test input has")
    y, x = sizes
    if y.fixed is not None or x.fixed is not None:
        if y.fixed is None or x.fixed is None:
            notes.append("height and width are those of the test input: the package fixes one of them")
        return None
    step, low = math.lcm(y.step, x.step), max(y.minimum, x.minimum)
    for minimum in range(low, low + step):
        if y.fits(minimum) and x.fits(minimum):
            return minimum, step
    raise ExportError(
        f"found heights of {y.minimum} + n * {y.step} and widths of {x.minimum} + n * {x.step} pixels, expected sizes "
        "that both can have: export it with --fixed"
    )


def _check_output(output: TensorDescription, given: TensorDescription) -> None:
    for axis in output.described:
        size, follows = axis.size, axis.size.follows
        if size.maximum is not None or (size.fixed is None and follows is None and axis.kind != "batch"):
            raise ExportError(
                f"found the size of {axis.id} in {output.name!r} to be known after the run only, expected one that is "
                "fixed or follows the input: an export states no other"
            )
        if follows and (follows.tensor != given.name or follows.axis != axis.id):
            raise ExportError(
                f"found a size of {axis.id} in {output.name!r} that follows {follows.tensor}.{follows.axis}, expected "
                f"it to follow {given.name}.{axis.id}: an export states no other"
            )
        if axis.halo and (follows is None or axis.id not in ("y", "x")):
            raise ExportError(
                f"found a halo along {axis.id} in {output.name!r}, expected it along y and x that follow the input: an "
                "export states no other"
            )


def _form(output: TensorDescription, given: TensorDescription) -> OutputForm:
    follows = {axis.id: axis.size.follows for axis in output.described if axis.id in ("y", "x") and axis.size.follows}
    factors = {reference.factor for reference in follows.values() if reference is not None}
    if len(factors) > 1:
        raise ExportError(
            f"found other scales along y than along x in {output.name!r}, expected one: an export states no other"
        )
    return OutputForm(
        {name: one.offset for name, one in follows.items() if one is not None and one.offset},
        {axis.id: axis.halo for axis in output.described if axis.halo},
        _channels(output),
    )


def _steps(tensor: TensorDescription, ids: Mapping[str, str]) -> tuple[Step, ...]:
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


def _channels(tensor: TensorDescription) -> tuple[str, ...]:
    return next((axis.channels for axis in tensor.described if axis.kind == "channel"), ())


def _shape(given: TensorDescription) -> tuple[int, ...]:
    return tuple(_usual(axis) for axis in given.described)


def _usual(axis: Axis) -> int:
    return axis.size.at_least(SIDE if axis.id in ("y", "x") else 1)


def _cast(array: Array, dtype: str) -> Array:
    """Numbers of any kind stand in for described floats."""
    return array.astype(dtype) if array.dtype != np.dtype(dtype) else array


def _license(package: StatedPackage, notes: list[str]) -> str:
    if not package.licence or known_license(package.licence):
        return package.licence
    notes.append(f"the licence {package.licence} has no SPDX name, and was left out (--license names one)")
    return ""


def _name(text: str) -> str:
    """The name, with what BioImage.IO does not take made dashes."""
    name = re.sub(r"[^A-Za-z0-9_+\- ()]+", "-", text)[:128]
    return name if NAME.fullmatch(name) else f"package {name}"


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _thawed(inner) for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_thawed(inner) for inner in value]
    return value
