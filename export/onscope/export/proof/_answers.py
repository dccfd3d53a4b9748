"""What network and export answer to one input: before and behind the output's steps, and as objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from onscope.runtime import ExportError, OnscopeError
from onscope.runtime.package import Step

from .. import _steps
from .._original import Array

Kind = Literal["image", "points", "labels", "classes", "mask"]
LABELLING = ("stardist_postprocessing", "cellpose_flow_dynamics")
"""Steps that a decoder carries out."""


@dataclass(frozen=True, eq=False)
class Answers:
    """One output on one input. Of each pair the first is the network's, the second the export's.

    `bare` is before all steps; `whole` behind them up to a decoder, with the letters `axes`; `labels` are int32 label
    images (y, x) where a decoder makes them. `frame` is the input before its steps and `fed` behind them, with the
    letters `frame_axes`.
    """

    output: str
    where: str
    axes: str
    kind: Kind
    bare: tuple[Array, Array]
    whole: tuple[Array, Array]
    frame: Array
    fed: Array
    frame_axes: str
    labels: tuple[Array, Array] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def answers(
    output: str, where: str, axes: str, steps: Sequence[Step], bare: tuple[Array, Array],
    frame: tuple[Array, Array, str, str], settings: Mapping[str, Any],
    known: Mapping[str, tuple[Array, str]] | None = None,
) -> Answers:  # fmt: skip
    """All steps carried out on both answers; `frame` is (before its steps, behind them, its axes, its tensor's name).

    `known` are all inputs before their steps, with their axes' letters, by name (None: the frame alone). Raises
    ExportError when a step cannot be carried out.
    """
    raw, fed, frame_axes, name = frame
    inputs = known or {name: (raw, frame_axes)}
    first, second = (_steps.apply(steps, one, axes, inputs) if steps else one for one in bare)
    labels = None
    after = next((list(steps[place:]) for place, step in enumerate(steps) if step.id in LABELLING), None)
    if after:
        labels = (labelled(after, first, axes, settings), labelled(after, second, axes, settings))
    kind = "labels" if labels else kind_of(first, axes, [step.id for step in steps], settings)
    return Answers(output, where, axes, kind, bare, (first, second), raw, fed, frame_axes, labels, settings)


def kind_of(answer: Array, axes: str, steps: Sequence[str], settings: Mapping[str, Any]) -> Kind:
    """What is measured of an answer.

    Points where the settings say so; a mask where the last step makes one, or where pixels are bool or whole numbers of
    32 bits or more, which name things; classes where two or more channels of fractions from 0 to 1 add up to 1 (within
    1e-3) everywhere; an image otherwise.
    """
    if settings.get("decode") == "points" and answer.ndim >= 2:
        return "points"
    last = [step for step in steps if step != "ensure_dtype"][-1:]
    if last == ["binarize"] or answer.dtype.kind == "b" or (answer.dtype.kind in "iu" and answer.dtype.itemsize >= 4):
        return "mask"
    if answer.dtype.kind == "f" and "c" in axes and answer.shape[axes.index("c")] > 1 and answer.min(initial=0) >= 0:
        sums = answer.sum(axis=axes.index("c"))
        if np.all(np.abs(sums - 1) < 1e-3):
            return "classes"
    return "image"


def labelled(steps: Sequence[Step], output: Array, axes: str, settings: Mapping[str, Any]) -> Array:
    from onscope.runtime.decode import decoder

    try:
        labels, _ = decoder(_steps.ids(axes), settings, steps)(output)
    except OnscopeError as error:
        raise ExportError(str(error)) from error
    return labels
