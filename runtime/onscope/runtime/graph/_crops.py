"""Stages that run on crops of a frame, many at once as the network's batch: each is normalised as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._errors import PipelineError
from ..package import Step, TensorDescription, make_step
from ._types import StageRequest
from .calibration import Calibration, is_affine
from .steps import is_measured

LETTER = "n"
"""The axis of crops in `Raw.axes`."""
BATCH = "batch"
"""BioImage.IO's name of the axis that they follow one another along."""


def refuse_maps(stages: Sequence[StageRequest], calibration: Calibration | None) -> None:
    """Raise PipelineError for a calibration with maps: a crop does not know where in the frame it comes from."""
    if calibration is not None and not is_affine(calibration):
        raise PipelineError(
            f"found a calibration with maps for the stage {stages[0].name!r}, which runs on crops, expected one of "
            "offset and gain alone: let it read a stage whose image is calibrated"
        )


def one_by_one(stage: StageRequest) -> StageRequest:
    """The stage with steps whose statistics mix no crops: of each crop ("per_crop"), or of the whole frame.

    A step without `axes`, or with the batch among them, takes statistics of all that there is: that is the crop, or
    the frame, never those crops that happen to be run together.
    """
    alone = stage.normalise == "per_crop"
    inputs = tuple(_tensor(tensor, alone) for tensor in stage.inputs)
    return replace(stage, inputs=inputs, outputs=tuple(_tensor(tensor, True) for tensor in stage.outputs))


def _tensor(tensor: TensorDescription, alone: bool) -> TensorDescription:
    return replace(tensor, steps=tuple(_step(step, tensor.axes, alone) for step in tensor.steps))


def _step(step: Step, axes: Sequence[str], alone: bool) -> Step:
    if not is_measured(step):
        return step
    given = step.arguments.get("axes")
    others = [id for id in (axes if given is None else given) if id != BATCH]
    whole = given is None or BATCH in given
    return make_step(step.id, {**step.arguments, "axes": others if alone else [*others, BATCH], "of_all": whole})
