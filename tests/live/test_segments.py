"""Frames that change in mid-run: new segments, prepared beside the acquisition, in order and accounted for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameMismatchError,
    FrameSpec,
    Pipeline,
    Runtime,
    Stage,
    block,
    keep_newest,
)
from onscope.runtime._cameras import SPARE
from onscope.runtime._shm import PREFIX, SYSTEM_FOLDER
from tests import models
from tests.models import SPEC, frame

Make = Callable[..., Runtime]
SMALL = FrameSpec((16, 24), "uint16", camera="cam")


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_under_block_a_change_of_roi_loses_no_frame_and_no_order(runtime: Make, worker: str) -> None:
    it = runtime(worker=worker, admission=block(2))
    results = it.subscribe(block(100))
    for segment, spec in enumerate([SPEC, SMALL, SPEC, FrameSpec((8, 8), camera="cam"), SMALL]):
        for n in range(6):
            it.submit(frame(n, spec=spec, segment=segment))
    assert it.drain(20)
    it.close()
    found = [(r.frame.id.segment, r.frame.id.seq, r["plus"].shape, int(r["plus"][0, 0])) for r in results]
    shapes = [SPEC.shape, SMALL.shape, SPEC.shape, (8, 8), SMALL.shape]
    assert found == [(s, n, shapes[s], n + 101) for s in range(5) for n in range(6)]
    assert it.ledger.counts["done"] == 30
    assert it.ledger.adds_up()


def test_frames_are_skipped_while_their_session_is_built_and_the_segment_is_told(
    runtime: Make, events: list[Event]
) -> None:
    it = runtime(worker="process", provider="scripted:slow=200@-1")
    it.submit(frame(0))
    assert it.drain(10)
    for n in range(100):
        it.submit(frame(n, spec=SMALL, segment=1, exposure_ms=5.0))
        time.sleep(0.005)
    assert it.drain(10)
    ends = [(row.state, row.reason) for row in it.ledger.table() if row.id.segment == 1]
    assert next(end for end, _ in groupby(ends)) == ("skipped", "preparing")
    assert ends[-1] == ("done", "")
    assert set(ends) <= {("done", ""), ("skipped", "preparing"), ("skipped", "queue")}
    assert [segment.spec.shape for segment in it.segments] == [SPEC.shape, SMALL.shape]
    it.close()
    (told,) = [event.message for event in events if event.kind == "segment"]
    assert told == "cam segment 1: 16x24 uint16, 5 ms, after 48x64 uint16"


def test_what_is_prepared_ahead_or_was_there_before_is_not_waited_for(runtime: Make) -> None:
    it = runtime(worker="process", admission=keep_newest(2))
    it.prepare(SMALL)
    for segment in range(6):
        it.submit(frame(0, spec=SMALL if segment % 2 else SPEC, segment=segment))
        assert it.drain(10)
    assert it.ledger.reasons == {"done": 6}


def test_an_exposure_alone_opens_a_segment_on_the_same_lane(runtime: Make, events: list[Event]) -> None:
    it = runtime(admission=block(2))
    for segment, exposure_ms in enumerate([10.0, 10.0, 50.0]):
        it.submit(frame(0, segment=segment, exposure_ms=exposure_ms))
    assert it.drain(10)
    assert it.ledger.reasons == {"done": 3}
    assert [segment.exposure_ms for segment in it.segments] == [10.0, 10.0, 50.0]
    it.close()
    assert [event.kind for event in events].count("segment") == 1, "a sequence like the last one is no news"
    assert [event.kind for event in events].count("preparing") == 4, "nothing was built again"


def test_windows_do_not_reach_over_segments(runtime: Make, folder: Path) -> None:
    it = runtime(models.pipeline(folder, window=3), admission=block(4))
    for segment in range(2):
        for n in range(4):
            it.submit(frame(n, segment=segment))
    assert it.drain(10)
    rows = [(row.id.segment, row.id.seq, row.state, row.reason) for row in it.ledger.table()]
    assert [row for row in rows if row[2] == "done"] == [(s, n, "done", "") for s in range(2) for n in range(3)]
    assert {row[3] for row in rows if row[2] == "skipped"} == {"gap", "incomplete window"}


def test_what_no_package_can_take_is_refused_and_the_next_segment_runs(runtime: Make, events: list[Event]) -> None:
    it = runtime(admission=block(2))
    it.submit(frame(0))
    floats = FrameSpec(SPEC.shape, "float32", camera="cam")
    it.submit(frame(0, spec=floats, segment=1))
    it.submit(frame(1, spec=floats, segment=1))
    it.submit(frame(0, segment=2))
    assert it.drain(10)
    assert it.ledger.counts["done"] == 2
    assert it.ledger.counts["failed"] == 2
    assert any("expected uint16" in reason for reason in it.ledger.reasons)
    it.close()
    assert [event.kind for event in events].count("refused") == 1


def test_a_frame_that_looks_different_within_its_segment_is_an_error_of_the_driver(runtime: Make) -> None:
    it = runtime()
    it.submit(frame(0))
    with pytest.raises(FrameMismatchError, match="open a new segment"):
        it.submit(frame(1, spec=SMALL))
    it.submit(frame(2))
    assert it.drain(5)
    assert it.ledger.adds_up()


def test_many_sizes_leave_only_a_few_lanes(runtime: Make) -> None:
    before = lanes()
    it = runtime(admission=block(2))
    for segment in range(12):
        it.submit(frame(0, spec=FrameSpec((8 + segment, 8), camera="cam"), segment=segment))
        assert it.drain(10)
    assert it.ledger.reasons == {"done": 12}
    assert len(it._path.dispatcher.routes) <= 2 + SPARE
    made = lanes() - before
    it.close()
    assert len(made) <= 2 * (3 + SPARE)
    assert lanes() <= before, "all are removed at the end"


def lanes() -> set[str]:
    """Segments of shared memory of this process; two per lane."""
    return {path.name for path in SYSTEM_FOLDER.glob(f"{PREFIX}-{os.getpid()}-*")}


@pytest.mark.long
@pytest.mark.parametrize("worker", ["process", "thread"])
def test_one_camera_is_not_held_up_by_another_that_is_prepared(folder: Path, runtime: Make, worker: str) -> None:
    slow = models.plus_one(folder / "slow")
    pipeline = Pipeline([Stage("fast", models.plus_one(folder / "fast"), camera="a"), Stage("slow", slow, camera="b")])
    provider = "scripted:slow=1500@-1/slow"
    it = runtime(pipeline, FrameSpec((8, 8), camera="a"), worker=worker, admission=block(2), provider=provider)
    results = it.subscribe(block(100))
    it.submit(Frame(FrameId("run", "b", 0, 0), np.zeros((8, 8), np.uint16)))
    for n in range(5):
        it.submit(Frame(FrameId("run", "a", 0, n), np.zeros((8, 8), np.uint16)))
    assert it.drain(10)
    it.close()
    order = [(result.frame.id.camera, list(result)) for result in results]
    assert order == [("a", ["fast"])] * 5 + [("b", ["slow"])]


def test_a_worker_that_dies_between_two_segments_keeps_the_order(runtime: Make) -> None:
    it = runtime(worker="process", admission=block(4), provider="scripted:die@3")
    results = it.subscribe(block(100))
    for segment, spec in enumerate([SPEC, SMALL]):
        for n in range(4):
            it.submit(frame(n, spec=spec, segment=segment))
    assert it.drain(20)
    it.close()
    delivered = [(result.frame.id.segment, result.frame.id.seq) for result in results]
    assert delivered == sorted(delivered)
    assert it.ledger.adds_up()
    assert it.ledger.counts["failed"] >= 1
