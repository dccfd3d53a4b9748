"""A BioImage.IO model description, checked by bioimageio.spec, as plain values; nothing is fetched or imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .._errors import PackageError
from ._axes import read_axes, references
from ._description import TensorDescription
from ._files import short
from ._steps import last_dtype, plain, read_steps

if TYPE_CHECKING:
    from bioimageio.spec.model import v0_4, v0_5

    Model = v0_4.ModelDescr | v0_5.ModelDescr

FORMATS = ((0, 4), (0, 5))
LARGEST = 1 << 20
"""Number in a size, shape or halo that the specification is given; what is read has closer bounds."""
Tensors = tuple[tuple[TensorDescription, ...], tuple[TensorDescription, ...]]


def describe(content: dict[str, Any], folder: Path, file_name: str) -> Model:
    """Check `content` by the specification, without any input or output; raises PackageError in one sentence."""
    format = _format_of(content)
    _refuse_links(content)
    for side in ("inputs", "outputs"):
        _refuse_sizes(content.get(side))
    from bioimageio.spec import InvalidDescr, ValidationContext, build_description
    from bioimageio.spec.model import v0_4, v0_5

    context = ValidationContext(root=folder, file_name=file_name, perform_io_checks=False)
    try:
        found = build_description(content, context=context)
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError, OverflowError) as error:
        raise PackageError(f"found a model description that cannot be read ({short(error)}): correct it") from error
    wanted = v0_4.ModelDescr if format == (0, 4) else v0_5.ModelDescr
    if isinstance(found, InvalidDescr) or not isinstance(found, wanted):
        raise PackageError(f"found a model description that breaks the BioImage.IO format: {_first_error(found)}")
    return found


def read_tensors(model: Model) -> Tensors:
    """Inputs and outputs of a checked description, without what only the graph knows; raises PackageError.

    `graph_name` is the description's name; `dtype` of an input is what its steps end with, of an output what the
    description says.
    """
    if str(model.format_version).startswith("0.4"):
        from . import _v04

        return _v04.read_tensors(cast("v0_4.ModelDescr", model))
    new = cast("v0_5.ModelDescr", model)
    known = references((*new.inputs, *new.outputs))
    return (
        tuple(_tensor(tensor, tensor.preprocessing, known) for tensor in new.inputs),
        tuple(_tensor(tensor, tensor.postprocessing, known) for tensor in new.outputs),
    )


def _tensor(tensor: Any, described: Any, known: Any) -> TensorDescription:
    steps, name, pad = read_steps(described), str(tensor.id), getattr(tensor, "pad", None)
    value = plain(getattr(pad, "value", 0.0), f"the padding of {short(name)}")
    return TensorDescription(
        name,
        name,
        read_axes(tensor, known),
        last_dtype(steps, str(tensor.dtype)),
        steps,
        getattr(tensor, "optional", False),
        "" if pad is None else pad.mode,
        float(value),
    )


def _format_of(content: Mapping[str, Any]) -> tuple[int, int]:
    kind, version = content.get("type"), content.get("format_version")
    if kind != "model":
        raise PackageError(
            f"found a description of type {short(repr(kind))}, expected 'model': give the model's own package"
        )
    number = re.fullmatch(r"(\d{1,4})\.(\d{1,4})(\.\d{1,4})?", version) if isinstance(version, str) else None
    if number is None:
        raise PackageError(
            f"found the format version {short(repr(version))}, expected 0.4 or 0.5 of BioImage.IO models"
        )
    release = (int(number[1]), int(number[2]))
    if release < FORMATS[0]:
        raise PackageError(
            f"found a package in format {version}, expected 0.4 or 0.5: convert it with `bioimageio update-format` of "
            "bioimageio.core"
        )
    if release > FORMATS[-1]:
        raise PackageError(f"found a package in format {version}, expected 0.4 or 0.5: a newer onscope may read it")
    return release


def _refuse_links(content: Mapping[str, Any]) -> None:
    """The specification would open what an input names as the output of another model, wherever that lies."""
    inputs = content.get("inputs")
    for tensor in inputs if isinstance(inputs, list) else ():
        if isinstance(tensor, Mapping) and tensor.get("output_of") is not None:
            raise PackageError(
                f"found an input that is the output of {short(tensor['output_of'])}, expected a package that stands by "
                "itself: remove output_of, and make both models stages of one pipeline"
            )


def _refuse_sizes(node: Any, of: str = "") -> None:
    """The specification makes lists as long as some sizes say, before anybody can look at them."""
    if isinstance(node, Mapping):
        for key, inner in node.items():
            if key != "kwargs":
                _refuse_sizes(inner, key if key in ("size", "shape", "halo") else of)
    elif isinstance(node, list):
        for inner in node:
            _refuse_sizes(inner, of)
    elif of and isinstance(node, (int, float)) and abs(node) > LARGEST:
        raise PackageError(f"found a {of} of {short(node)}, expected at most {LARGEST}: correct the axes' sizes")


def _first_error(description: Any) -> str:
    errors = [error for detail in description.validation_summary.details for error in detail.errors]
    if not errors:
        return "it is no model of format 0.4 or 0.5"
    first = errors[0]
    return short(f"{'.'.join(map(str, first.loc)) or 'it'}: {first.msg}")
