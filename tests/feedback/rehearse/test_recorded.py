"""Rules on recordings: the recording's own answers, or computed again; nothing is acted, moves are noted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onscope.drivers.rehearsal import truth_beside
from onscope.drivers.truth import TruthWriter
from onscope.runtime import Measure, Pipeline, Runtime, Stage, Track, block
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.gate import Gate
from onscope.runtime.feedback.rehearse import (
    NetworkAnswers,
    Pass,
    RecordedAnswers,
    RecordedMicroscope,
    report_of,
    run_pass,
)
from onscope.runtime.feedback.rehearse._recorded import limits_of, same_stages
from onscope.runtime.feedback.rules import RuleBook
from onscope.runtime.record import open_recording
from onscope.specimen import CLASSES, OBJECT, Truth, View
from tests.live.test_hosted import frame
from tests.live.test_labels import circles

RULES = """
schema: 1
rules:
  large:
    each: tracks
    when: {cells.area: {above: 300}}
    then:
      - recentre: {}
      - burst: {frames: 5, channel: GFP}
  crowd:
    when: {cells.count: {above: 1}}
    then: [set_power: {light: LED, power_mw: 3}]
"""
FRAMES = 5


def pipeline(folder: Path) -> Pipeline:
    stages = [Stage("nuclei", circles(folder / "circles")), Measure("cells", of="nuclei")]
    return Pipeline([*stages, Track("tracks", of="cells", max_distance=10, gap=2)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a small object and, but in the last frame, a large one, at a place of the stage."""
    made = tmp_path_factory.mktemp("recorded")
    with Runtime(pipeline(made), record=made / "run", worker="thread", admission=block(2)) as it:
        for n in range(FRAMES):
            objects = [(20, 20, 6)] + ([(50, 60, 14)] if n < FRAMES - 1 else [])
            it.submit(replace(frame(n, *objects), stage_um=(100.0, 200.0, 0.0), exposure_ms=20.0))
        assert it.drain(60)
    return made


def ran(folder: Path, *, networks: bool) -> tuple[Pass, RuleBook]:
    run = open_recording(folder / "run")
    book = RuleBook.from_text(RULES)
    book.check(pipeline(folder))
    on = RecordedMicroscope(run, limits_of(book), truth_beside(run.folder) or (lambda frame: None), look=networks)
    answers = NetworkAnswers(pipeline(folder), on.spec(), "cpu", 1) if networks else RecordedAnswers(run)
    gate = Gate(on.limits(), book.limits, DoseBook(None), armed=False)
    return run_pass(book, on, answers, gate, latency_s=0.0), book


def told(done: Pass) -> list[object]:
    return [(deed.proposal.rule, deed.verdict.action, deed.verdict.passed, deed.time_s) for deed in done.deeds]


def test_recorded_answers_are_those_that_networks_give_again(folder: Path) -> None:
    recorded, _ = ran(folder, networks=False)
    again, _ = ran(folder, networks=True)
    assert told(recorded) == told(again)
    assert recorded.results == again.results == FRAMES


def test_actions_are_counted_and_moves_noted(folder: Path) -> None:
    done, _ = ran(folder, networks=False)
    report = report_of(done, on="x", rules="r", seed=None, answers="recorded", armed=False, kinds=["metaphase"])
    assert report.actions == {"move_stage": 4, "burst": 4, "set_power": 4}
    assert (report.frames, report.taken, report.dose_j_cm2) == (FRAMES, 0, None)
    assert {score.true for score in report.scores} == {None}
    middle = np.array([60 - (frame(0).pixels.shape[1] - 1) / 2, 50 - (frame(0).pixels.shape[0] - 1) / 2]) * 0.5 * 0.7
    assert np.allclose(report.moves, np.array([100.0, 200.0]) + middle, atol=0.3)


def test_truth_beside_a_recording_judges(folder: Path, tmp_path: Path) -> None:
    run = open_recording(folder / "run")
    shape = run.spec().shape
    middle = ((shape[0] - 1) / 4, (shape[1] - 1) / 4)
    with TruthWriter(tmp_path / "truth") as writer:
        for n, each in enumerate(run.frames()):
            objects = np.zeros(1, OBJECT)
            objects["id"], objects["on"], objects["y_um"], objects["x_um"] = 7, True, 25.0, 30.0
            objects["kind"] = CLASSES.index("metaphase" if 1 <= n < 4 else "interphase")
            view = View(middle, (int(shape[0]), int(shape[1])), 0.5)
            labels = np.zeros(view.shape, np.int32)
            writer.add(n, each.pixels.astype(np.float32), Truth(10.0 * n, labels, labels, objects), view, each.id)
    truth = truth_beside(tmp_path)
    assert truth is not None
    book = RuleBook.from_text(RULES)
    book.check(pipeline(folder))
    on = RecordedMicroscope(run, limits_of(book), truth)
    gate = Gate(on.limits(), book.limits, DoseBook(None), armed=False)
    done = run_pass(book, on, RecordedAnswers(run), gate, latency_s=0.0)
    report = report_of(done, on="x", rules="r", seed=None, answers="recorded", armed=False, kinds=["metaphase"])
    (large,) = [score for score in report.scores if score.rule == "large"]
    assert (large.true, large.false, large.events, large.found) == (6, 2, 1, 1)
    assert large.delay_s == pytest.approx(0.0)
    json.dumps(report.as_json())


def test_stages_are_the_same_or_not(folder: Path) -> None:
    run = open_recording(folder / "run")
    same = pipeline(folder)
    assert same_stages(same, run)
    assert not same_stages(Pipeline([*same.stages[:2]]), run)
    assert RecordedAnswers(run).links == {"tracks": "cells"}


def test_a_recording_without_truth_has_none(folder: Path) -> None:
    assert truth_beside(folder / "run") is None
