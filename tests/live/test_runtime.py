"""The runtime as its users see it: right answers, in order, under every policy, with every frame accounted for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from onscope.runtime import (
    Frame,
    FrameId,
    FrameSpec,
    Pipeline,
    Result,
    Runtime,
    SourceError,
    Stage,
    WorkerError,
    block,
    keep_newest,
    keep_oldest,
)
from tests import models
from tests.models import SPEC, frame

Make = Callable[..., Runtime]


class Frames:
    """A source of made-up frames, with a pause before each."""

    def __init__(self, frames: list[Frame], pause_s: float = 0.0, error: Exception | None = None) -> None:
        self._frames = frames
        self._pause_s = pause_s
        self._error = error
        self.closed = False

    def spec(self) -> FrameSpec:
        return SPEC

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        try:
            for each in self._frames[:n]:
                time.sleep(self._pause_s)
                yield each
            if self._error:
                raise self._error
        finally:
            self.closed = True


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_every_stage_answers_rightly_and_in_order(runtime: Make, worker: str) -> None:
    it = runtime(worker=worker, admission=block(2))
    results = list(it.stream(Frames([frame(n, 995 + n) for n in range(30)])))
    assert [result.frame.id.seq for result in results] == list(range(30))
    for n, result in enumerate(results):
        value = 996 + n
        assert result.frame.pixels.shape == SPEC.shape
        assert (result.frame.pixels == value - 1).all()
        assert (result["plus"] == value).all()
        assert result["double"].shape == (96, 128)
        assert (result["double"] == value).all()
        assert len(result["found"]) == (8 if value >= 1000 else 0)
        assert result["found"].dtype.names == ("y", "x", "score")
        assert (result["found"]["score"] == value).all()
        assert result.scales == {"plus": 1.0, "double": 2.0}
        assert result.provenance["plus"].provider == "cpu"
        assert result.state == "done"
    assert it.ledger.counts == {"done": 30, "late": 0, "skipped": 0, "failed": 0, "lost_upstream": 0, "open": 0}
    assert it.ledger.adds_up()


def test_stamps_rise_and_steps_add_up_to_the_latency(runtime: Make) -> None:
    (result,) = runtime(worker="process").stream(Frames([frame(0)]))
    stamps = result.stamps
    stages = [moment for pair in dict.fromkeys(stamps.stages.values()) for moment in pair]
    way = [stamps.received, stamps.submitted, stamps.copied, stamps.sent, stamps.started, *stages, stamps.finished]
    assert [*way, stamps.delivered] == sorted([*way, stamps.delivered])
    assert sum(stamps.steps_ms().values()) == pytest.approx(result.latency_ms)


def test_results_stay_as_they_are_for_as_long_as_they_are_kept(runtime: Make) -> None:
    it = runtime(admission=block(1))
    kept: list[Result] = list(it.stream(Frames([frame(n) for n in range(40)])))
    it.close()
    assert [int(result["plus"][0, 0]) for result in kept] == [n + 101 for n in range(40)]
    assert [int(result.frame.pixels[5, 5]) for result in kept] == [n + 100 for n in range(40)]
    with pytest.raises(ValueError, match="read-only"):
        kept[0]["plus"][0, 0] = 0


@pytest.mark.parametrize(("policy", "first", "last"), [(keep_newest(3), 0, 19), (keep_oldest(3), 0, 4)])
def test_overload_is_a_policy_and_a_number(runtime: Make, policy: object, first: int, last: int) -> None:
    it = runtime(admission=policy, provider="null:60")
    results = it.subscribe(block(50))
    for n in range(20):
        it.submit(frame(n))
    assert it.drain(10)
    got = []
    while (result := results.take(0)) is not None:
        got.append(result.frame.id.seq)
    assert got == sorted(got)
    assert (got[0], got[-1]) == (first, last)
    assert it.ledger.reasons == {"done": len(got), "skipped(queue)": 20 - len(got)}


def test_block_skips_nothing(runtime: Make) -> None:
    it = runtime(admission=block(1), provider="null:5")
    began = time.perf_counter()
    for n in range(20):
        it.submit(frame(n))
    assert time.perf_counter() - began > 0.05, "submit did not wait"
    assert it.drain(10)
    assert it.ledger.counts["done"] == 20


def test_a_result_after_its_deadline_is_late(runtime: Make) -> None:
    it = runtime(admission=keep_newest(9, deadline_ms=50), provider="null:70")
    for n in range(4):
        it.submit(frame(n))
    assert it.drain(10)
    reasons = it.ledger.reasons
    assert reasons["late"] >= 1
    assert reasons["late"] + reasons["skipped(expired)"] == 4


def test_windows_are_whole_and_a_gap_is_told(runtime: Make, folder: object) -> None:
    it = runtime(models.pipeline(folder, window=3), admission=keep_newest(9))  # type: ignore[arg-type]
    frames = [frame(n, 10 * n) for n in range(12) if n != 4]
    results = list(it.stream(Frames(frames)))
    assert [[each.id.seq for each in result.frames] for result in results] == [[0, 1, 2], [5, 6, 7], [8, 9, 10]]
    assert [int(result["mean"][0, 0]) for result in results] == [10, 60, 90]
    assert it.ledger.reasons == {
        "done": 9, "lost_upstream": 1, "skipped(gap)": 1, "skipped(incomplete window)": 1
    }  # fmt: skip
    assert it.ledger.adds_up()


def test_subscribers_do_not_disturb_each_other(runtime: Make) -> None:
    it = runtime(admission=block(2))
    newest, oldest, asleep = it.subscribe(keep_newest(1)), it.subscribe(keep_oldest(2)), it.subscribe(keep_newest(3))
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.extend(each.frame.id.seq for each in it.subscribe(block(2))))
    reader.start()
    time.sleep(0.05)
    for n in range(15):
        it.submit(frame(n))
    assert it.drain(10)
    it.close()
    reader.join(5)
    assert seen == list(range(15))
    assert [each.frame.id.seq for each in newest] == [14]
    assert [each.frame.id.seq for each in oldest] == [0, 1]
    assert [each.frame.id.seq for each in asleep] == [12, 13, 14]
    assert (newest.skipped, oldest.skipped, asleep.skipped) == (14, 13, 12)


def test_a_blocking_subscriber_holds_the_pipeline_and_the_admission_decides(runtime: Make) -> None:
    it = runtime(admission=keep_newest(1))
    lazy = it.subscribe(block(2))
    for n in range(30):
        it.submit(frame(n))
        time.sleep(0.002)
    assert it.ledger.counts["done"] == 2
    first = lazy.take(1)
    assert first is not None
    assert first.frame.id.seq == 0
    lazy.close()
    assert it.drain(5)
    assert it.ledger.adds_up()


def test_cameras_have_lanes_of_their_own(runtime: Make) -> None:
    big = FrameSpec((20, 24), camera="big")
    it = runtime(admission=block(2))
    it.prepare(big)
    results = it.subscribe(block(40))
    for n in range(10):
        it.submit(frame(n))
        it.submit(frame(n, spec=big))
    assert it.drain(5)
    got = [(each.frame.id.camera, each.frame.id.seq) for _ in range(20) if (each := results.take(1))]
    assert [seq for camera, seq in got if camera == "big"] == list(range(10))
    assert [seq for camera, seq in got if camera == "cam"] == list(range(10))


def test_rgb_frames_pass(runtime: Make, folder: object) -> None:
    colour = FrameSpec((16, 20, 3), "uint8", "yxs", camera="colour")
    over = Pipeline([Stage("plus", models.plus_rgb(folder / "rgb"))])  # type: ignore[operator]
    it = runtime(over, spec=colour)
    pixels = np.random.default_rng(0).integers(0, 200, colour.shape).astype(np.uint8)
    results = it.subscribe()
    it.submit(Frame(FrameId("run", "colour", 0, 0), pixels, "yxs"))
    result = results.take(5)
    assert result is not None
    assert np.array_equal(result["plus"], pixels + 1)


def test_the_first_frame_prepares_by_itself(runtime: Make) -> None:
    it = runtime(spec=None, worker="process")
    for n in range(100):
        it.submit(frame(n))
        time.sleep(0.002)
    assert it.drain(20)
    rows = it.ledger.table()
    assert {(row.state, row.reason) for row in rows} <= {("done", ""), ("skipped", "preparing"), ("skipped", "queue")}
    assert rows[0].reason == "preparing"
    assert [row.state for row in rows[-2:]] == ["done", "done"], "the queue holds two until the worker is there"


def test_breaking_off_a_stream_stops_the_camera(runtime: Make) -> None:
    it = runtime()
    source = Frames([frame(n) for n in range(1000)], pause_s=0.002)
    for result in it.stream(source):
        if result.frame.id.seq >= 3:
            break
    for _ in range(100):
        if source.closed:
            break
        time.sleep(0.01)
    assert source.closed
    assert it.ledger.submitted < 100


def test_a_source_that_fails_is_heard_after_its_last_result(runtime: Make) -> None:
    it = runtime(admission=block(2))
    results = it.stream(Frames([frame(n) for n in range(5)], error=SourceError("unplugged")))
    assert [next(results).frame.id.seq for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(SourceError, match="unplugged"):
        next(results)
    assert it.ledger.adds_up()


def test_a_source_whose_counter_jumps_has_lost_frames(runtime: Make) -> None:
    it = runtime(admission=block(2))
    list(it.stream(Frames([frame(n) for n in (0, 1, 2, 7, 8)])))
    assert it.ledger.reasons == {"done": 5, "lost_upstream": 4}


def test_a_closed_runtime_takes_nothing(runtime: Make) -> None:
    it = runtime()
    results = it.subscribe()
    it.close()
    it.close()
    assert list(results) == []
    with pytest.raises(WorkerError, match="closed"):
        it.prepare(FrameSpec((9, 9)))
