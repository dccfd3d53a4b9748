"""Rehearsals small enough for tests: a plate of 100 um on which cells divide all the time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from onscope.drivers.rehearsal import VirtualMicroscope
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.gate import Gate
from onscope.runtime.feedback.rehearse import Detector, Pass, TruthAnswers, run_pass, usual_pipeline
from onscope.runtime.feedback.rules import RuleBook
from onscope.specimen.scenarios import Scenario, read_scenario

SIDE = 200

MITOSIS = """
schema: 1
rules:
  mitosis:
    each: phase
    when: {score_metaphase: {above: 0.5}}
    then:
      - tiles: {rows: 1, columns: 1}
    cooldown: 5 minutes per object
"""


def busy(**more: object) -> Scenario:
    """Rare-event where it is not rare."""
    told = read_scenario("rare-event")
    assert told.sample.cells is not None
    cells = replace(
        told.sample.cells,
        count=20,
        extent_um=(100.0, 100.0),
        cycle_h=3.0,
        mitotic_fraction=0.2,
        deaths_per_hour=0.0,
        **more,  # type: ignore[arg-type]
    )
    place = replace(told.acquisition, stage_um=(50.0, 50.0), shape=(SIDE, SIDE), interval_s=120.0)
    return replace(told, sample=replace(told.sample, cells=cells, age_s=600.0), acquisition=place)


def ran(
    text: str = MITOSIS,
    detector: Detector = Detector(),  # noqa: B008
    *,
    seed: int = 1,
    hours: float = 1.5,
    armed: bool = True,
    scenario: Scenario | None = None,
) -> Pass:
    """A pass of a rule file with the truth in the networks' place."""
    book = RuleBook.from_text(text, Path("rules.yaml"))
    book.check(usual_pipeline())
    on = VirtualMicroscope(scenario or busy(), seed=seed, hours=hours, look=False)
    gate = Gate(on.limits(), book.limits, DoseBook(None), armed=armed)
    answers = TruthAnswers(detector, seed, ("nuclei", "cells", "tracks", "phase"))
    return run_pass(book, on, answers, gate, armed=armed)
