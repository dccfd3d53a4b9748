"""A budget over a live path: what gives way, what results and accounts say of it, and what stays as it was."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import (
    Budget,
    Event,
    FrameSpec,
    Gather,
    Pipeline,
    PipelineError,
    Runtime,
    Stage,
    block,
)
from onscope.runtime.record import open_recording
from onscope.runtime.record.recompute import recompute
from tests import models
from tests.deadline.live import SPEC, Make, frame, next_of, plus_two, take, told, until


@pytest.mark.parametrize("worker", ["process", "thread", pytest.param("box", marks=pytest.mark.slow)])
def test_a_region_answers_in_raw_coordinates(runtime: Make, plus: Pipeline, events: list[Event], worker: str) -> None:
    it = runtime(plus, ["roi=0.5"], worker=worker)
    results = it.subscribe(block(100))
    came = take(it, results, 10)
    assert [came[0].level, came[-1].level, it.level] == [0, 1, 1]
    whole, part = came[0], came[-1]
    y, x, height, width = 16, 16, 32, 48
    inside = np.zeros(SPEC.shape, bool)
    inside[y : y + height, x : x + width] = True
    assert part["plus"].shape == whole["plus"].shape
    assert np.array_equal(part["plus"], np.where(inside, whole["plus"], 0))
    assert np.array_equal(part["double"], np.where(np.kron(inside, np.ones((2, 2), bool)), whole["double"], 0))
    assert part.scales == whole.scales == {"plus": 1.0, "double": 2.0}
    # `found` answers y = 0 and the pixel's index as x: of the region alone, and then moved by its place.
    assert sorted(part["found"]["x"]) == [(30 - y) * width + at - x + x for at in range(40, 48)]
    assert set(part["found"]["y"]) == {y}
    first = next(result for result in came if result.level)
    (message,) = told(events, "degraded")
    assert message.startswith("level 1 of 1, roi=0.5: 95th percentile of ")
    assert message.endswith(f", from frame {first.frame.id.seq} of segment 0 of cam on")
    assert [result.level for result in came] == sorted(result.level for result in came)
    for result in came:
        assert {stage: each["budget level"] for stage, each in result.parameters.items()} == dict.fromkeys(
            ("plus", "double", "found"), result.level
        )
        assert result.provenance["plus"].package == whole.provenance["plus"].package
    assert part.provenance["plus"].graph_sha256 != whole.provenance["plus"].graph_sha256


def test_floats_are_nan_outside_of_the_region(runtime: Make, tmp_path: Path) -> None:
    spec = FrameSpec(SPEC.shape, "float32", camera="cam")
    it = runtime(Pipeline([Stage("root", models.root(tmp_path / "root"))]), ["roi=0.5"])
    it.prepare(spec)
    results = it.subscribe(block(100))
    for seq in range(8):
        it.submit(models.frame(seq, 4, spec))
        part = next_of(results)
        time.sleep(0.04)
    assert part.level == 1
    assert np.isnan(part["root"]).sum() == 64 * 96 - 32 * 48
    assert np.nanmin(part["root"]) == np.nanmax(part["root"]) == 2


def test_frames_that_are_left_out_have_an_account(runtime: Make, plus: Pipeline) -> None:
    it = runtime(plus, ["every=3"])
    results = it.subscribe(block(200))
    first = until(it, results, 1)
    before = it.ledger.counts["done"]
    for seq in range(first, first + 60):
        it.submit(frame(seq))
    assert it.drain(60)
    assert it.ledger.reasons == {"done": before + 20, "skipped(budget)": 40}
    assert it.ledger.adds_up()


def test_channels_that_take_turns_are_left_out_alike(runtime: Make, plus: Pipeline) -> None:
    it = runtime(plus, ["every=2"])
    results = it.subscribe(block(200))
    first = until(it, results, 1)
    for seq in range(first, first + 40):
        it.submit(frame(seq, index={"t": seq // 2, "c": seq % 2}))
    assert it.drain(60)
    it.close()
    channels = [result.frame.index["c"] for result in results if "c" in result.frame.index]
    assert sorted(channels) == [0] * 10 + [1] * 10


def test_stages_are_left_out_with_those_that_read_them(runtime: Make, plus: Pipeline) -> None:
    it = runtime(plus, ["skip=found", "skip=double"])
    results = it.subscribe(block(100))
    came = take(it, results, 14)
    assert [list(result) for result in came if result.level == 1][:1] == [["plus", "double"]]
    assert list(came[-1]) == ["plus"]
    assert "found" not in came[-1].provenance
    assert np.array_equal(came[-1]["plus"], came[0]["plus"])


def test_another_package_and_what_is_tuned_of_both(runtime: Make, plus: Pipeline, tmp_path: Path) -> None:
    other = plus_two(tmp_path / "two")
    it = runtime(plus, [f"swap:plus={other.folder}"])
    results = it.subscribe(block(100))
    came = take(it, results, 8)
    assert int(came[0]["plus"][0, 0]) == 101
    assert int(came[-1]["plus"][0, 0]) == 102
    assert came[-1].provenance["plus"].package == other.package_sha256 != came[0].provenance["plus"].package
    it.tune("found", threshold=5000)
    (late,) = take(it, results, 1, first=8)
    assert len(late["found"]) == 0
    assert late.parameters["found"] == {"setting threshold": 5000, "budget level": 1}
    with pytest.raises(PipelineError, match="a run whose budget has ways of its own open"):
        it.swap("plus", other)


@pytest.mark.long
def test_nothing_is_computed_and_tried_again(runtime: Make, plus: Pipeline, events: list[Event]) -> None:
    it = runtime(plus, ["pass-through"])
    results = it.subscribe(block(400))
    started, seq = time.monotonic(), until(it, results, 1)
    while not told(events, "restored") and time.monotonic() - started < 60:
        it.submit(frame(seq))
        seq += 1
        time.sleep(0.05)
    assert it.ledger.reasons["skipped(budget)"] > 100
    (message,) = told(events, "restored")
    assert message.startswith(
        "level 0 of 1, nothing left out: tried, since nothing was measured for a while, from frame"
    )
    it.submit(frame(seq))
    assert next_of(results).level == 0
    assert it.drain(60)
    assert it.ledger.adds_up()


def test_windows_in_time_stay_whole(runtime: Make, tmp_path: Path) -> None:
    window = Gather(3, "t", every=1)
    it = runtime(Pipeline([Stage("mean", models.window_mean(tmp_path / "mean", 3))], window), ["every=2"])
    results = it.subscribe(block(400))
    for seq in range(80):
        it.submit(frame(seq, index={"t": seq}))
        if it.level == 0 and seq > 1:
            next_of(results)
            time.sleep(0.04)
    assert it.drain(60)
    it.close()
    came = list(results)
    assert len(came) > 20
    for result in came:
        last = result.frame.id.seq
        assert [each.id.seq for each in result.frames] == [last - 2, last - 1, last]
    reasons = it.ledger.reasons
    assert set(reasons) == {"done", "skipped(incomplete window)", "skipped(budget)"}
    assert it.ledger.adds_up()


def test_a_dead_worker_comes_back_with_all_ways(runtime: Make, plus: Pipeline) -> None:
    it = runtime(plus, ["roi=0.5"], worker="process")
    results = it.subscribe(block(100))
    assert take(it, results, 8)[-1].level == 1
    os.kill(it.worker_pid, signal.SIGKILL)
    for seq in range(8, 12):
        it.submit(frame(seq))
    assert it.drain(60)
    it.close()
    came = list(results)
    assert came
    assert {result.level for result in came} == {1}
    assert it.ledger.adds_up()


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["evry=2"], "found the step 'evry=2'"),
        (["every=1"], "a whole number from 2"),
        (["roi=1.5"], "a share above 0 and below 1"),
        (["every=4", "every=2"], "more than every=4 before it"),
        (["skip=lost"], "expected a stage that is there, one of plus, double, found"),
        (["skip=plus"], "write pass-through for all"),
        (["precision:plus=int8"], "int8"),
        (["swap:lost=nowhere"], "lost"),
        (["pass-through", "every=2"], "after pass-through"),
        (["swap:plus"], "expected every=N"),
        ([], "expected a list of"),
    ],
)
def test_wrong_steps_are_refused(plus: Pipeline, steps: list[str], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        Runtime(plus, worker="thread", budget=Budget(40, steps))


@pytest.mark.long
def test_a_recording_knows_and_computes_it_again(runtime: Make, plus: Pipeline, tmp_path: Path) -> None:
    other = plus_two(tmp_path / "two")
    steps = ["roi=0.5", f"swap:plus={other.folder}", "skip=double"]
    it = runtime(plus, steps, record=tmp_path / "run")
    results = it.subscribe(block(100))
    came = take(it, results, 20)
    assert {result.level for result in came} == {0, 1, 2, 3}
    doubled = sum(result.level < 3 for result in came)
    del came
    assert it.drain(60)
    it.close()
    run = open_recording(tmp_path / "run")
    assert [level["words"] for level in run.manifest["budget"]["levels"]][:2] == ["nothing left out", "roi=0.5"]
    assert [(each["before"], each["after"]) for each in run.manifest["budget_changes"]] == [(0, 1), (1, 2), (2, 3)]
    kinds = [each["kind"] for each in run.manifest["events"]]
    assert kinds.count("degraded") == 3
    assert len(run.table("frames")) == 20
    again = recompute(run, run.table("results"), run.table("values"), sample=None)
    assert {name: (stage.identical, stage.off, stage.skipped) for name, stage in again.stages.items()} == {
        "plus": (20, 0, {}),
        "double": (doubled, 0, {}),
        "found": (20, 0, {}),
    }
    assert not any(stage.unlike for stage in again.stages.values())
