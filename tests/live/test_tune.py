"""Numbers of decoders changed while frames run: from a told frame on, over a worker's death, refused if wrong."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameSpec,
    OnscopeError,
    Pipeline,
    PipelineError,
    Result,
    Runtime,
    Stage,
    Subscription,
    block,
)
from onscope.runtime._tune import tunable
from onscope.runtime.record import open_recording
from onscope.runtime.record.recompute import recompute
from tests import models

Make = Callable[..., Runtime]
TOLD = "setting threshold"
NAMED = re.compile(r"from frame (\d+) of")


def rows(result: Result) -> int:
    return len(result["found"])


def next_of(results: Subscription) -> Result:
    result = results.take(60)
    assert result is not None
    return result


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_the_first_frame_with_it_is_the_told_one(runtime: Make, worker: str, events: list[Event]) -> None:
    it = runtime(worker=worker, admission=block(2))
    results = it.subscribe(block(400))
    firsts: dict[int, float] = {0: 1000.0}
    stop = threading.Event()

    def acquire() -> None:
        seq = 0
        while not stop.is_set():
            it.submit(models.frame(seq, 1500))
            seq += 1
            if seq > 390:
                return

    feeding = threading.Thread(target=acquire)
    feeding.start()
    answers = []
    for threshold in (2000.0, 1200.0, 1502.0, 1501.0):
        tuned = it.tune("found", threshold=threshold)
        assert tuned.before != tuned.after == {"threshold": threshold}
        answers.append(tuned.first)
    stop.set()
    feeding.join()
    assert it.drain(60)
    it.close()
    # An answer names no frame where none came within a second; the event always does.
    told = [int(words[1]) for each in events if each.kind == "tuned" and (words := NAMED.search(each.message))]
    for threshold, first, named in zip((2000.0, 1200.0, 1502.0, 1501.0), answers, told, strict=True):
        assert first is None or first.seq == named
        firsts[named] = threshold
    holds = 1000.0
    seen = list(results)
    for seq, result in enumerate(seen):
        assert result.frame.id.seq == seq  # none is missing
        holds = firsts.get(seq, holds)
        assert rows(result) == (8 if holds <= 1501 else 0)
        assert result.parameters.get("found", {}) == ({} if holds == 1000 else {TOLD: holds})
    assert it.ledger.counts["done"] == len(seen) == len(it.ledger.table())
    assert f"found: threshold 1000 to 2000, from frame {told[0]} of segment 0 of cam on" in [e.message for e in events]


def test_what_may_be_tuned(runtime: Make) -> None:
    it = runtime()
    (one,) = it.tunable
    assert one[:3] == ("found", "threshold", 1000.0)
    assert one.least == -float("inf")
    assert "lowest score" in one.meaning
    it.tune("found", threshold=7)
    assert it.tunable[0].value == 7
    assert it.pipeline.networks[2].settings["threshold"] == 7


@pytest.mark.parametrize(
    ("stage", "new", "words"),
    [
        ("lost", {"threshold": 1}, "expected one of found"),
        ("found", {}, "found no setting to tune"),
        ("found", {"treshold": 1}, "expected one of threshold"),
        ("found", {"columns": ["y", "x", "score"]}, "is compiled into its graph"),
        ("found", {"threshold": float("nan")}, "expected a finite number"),
        ("found", {"threshold": True}, "expected a finite number"),
        ("found", {"threshold": "low"}, "expected a finite number"),
        ("plus", {"threshold": 1}, "this stage has none"),
    ],
)
def test_wrong_ones_change_nothing(runtime: Make, stage: str, new: dict[str, float], words: str) -> None:
    it = runtime()
    results = it.subscribe(block(4))
    with pytest.raises(PipelineError, match=words):
        it.tune(stage, **new)
    it.submit(models.frame(0, 1500))
    result = next_of(results)
    assert (rows(result), dict(result.parameters)) == (8, {})


def test_the_worker_dies_right_after(runtime: Make, events: list[Event]) -> None:
    it = runtime(worker="process", admission=block(2))
    results = it.subscribe(block(400))
    it.submit(models.frame(0, 1500))
    assert rows(next_of(results)) == 8
    feeding = threading.Thread(target=lambda: [it.submit(models.frame(seq, 1500)) for seq in range(1, 60)])
    feeding.start()
    it.tune("found", threshold=1700)
    os.kill(it.worker_pid, signal.SIGKILL)
    feeding.join()
    it.drain(60)
    it.submit(models.frame(60, 1500))
    it.submit(models.frame(61, 1800))
    assert it.drain(60)
    it.close()
    seen = {result.frame.id.seq: result for result in results}
    assert it.ledger.counts["done"] == len(seen) + 1  # with the first
    assert it.ledger.counts["done"] + it.ledger.counts["failed"] == len(it.ledger.table()) == 62
    assert [rows(seen[seq]) for seq in (60, 61)] == [0, 8]
    told = [each.message for each in events if each.kind == "tuned"]
    first = min(seq for seq, result in seen.items() if TOLD in result.parameters.get("found", {}))
    states = {row.id.seq: row.state for row in it.ledger.table()}
    named = int(told[-1].split("from frame ")[1].split()[0])
    assert named <= first  # those between have failed with the worker
    assert all(states[seq] == "failed" for seq in range(named, first))
    assert all(rows(result) == (0 if seq >= named else 8) for seq, result in seen.items() if seq < 61)


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_a_look_that_comes_later_has_it_too(runtime: Make, worker: str) -> None:
    it = runtime(worker=worker, admission=block(2))
    results = it.subscribe(block(8))
    tuned = it.tune("found", threshold=1700)
    assert tuned.first is None  # nothing has run since
    small = FrameSpec((16, 16), "uint16", camera="other")
    it.prepare(small)
    it.submit(models.frame(0, 1500, small))
    result = next_of(results)
    assert (rows(result), dict(result.parameters["found"])) == (0, {TOLD: 1700})


def test_one_that_is_being_opened_has_it_too(runtime: Make) -> None:
    it = runtime(spec=None, worker="process", admission=block(2))
    results = it.subscribe(block(8))
    feeding = threading.Thread(target=lambda: [it.submit(models.frame(seq, 1500)) for seq in range(4)])
    feeding.start()
    it.tune("found", threshold=1700)
    feeding.join()
    assert it.drain(60)
    it.close()
    assert {rows(result) for result in results} == {0}


def test_a_closed_one_says_so(runtime: Make) -> None:
    it = runtime()
    it.close()
    with pytest.raises(OnscopeError, match="closed"):
        it.tune("found", threshold=3)


@pytest.mark.long
def test_a_recording_knows_it(runtime: Make, tmp_path: Path) -> None:
    it = runtime(worker="process", admission=block(2), record=tmp_path / "run")
    results = it.subscribe(block(20))
    for seq in range(10):
        if seq == 5:
            assert it.drain(60)
            it.tune("found", threshold=1700)
        it.submit(models.frame(seq, 1500))
    assert it.drain(60)
    it.close()
    assert [rows(result) for result in results] == [8] * 5 + [0] * 5
    run = open_recording(tmp_path / "run")
    values = run.table("values").to_pylist()
    assert {(row["seq"], row["name"], row["value"]) for row in values} == {(seq, TOLD, 1700.0) for seq in range(5, 10)}
    (event,) = [each for each in run.manifest["events"] if each["kind"] == "tuned"]
    assert event["message"] == "found: threshold 1000 to 1700, from frame 5 of segment 0 of cam on"
    again = recompute(run, run.table("results"), run.table("values"), sample=None)
    assert again.stages["found"].identical == 10
    assert not again.stages["found"].wrong


@pytest.mark.long
def test_numbers_of_a_steps_decoder(runtime: Make, tmp_path: Path) -> None:
    spec = FrameSpec((128, 128), "uint16", camera="cam", pixel_size_um=0.1625)
    y, x = np.mgrid[:128, :128]
    blobs = [1500 * np.exp(-((y - at) ** 2 + (x - at) ** 2) / 300) for at in (32, 96)]
    pixels = (200 + sum(blobs)).astype(np.uint16)
    made = Pipeline([Stage("nuclei", "zoo/nuclei-cells")])
    it = runtime(made, spec=spec, worker="process", admission=block(2), record=tmp_path / "run")
    known = {each.name: each for each in it.tunable}
    assert known["prob_threshold"][2:5] == (0.5, 0, 1)
    assert list(known) == ["prob_threshold", "nms_threshold"]
    results = it.subscribe(block(8))
    for seq, least in enumerate((None, 0.9999, 0.5)):
        if least is not None:
            it.tune("nuclei", prob_threshold=least)
        it.submit(Frame(FrameId("run", "cam", 0, seq), pixels, "yx", pixel_size_um=0.1625))
        result = next_of(results)
        assert result["nuclei"].max() == (0 if least == 0.9999 else 2)
        told = {} if least is None else {"setting prob_threshold": least}
        assert {name: value for name, value in result.parameters["nuclei"].items() if name in told} == told
    with pytest.raises(PipelineError, match="of at least 0 and at most 1"):
        it.tune("nuclei", nms_threshold=1.5)
    it.close()
    run = open_recording(tmp_path / "run")
    again = recompute(run, run.table("results"), run.table("values"), sample=None)
    assert again.stages["nuclei"].identical == 3


def test_a_number_that_changes_nothing_is_not_offered() -> None:
    best = Stage("best", "zoo/mitosis-cells")  # of classes that exclude each other the best is told, whatever its score
    several = Stage("several", "zoo/mitosis-cells", settings={"multi_label": True})
    assert [each.stage for each in tunable(Pipeline([best, several]))] == ["several"]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 3000), st.sampled_from([1500, 1501, 1502])), max_size=30))
def test_any_order_of_frames_and_changes(folder: Path, steps: list[int | None]) -> None:
    with Runtime(models.pipeline(folder), worker="thread", admission=block(40), on_event=lambda event: None) as it:
        it.prepare(models.SPEC)
        results = it.subscribe(block(40))
        expected, holds = [], 1000
        it.submit(models.frame(0, 1500))
        for number, step in enumerate([None, *steps], 1):
            if step is not None:
                assert it.drain(60)
                with ThreadPoolExecutor(1) as pool:
                    waiting = pool.submit(it.tune, "found", threshold=step)
                    until_pending(it)
                    it.submit(models.frame(number, 1500))
                    first = waiting.result().first
                assert first is not None
                assert first.seq == number
                holds = step
            else:
                it.submit(models.frame(number, 1500))
            expected.append(8 if holds <= 1501 else 0)
        assert it.drain(60)
        assert [rows(next_of(results)) for _ in (8, *expected)] == [8, *expected]


def until_pending(it: Runtime) -> None:
    while not it._path.dispatcher.changes.pending:
        time.sleep(0.001)


def test_stages_of_a_pipeline_keep_what_they_are(folder: Path) -> None:
    stage = Stage("found", models.brightest(folder / "found"), channel=[0, "FITC"], camera="cam", trust="off")
    with Runtime(Pipeline([stage]), worker="thread") as it:
        it.tune("found", threshold=3.5)
        (made,) = it.pipeline.networks
        assert (made.channel, made.camera, made.trust) == (stage.channel, stage.camera, stage.trust)
        assert made.settings == {**stage.settings, "threshold": 3.5}
        assert stage.settings["threshold"] == 1000
