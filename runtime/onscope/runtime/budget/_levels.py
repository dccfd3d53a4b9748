"""What runs at each level: the pipeline itself, and ways of it that are cheaper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._errors import PipelineError
from .._frame import FrameSpec
from .._pipeline import Pipeline
from .._stage import Stage
from .._swap import swapped_stage
from ._budget import Budget
from ._steps import Step

GRAIN = 16
"""Regions begin and end at multiples of so many pixels: networks halve their images some times."""

Region = tuple[int, int, int, int]
"""y, x, height and width in pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Level:
    """One way of running: `number` 0 is the pipeline itself. One of `every` windows is computed (0: none), on the
    central `roi` of each side."""

    number: int
    words: str
    pipeline: Pipeline
    every: int = 1
    roi: float = 1.0

    @property
    def networks(self) -> tuple[object, ...]:
        """What it needs opened: levels of the same share it."""
        return self.pipeline.stages, self.roi

    def replaced(self, stage: Stage) -> Level:
        """The level with another stage of the same name."""
        return replace(self, pipeline=self.pipeline.replaced(stage))

    def described(self) -> dict[str, Any]:
        """As plain values, for a recording."""
        from ..record import describe_packages, describe_pipeline

        told = describe_pipeline(self.pipeline)
        packages = describe_packages(self.pipeline)
        known = {"number": self.number, "words": self.words, "every": self.every, "roi": self.roi}
        return known | {"stages": told["stages"], "packages": packages}

    def way(self, spec: FrameSpec) -> dict[str, Any]:
        """What the worker must open for a camera's frames, as plain values; frames too small for `roi` are whole."""
        stages = [stage.message() for stage in self.pipeline.stages_of(spec.camera)]
        return {"stages": stages, "region": centre(spec.shape, self.roi)}


def centre(shape: tuple[int, ...], share: float) -> Region | None:
    """The central part of a frame (y, x, ...); None where it would be all of it."""
    spans = []
    for size in shape[:2]:
        long = max(1, round(size * share / GRAIN)) * GRAIN
        spans.append(((size - long) // 2 // GRAIN * GRAIN, long))
    (y, height), (x, width) = spans
    if height > shape[0] or width > shape[1] or (height, width) == tuple(shape[:2]):
        return None
    return y, x, height, width


def levels_of(pipeline: Pipeline, budget: Budget, provider: str) -> tuple[Level, ...]:
    """The pipeline, then what each step makes of the level before it. Raises PipelineError and PackageError."""
    levels = [Level(0, "nothing left out", pipeline)]
    for number, step in enumerate(budget.steps, 1):
        last = levels[-1]
        if not last.every:
            raise PipelineError(
                f"found the step {step} after pass-through, expected it before: nothing is computed then"
            )
        made = _taken(last, step, provider)
        if (made.networks, made.every) == (last.networks, last.every):
            raise PipelineError(f"found the step {step}, which changes nothing at its place, expected a cheaper way")
        words = ", ".join(map(str, budget.steps[:number]))
        levels.append(replace(made, number=number, words=words))
    return tuple(levels)


def _taken(level: Level, step: Step, provider: str) -> Level:
    if step.kind == "every":
        if step.number <= level.every:
            raise _refused(step, f"more than every={level.every} before it")
        return replace(level, every=int(step.number))
    if step.kind == "roi":
        if step.number >= level.roi:
            raise _refused(step, f"less than roi={level.roi:g} before it")
        return replace(level, roi=step.number)
    if step.kind == "pass-through":
        return replace(level, every=0)
    if step.kind == "skip":
        return replace(level, pipeline=_without(level.pipeline, step))
    if step.kind == "swap":
        made, _ = swapped_stage(level.pipeline, step.stage, step.value, provider)
        return replace(level, pipeline=level.pipeline.replaced(made))
    stage = next((each for each in level.pipeline.networks if each.name == step.stage), None)
    if stage is None:
        raise _refused(step, f"a stage that runs a package on frames, {_names(level.pipeline)}")
    return replace(level, pipeline=level.pipeline.replaced(replaced_precision(stage, step.value)))


def replaced_precision(stage: Stage, precision: str) -> Stage:
    """The stage with other weights; raises PipelineError when its package has none such."""
    return replace(stage, precision=precision, settings=dict(stage.settings))  # type: ignore[arg-type]


def _without(pipeline: Pipeline, step: Step) -> Pipeline:
    gone = {step.value}
    for stage in pipeline.stages:  # in the order in which they read each other
        if gone.intersection(stage.inputs):
            gone.add(stage.name)
    kept = [stage for stage in pipeline.stages if stage.name not in gone]
    if step.value not in {stage.name for stage in pipeline.stages}:
        raise _refused(step, f"a stage that is there, {_names(pipeline)}")
    if not kept:
        raise _refused(step, "one that leaves another stage: write pass-through for all")
    return Pipeline(kept, pipeline.gather, calibration=dict(pipeline.calibration) or None, merge=pipeline.merge)


def _names(pipeline: Pipeline) -> str:
    return "one of " + ", ".join(stage.name for stage in pipeline.stages)


def _refused(step: Step, expected: str) -> PipelineError:
    return PipelineError(f"found the step {step}, expected {expected}: correct it")
