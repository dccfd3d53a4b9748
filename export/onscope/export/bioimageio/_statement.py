"""What a package states, in the words of an export; what those cannot say is refused by name, or noted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from onscope.runtime import ExportError
from onscope.runtime.package import Axis, StatedPackage, TensorDescription, described_dtype

from .._describe import NAME, known_license
from .._original import OutputForm, Stated
from .._steps import AXES
from ._tensors import cast_of, channels_of, further, ids_of, inputs, letters_of, steps_of

SIDE = 256
VALIDATION = "\n## Validation of the export"
"""Where the account of an earlier export begins in a README."""


def stated_by(package: StatedPackage) -> Stated:
    """Everything that a package says; raises ExportError for what an export cannot express."""
    notes: list[str] = []
    given, others = inputs(package, notes)
    axes = letters_of(given)
    ids = {axis.id: AXES[letter] for axis, letter in zip(given.described, axes, strict=True)}
    example = package.test_inputs[package.inputs.index(given)] if package.test_inputs else None
    if example is not None:
        example = cast_of(example, described_dtype(given, "input"))
    if example is None or not package.test_outputs:
        notes.append(
            "it brings no test input with its outputs, so that its weights and their export alone were compared"
        )
    grid = _grid(given, notes)
    for output in package.outputs:
        _check_output(output, given)
    license, described = _license(package, notes), package.settings
    return Stated(
        axes=axes,
        input_name=given.name,
        output_axes=tuple(map(letters_of, package.outputs)),
        output_names=tuple(output.name for output in package.outputs),
        forms=tuple(_form(output, given) for output in package.outputs),
        channel_names=channels_of(given),
        dtype=described_dtype(given, "input"),
        pre=steps_of(given, ids),
        post=tuple(steps_of(output, ids_of(output)) for output in package.outputs),
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
        further=tuple(further(package, one, given) for one in others),
        notes=tuple(notes),
    )


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
        {name: int(one.offset) for name, one in follows.items() if one is not None and int(one.offset)},
        {axis.id: axis.halo for axis in output.described if axis.halo},
        channels_of(output),
    )


def _shape(given: TensorDescription) -> tuple[int, ...]:
    return tuple(_usual(axis) for axis in given.described)


def _usual(axis: Axis) -> int:
    return axis.size.at_least(SIDE if axis.id in ("y", "x") else 1)


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
