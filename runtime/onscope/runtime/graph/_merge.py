"""Which consecutive stages become one graph. Pure: looks at requests alone, at no file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..package import TensorDescription
from ._decide import BEHIND
from ._types import Raw, StageRequest
from .steps import is_decoder, needs


def groups(stages: Sequence[StageRequest], raw: Raw) -> list[tuple[StageRequest, ...]]:
    """The stages in their order, cut where one cannot be in the graph of those before it (see `why_alone`).

    All stages of a group read the same picture, the raw frame or the image of one stage of an earlier group, or each
    other.
    """
    cut: list[list[StageRequest]] = []
    for stage in stages:
        if cut and not why_alone(cut[-1], stage):
            cut[-1].append(stage)
        else:
            cut.append([stage])
    return [tuple(group) for group in cut]


def reasons(stages: Sequence[StageRequest], raw: Raw) -> dict[str, str]:
    """Why a stage is not in the graph of the one before it, by name; the first one, and those that are, have none."""
    cut = groups(stages, raw)
    return {after[0].name: why_alone(before, after[0]) for before, after in pairwise(cut)}


def why_alone(group: Sequence[StageRequest], stage: StageRequest) -> str:
    """Why `stage` is no part of the graph of `group`; "" when it can be."""
    names = {each.name: each for each in group}
    before = names.get(stage.reads)
    outside = {each.reads for each in group if each.reads not in names}
    if before is None and outside != {stage.reads}:
        return f"it reads {stage.reads}, those before it {', '.join(sorted(outside))}"
    for each in (stage, *group):
        if each.tile is not None:
            return f"{each.name} is run in tiles"
    if before is not None:
        decoded = [step.id for step in before.outputs[0].steps if is_decoder(step)]
        if decoded:
            return f"{decoded[0]} of {before.name} is no graph operation"
        if before.settings.get("decode") in BEHIND:
            return f"the {before.settings['decode']} of {before.name} is made on the host"
        if stage.normalise in ("frozen", "running") and measured(stage):
            return f"{stage.normalise} statistics of {before.name} need its image on the host"
    return ""


def measured(stage: StageRequest) -> bool:
    """Whether a step of the stage normalises with statistics of the stage's input."""
    own = {tensor.name for tensor in stage.inputs}
    return any(
        _of_inputs(statistic.tensor, tensor, own)
        for tensor in (*stage.inputs, *stage.outputs)
        for step in tensor.steps
        for statistic in needs(step, tensor)
    )


def _of_inputs(name: str, tensor: TensorDescription, inputs: set[str]) -> bool:
    return (name or tensor.name) in inputs
