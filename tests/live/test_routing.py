"""Stages choose frames by camera, channel and position; the rest is accounted for, and the order kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onscope.runtime import FrameSpec, Pipeline, PipelineError, Runtime, Stage, block
from tests import models
from tests.models import frame

Make = Callable[..., Runtime]
SPEC = FrameSpec((8, 8), camera="cam")


@pytest.fixture
def plus(folder: Path) -> Path:
    return models.plus_one(folder / "route").folder


def test_stages_choose_by_channel_and_position(runtime: Make, plus: Path) -> None:
    pipeline = Pipeline(
        [
            Stage("all", plus),
            Stage("dapi", plus, reads="all", channel="DAPI"),
            Stage("second", plus, channel=1, position=[0, "B2"]),
        ]
    )
    it = runtime(pipeline, SPEC, admission=block(2))
    results = it.subscribe(block(20))
    places = [(0, 0), (1, 0), (0, 1), (1, 1), (1, 2)]
    for n, (c, p) in enumerate(places):
        labels = {"c": ("DAPI", "GFP")[c], "p": ("A1", "B2", "C3")[p]}
        it.submit(frame(n, spec=SPEC, index={"c": c, "p": p}, labels=labels))
    assert it.drain(10)
    it.close()
    found = [(result.frame.id.seq, list(result)) for result in results]
    assert found == [
        (0, ["all", "dapi"]),
        (1, ["all", "second"]),
        (2, ["all", "dapi"]),
        (3, ["all", "second"]),
        (4, ["all"]),
    ]
    assert it.ledger.reasons == {"done": 5}


def test_a_stage_runs_only_where_what_it_reads_ran(runtime: Make, plus: Path) -> None:
    pipeline = Pipeline([Stage("first", plus, channel=0), Stage("after", plus, reads="first"), Stage("own", plus)])
    it = runtime(pipeline, SPEC, admission=block(2))
    results = it.subscribe(block(20))
    for n in range(2):
        it.submit(frame(n, spec=SPEC, index={"c": n}))
    assert it.drain(10)
    it.close()
    assert [list(result) for result in results] == [["first", "after", "own"], ["own"]]


def test_answers_are_those_of_the_chosen_stages(runtime: Make, folder: Path, plus: Path) -> None:
    pipeline = Pipeline([Stage("plus", plus, channel=0), Stage("double", models.double(folder / "d"), channel=1)])
    it = runtime(pipeline, SPEC, worker="process", admission=block(2))
    results = it.subscribe(block(20))
    for n in range(4):
        it.submit(frame(n, spec=SPEC, index={"c": n % 2}))
    assert it.drain(10)
    it.close()
    for n, result in enumerate(results):
        (name,) = result
        assert name == ("plus", "double")[n % 2]
        assert result[name].shape == ((8, 8), (16, 16))[n % 2]
        assert (result[name] == n + (101, 100)[n % 2]).all()
        assert set(result.stamps.stages) == {name}


def test_frames_that_no_stage_wants_are_skipped_and_said_so(runtime: Make, plus: Path) -> None:
    it = runtime(Pipeline([Stage("plus", plus, camera="other", channel=2)]), SPEC)
    other = FrameSpec((8, 8), camera="other")
    for n in range(3):
        it.submit(frame(n, spec=SPEC))
    for n in range(3):
        it.submit(frame(n, spec=other, index={"c": n}))
    assert it.drain(10)
    assert it.ledger.counts["open"] == 0
    assert {row.reason for row in it.ledger.table()} <= {"not chosen", "preparing", ""}
    assert {row.reason for row in it.ledger.table() if row.id.camera == "cam"} == {"not chosen"}


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_two_cameras_each_in_its_order(runtime: Make, plus: Path, worker: str) -> None:
    it = runtime(Pipeline([Stage("plus", plus)]), SPEC, worker=worker, admission=block(2))
    other = FrameSpec((4, 4), "uint16", camera="other")
    it.prepare(other)
    results = it.subscribe(block(100))
    for n in range(20):
        for spec in (SPEC, other):
            it.submit(frame(n, spec=spec))
    assert it.drain(10)
    it.close()
    seen: dict[str, list[int]] = {"cam": [], "other": []}
    for result in results:
        seen[result.frame.id.camera].append(result.frame.id.seq)
        assert (result["plus"] == result.frame.id.seq + 101).all()
    assert seen == {"cam": list(range(20)), "other": list(range(20))}


def test_a_stage_that_could_never_run_is_refused(plus: Path) -> None:
    with pytest.raises(PipelineError, match="another camera than 'first'"):
        Pipeline([Stage("first", plus, camera="a"), Stage("second", plus, reads="first", camera="b")])
    Pipeline([Stage("first", plus, channel=0), Stage("second", plus, reads="first", channel="DAPI")])


def test_choices_are_read_from_yaml(plus: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        "schema: 1\nstages:\n"
        f"  a: {{package: {plus}, camera: left, channel: [DAPI, 2], position: 0}}\n  b: {{package: {plus}}}\n"
    )
    first, second = Pipeline.load(path).stages
    assert (first.camera, first.channel, first.position) == (
        frozenset({"left"}),
        frozenset({"DAPI", 2}),
        frozenset({0}),
    )
    assert (second.camera, second.channel, second.position) == (None, None, None)
    path.write_text(f"schema: 1\nstages:\n  a: {{package: {plus}, channel: -1}}\n")
    with pytest.raises(PipelineError, match="line 3"):
        Pipeline.load(path)
