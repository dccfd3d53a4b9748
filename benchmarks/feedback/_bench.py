"""A microscope that is told something with every frame: a real core, real rules, a network that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tests.models import brightest

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import CoreController, calibration_of
from onscope.runtime import Pipeline, Runtime, Stage
from onscope.runtime.feedback.loop import Feedback
from onscope.runtime.feedback.rules import RuleBook

from .._material import ListSource, images
from ._plan import Plan

Kind = Literal["thread", "process"]
RULES = """
from onscope.runtime.feedback import SetPower
from onscope.runtime.feedback.rules import rule


@rule(name="with every frame")
def with_every_frame(seen):
    yield SetPower("LED 475", 1.0 + seen.number % 2)
"""
"""Setting a power is one call to the core, and nothing moves that would have to be waited for."""


@contextmanager
def running(
    plan: Plan, folder: Path, worker: Kind, rules_in: Kind, patience_s: float = 5.0
) -> Iterator[tuple[Runtime, Feedback, ListSource]]:
    """Runtime and armed feedback, and a source of frames at the plan's pace."""
    folder.mkdir(parents=True)
    (folder / "rules.py").write_text(RULES)
    rules: Any = folder / "rules.py"
    if rules_in == "thread":
        rules = RuleBook.from_python(rules)
    quick = specimen.Hardware(camera=specimen.CameraModel(shape=(64, 64)))
    scene = specimen.FieldOfBeads(np.zeros((0, 3)), extent_um=(100.0, 100.0))
    pipeline = Pipeline([Stage("found", brightest(folder / "found"))])
    source = ListSource(images(plan.size, 4), round(plan.interval_ms * 1e6))
    with (
        specimen.open(scene, hardware=quick, buffer_mb=16) as scope,
        Runtime(pipeline, worker=worker, provider="null:0", on_event=lambda event: None) as run,
    ):
        run.prepare(source.spec())
        controller = CoreController(scope, calibration_of(scope))
        with Feedback(
            run,
            rules,
            controller,
            armed=True,
            journal=folder / "feedback.jsonl",
            rules_in=rules_in,
            patience_s=patience_s,
        ) as feedback:
            yield run, feedback, source
