"""The way back from units of percentiles to those of the frame, for which BioImage.IO has no step.

CSBDeep's `predict` maps what its network answers back with the percentiles that the frame was normalised by. A package
says so in config.onscope: `denormalise: {image: values}`, an output by name with "values" (x * (upper - lower) +
lower) or "spread" (x * (upper - lower), such as a standard deviation). Its test outputs are without it, for every
other reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._errors import PackageError
from ._description import Step, TensorDescription, make_step
from ._files import short

KINDS = ("values", "spread")
STEP = "inverse_scale_range"
"""Its arguments are those of the input's `scale_range`, `reference_tensor` is that input; and `kind`."""


def check_denormalise(stated: object) -> None:
    """Raise PackageError unless `config.onscope.denormalise` is outputs with what they are."""
    if stated is None:
        return
    if not isinstance(stated, Mapping) or any(kind not in KINDS for kind in stated.values()):
        raise PackageError(
            f"found config.onscope.denormalise {short(repr(stated))}, expected outputs by name, each with one of "
            f"{', '.join(KINDS)}"
        )


def denormalised(
    inputs: Sequence[TensorDescription], outputs: Sequence[TensorDescription], settings: Mapping[str, Any]
) -> tuple[TensorDescription, ...]:
    """The outputs, those that `settings` name with the way back as their last step.

    Raises PackageError for other names, and where no input's first step (casts aside) is a scale_range of its own.
    """
    stated: Mapping[str, str] = settings.get("denormalise") or {}
    if not stated:
        return tuple(outputs)
    if unknown := [name for name in stated if name not in [output.name for output in outputs]]:
        raise PackageError(
            f"found config.onscope.denormalise for {short(repr(unknown[0]))}, expected one of the outputs "
            f"{', '.join(output.name for output in outputs)}: correct the package"
        )
    firsts = [(tensor, next((step for step in tensor.steps if step.id != "ensure_dtype"), None)) for tensor in inputs]
    own = [
        (tensor.name, step.arguments)
        for tensor, step in firsts
        if step is not None
        and step.id == "scale_range"
        and step.arguments.get("reference_tensor") in (None, tensor.name)
    ]
    if len(own) != 1:
        raise PackageError(
            f"found config.onscope.denormalise and {len(own)} inputs whose first step is scale_range, expected one: "
            "correct the package"
        )
    name, arguments = own[0]

    def back(kind: str) -> Step:
        return make_step(STEP, {**arguments, "reference_tensor": name, "kind": kind})

    return tuple(
        replace(output, steps=(*output.steps, back(stated[output.name]))) if output.name in stated else output
        for output in outputs
    )
