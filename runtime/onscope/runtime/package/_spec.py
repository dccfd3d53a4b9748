"""A BioImage.IO 0.5 model description as plain values: bioimageio.spec checks it, this module takes what is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._errors import PackageError
from ._files import short

if TYPE_CHECKING:
    from bioimageio.spec.model.v0_5 import InputTensorDescr, ModelDescr, OutputTensorDescr

MAX_AXIS = 1 << 16
"""Largest size or step that a described axis may state, in pixels (or channels)."""
DECODERS = ("image", "points")
PROVENANCE = "export"
"""What config.onscope says of how a package was made; no setting."""


@dataclass(frozen=True, slots=True)
class AxisSize:
    """Sizes an axis can have: `fixed`, or `minimum + n * step` (a `step` of 1: any size from `minimum` on).

    Outputs that follow an input have neither; see `TensorDescription.scale`.
    """

    fixed: int | None = None
    minimum: int = 1
    step: int = 1

    def fits(self, size: int) -> bool:
        """Whether an axis of `size` is one of them."""
        if self.fixed is not None:
            return size == self.fixed
        return size >= self.minimum and (size - self.minimum) % self.step == 0


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """One input or output of a package's network.

    `name` is the description's, `graph_name` the one in the ONNX graph; `axes` are ids such as ("batch", "channel",
    "y", "x") with their `kinds` ("batch", "channel", "space", "time" or "index") and `sizes`; `dtype` a NumPy name;
    `scale` the pixels along y and x per pixel of the input (outputs whose size follows the input; None: not stated);
    `processing` the ids of the steps that are described beside the graph, before (inputs) or after it (outputs).
    """

    name: str
    graph_name: str
    axes: tuple[str, ...]
    kinds: tuple[str, ...]
    sizes: tuple[AxisSize, ...]
    dtype: str
    scale: float | None = None
    processing: tuple[str, ...] = ()

    @property
    def channels(self) -> int | None:
        """Number of channels (None: no such axis, or not fixed)."""
        return next((size.fixed for kind, size in zip(self.kinds, self.sizes, strict=True) if kind == "channel"), None)


def describe(content: dict[str, Any], folder: Path, file_name: str) -> ModelDescr:
    """Check `content` by the specification, without any input or output; raises PackageError in one sentence."""
    _require_format(content)
    from bioimageio.spec import InvalidDescr, ModelDescr, ValidationContext, build_description

    context = ValidationContext(root=folder, file_name=file_name, perform_io_checks=False)
    try:
        found = build_description(content, context=context)
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError, OverflowError) as error:
        raise PackageError(f"found a model description that cannot be read ({short(error)}): correct it") from error
    if isinstance(found, InvalidDescr) or not isinstance(found, ModelDescr):
        raise PackageError(f"found a model description that breaks the BioImage.IO format: {_first_error(found)}")
    return found


def _require_format(content: Mapping[str, Any]) -> None:
    kind, version = content.get("type"), content.get("format_version")
    if kind != "model":
        raise PackageError(
            f"found a description of type {short(repr(kind))}, expected 'model': give the model's own package"
        )
    number = re.fullmatch(r"(\d{1,4})\.(\d{1,4})(\.\d{1,4})?", version) if isinstance(version, str) else None
    if number is None:
        raise PackageError(f"found the format version {short(repr(version))}, expected 0.5 of BioImage.IO models")
    release = (int(number[1]), int(number[2]))
    if release < (0, 5):
        raise PackageError(
            f"found a package in format {version}, expected 0.5: format 0.4 is not read yet, convert it with "
            "`bioimageio update-format` of bioimageio.core"
        )
    if release > (0, 5):
        raise PackageError(f"found a package in format {version}, expected 0.5: a newer onscope may read it")


def _first_error(description: Any) -> str:
    errors = [error for detail in description.validation_summary.details for error in detail.errors]
    if not errors:
        return "it is no model of format 0.5"
    first = errors[0]
    return short(f"{'.'.join(map(str, first.loc)) or 'it'}: {first.msg}")


def tensor_description(tensor: InputTensorDescr | OutputTensorDescr, graph_name: str, inputs: Any) -> TensorDescription:
    """Plain values of one described tensor; `inputs` are the described inputs that outputs refer to."""
    references = {(str(one.id), str(axis.id)): axis for one in inputs for axis in one.axes}
    scales = []
    sizes = []
    for axis in tensor.axes:
        size, scale = _axis_size(getattr(axis, "size", None), axis, references)
        sizes.append(size)
        if axis.type == "space" and str(axis.id) in ("y", "x"):
            scales.append(scale)
        for stated in (size.fixed, size.minimum, size.step):
            if stated is not None and stated > MAX_AXIS:
                raise PackageError(
                    f"found a size of {stated} along {axis.id} of {tensor.id}, expected at most {MAX_AXIS}: correct it"
                )
    return TensorDescription(
        name=str(tensor.id),
        graph_name=graph_name,
        axes=tuple(str(axis.id) for axis in tensor.axes),
        kinds=tuple(str(axis.type) for axis in tensor.axes),
        sizes=tuple(sizes),
        dtype=str(tensor.dtype),
        scale=scales[0] if len(scales) == 2 and scales[0] == scales[1] else None,
        processing=_steps(tensor),
    )


def _steps(tensor: InputTensorDescr | OutputTensorDescr) -> tuple[str, ...]:
    steps = getattr(tensor, "preprocessing", None) or getattr(tensor, "postprocessing", None) or ()
    return tuple(str(step.id) for step in steps)


def _axis_size(size: Any, axis: Any, references: Mapping[tuple[str, str], Any]) -> tuple[AxisSize, float | None]:
    if axis.type == "batch":
        return AxisSize(fixed=size), None
    if isinstance(size, int):
        return AxisSize(fixed=size), None
    if hasattr(size, "step"):
        return AxisSize(minimum=size.min, step=size.step), None
    if hasattr(size, "axis_id"):  # size = reference size * reference scale / own scale + offset
        reference = references.get((str(size.tensor_id), str(size.axis_id)))
        scale = (
            round(reference.scale / axis.scale, 9) if reference is not None and reference.type == axis.type else None
        )
        if scale is not None and not (math.isfinite(scale) and 0 < scale <= MAX_AXIS):
            raise PackageError(f"found a scale of {scale} along {axis.id}, expected one between 0 and {MAX_AXIS}")
        return AxisSize(), scale
    return AxisSize(minimum=getattr(size, "min", 1)), None


def settings_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """`config.onscope` of a description, checked and frozen; "decode" is always there. Raises PackageError."""
    config = content.get("config")
    raw = config.get("onscope") if isinstance(config, Mapping) else None
    if raw is not None and not (isinstance(raw, Mapping) and all(isinstance(key, str) for key in raw)):
        raise PackageError(
            "found config.onscope that holds no named settings, expected decode, columns, threshold or scale"
        )
    settings = {key: _frozen(value) for key, value in (raw or {}).items() if key != PROVENANCE}
    decode = settings.setdefault("decode", "image")
    if decode not in DECODERS:
        raise PackageError(f"found config.onscope.decode {short(repr(decode))}, expected one of {', '.join(DECODERS)}")
    columns = settings.get("columns")
    if decode == "points" and columns is None:
        raise PackageError(
            "found no config.onscope.columns, expected the names of the points' columns, such as y, x, score"
        )
    if columns is not None and not (
        isinstance(columns, tuple) and all(isinstance(name, str) and name for name in columns)
    ):
        raise PackageError(f"found config.onscope.columns {short(columns)}, expected a list of names")
    for key in ("threshold", "scale"):
        value = settings.get(key)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not (number and (key == "threshold" or value > 0)):
            raise PackageError(f"found config.onscope.{key} {short(repr(value))}, expected a finite number")
    return MappingProxyType(settings)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((str(key), _frozen(inner)) for key, inner in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value
