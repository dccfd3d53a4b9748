"""Corners of the live path where an account, a slot or a wake-up was once lost."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameMismatchError,
    FrameSpec,
    Pipeline,
    PipelineError,
    ProviderError,
    Result,
    Runtime,
    SourceError,
    Stage,
    WorkerError,
    block,
    keep_newest,
)
from onscope.runtime.hooks._frames import HookFrames
from tests import models
from tests.models import SPEC, frame

Make = Callable[..., Runtime]
OTHER = replace(SPEC, camera="other")


class Camera:
    """`count` frames of one camera, with a pause before each; `waits` is set once it was asked for the first."""

    def __init__(self, count: int, spec: FrameSpec = SPEC, pause_s: float = 0.0) -> None:
        self.count, self._spec, self._pause_s = count, spec, pause_s

    def spec(self) -> FrameSpec:
        return self._spec

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        for seq in range(self.count):
            time.sleep(self._pause_s)
            yield frame(seq, spec=self._spec)


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    out: list[Any] = []

    def run() -> None:
        try:
            out.append(work())
        except Exception as error:
            out.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, out


def test_a_queue_whose_windows_all_expired_lets_the_next_frame_in(runtime: Make) -> None:
    it = runtime(admission=block(2, deadline_ms=60), provider="null:30")
    slow = []
    for result in it.stream(Camera(25, pause_s=0.005)):
        slow.append(result.frame.id.seq)
        time.sleep(0.08)
    assert slow == sorted(slow)
    assert it.ledger.submitted == 25
    assert it.ledger.adds_up()
    assert it.ledger.reasons.get("skipped(expired)", 0) > 0


def test_a_stream_that_nobody_reads_holds_nothing(runtime: Make) -> None:
    it = runtime(admission=block(2))
    unread = it.stream(Camera(5))
    del unread
    assert len(list(it.stream(Camera(20)))) == 20


def test_closing_while_a_frame_waits_for_its_turn(runtime: Make) -> None:
    it = runtime(admission=block(1), provider="null:200")
    for n in range(4):
        thread, out = in_thread(lambda n=n: it.submit(frame(n)))  # type: ignore[misc]
        thread.join(0.05)
    it.close()
    thread.join(5)
    assert not thread.is_alive()
    assert not isinstance(out[0], Exception) or isinstance(out[0], WorkerError)
    assert it.ledger.adds_up()
    with pytest.raises(WorkerError, match="closed"):
        it.submit(frame(9))


def test_numbers_of_numpy_may_describe_frames_and_not_stages(runtime: Make, folder: Path) -> None:
    it = runtime(spec=FrameSpec(tuple(np.array([48, 64])), camera="cam"))
    it.submit(frame(0))
    assert it.drain(5)
    with pytest.raises(PipelineError, match="float32"):
        Stage("found", models.brightest(folder / "found"), settings={"threshold": np.float32(2)})


def test_events_are_told_outside_of_the_runtime(pipeline: Pipeline) -> None:
    told: list[str] = []

    def on_event(event: Event) -> None:
        told.append(event.kind)
        reader, counts = in_thread(lambda: it.ledger.counts)
        reader.join(5)
        assert counts, "the account is locked while the user is told"
        raise RuntimeError("a fault of the user's own")

    with Runtime(pipeline, worker="thread", on_event=on_event) as it:
        it.prepare(SPEC)
        it.submit(frame(0))
        assert it.drain(5)
        assert it.ledger.counts["done"] == 1
    assert "ready" in told


def test_an_event_may_close_the_runtime(pipeline: Pipeline) -> None:
    def on_event(event: Event) -> None:
        if event.kind == "ready":
            it.close()

    it = Runtime(pipeline, worker="thread", on_event=on_event)
    results = it.subscribe()
    thread, out = in_thread(lambda: [it.submit(frame(n)) for n in range(100) if not time.sleep(0.02)])  # type: ignore[func-returns-value]
    assert all(isinstance(result, Result) for result in results), "the iteration did not end"
    thread.join(5)
    it.close()
    assert isinstance(out[0], WorkerError)
    assert it.ledger.adds_up()


def test_scores_that_are_nan_are_no_answer(runtime: Make, folder: Path) -> None:
    floats = FrameSpec((16, 16), "float32", camera="cam")
    it = runtime(Pipeline([Stage("top", models.top_of_floats(folder / "top"))]), spec=floats)
    it.submit(Frame(FrameId("run", "cam", 0, 0), np.full((16, 16), np.nan, np.float32)))
    assert it.drain(5)
    assert it.ledger.table()[0].state == "failed"
    assert "answered NaN" in it.ledger.table()[0].reason


def test_two_streams_at_once_do_not_disturb_each_other(runtime: Make, folder: Path) -> None:
    it = runtime(models.pipeline(folder, window=2), admission=block(4))
    it.prepare(OTHER)

    def all_of(source: Camera) -> list[Result]:
        return list(it.stream(source))

    first, of_first = in_thread(lambda: all_of(Camera(6, SPEC, 0.03)))
    second, of_second = in_thread(lambda: all_of(Camera(3, OTHER, 0.01)))
    first.join(20)
    second.join(20)
    assert [(each.frame.id.camera, each.frame.id.seq) for each in of_first[0]] == [("cam", n) for n in (1, 3, 5)]
    assert [(each.frame.id.camera, each.frame.id.seq) for each in of_second[0]] == [("other", 1)]
    assert it.ledger.reasons == {"done": 8, "skipped(incomplete window)": 1}


def test_an_interrupted_copy_loses_neither_slot_nor_account(runtime: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    it = runtime(admission=keep_newest(2))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "copyto", interrupted)
        for n in range(20):
            with pytest.raises(KeyboardInterrupt):
                it.submit(frame(n))
    it.submit(frame(20))
    assert it.drain(5)
    assert it.ledger.reasons == {"failed(interrupted)": 20, "done": 1}


def test_a_refusal_is_told_also_when_nobody_asked(pipeline: Pipeline) -> None:
    events: list[Event] = []
    with Runtime(pipeline, worker="thread", provider="warp", on_event=events.append) as it:
        image = np.zeros(SPEC.shape, np.uint16)
        it.image_process_fn(image, {"Camera": "cam"})
        with pytest.raises(ProviderError):
            it.prepare(SPEC)
    assert [event.kind for event in events if "no engine named 'warp'" in event.message] == ["refused"]


@pytest.mark.long
def test_the_worker_imports_nothing_from_where_it_runs(folder: Path, tmp_path: Path) -> None:
    models.pipeline(folder)
    (tmp_path / "json.py").write_text("raise SystemExit('this is not the json you want')")
    root = Path(__file__).parents[2]
    code = f"""
import sys
sys.path[:0] = [{str(root)!r}]
from pathlib import Path
from tests import models
from onscope.runtime import Runtime
with Runtime(models.pipeline(Path({str(folder)!r}))) as runtime:
    runtime.prepare(models.SPEC)
print("fine")
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "fine", done.stderr


def test_the_same_frame_or_segment_again_is_refused(runtime: Make) -> None:
    it = runtime()
    it.submit(frame(0, segment=1))
    with pytest.raises(FrameMismatchError, match="segments to rise"):
        it.submit(frame(0, segment=0))
    assert it.drain(5)
    assert it.ledger.reasons == {"done": 1}


def test_a_runtime_that_is_dropped_ends_its_worker(pipeline: Pipeline) -> None:
    it = Runtime(pipeline)
    it.prepare(SPEC)
    worker = Path("/proc", str(it.worker_pid))
    there = worker.exists()
    results = it.subscribe()
    del it
    gc.collect()
    assert list(results) == []
    assert there
    assert not worker.exists()


class Refusing(Camera):
    """A source that cannot even begin."""

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        raise SourceError("no cable")


def test_a_source_that_cannot_begin_is_heard(runtime: Make) -> None:
    with pytest.raises(SourceError, match="no cable"):
        list(runtime().stream(Refusing(1)))


def test_subscribing_too_late_ends_at_once(runtime: Make) -> None:
    it = runtime()
    it.close()
    assert list(it.subscribe()) == []


def test_taking_waits_past_an_expired_result(runtime: Make) -> None:
    it = runtime(admission=block(2))
    results = it.subscribe(keep_newest(4, deadline_ms=100))
    it.submit(frame(0))
    assert it.drain(5)
    time.sleep(0.15)
    threading.Timer(0.1, lambda: it.submit(frame(1))).start()
    result = results.take()
    assert result is not None
    assert result.frame.id.seq == 1
    assert results.skipped == 1


def test_a_camera_that_cannot_be_prepared_has_its_frames_accounted(runtime: Make) -> None:
    it = runtime()
    strange = Frame(FrameId("run", "strange", 0, 0), np.zeros((4, 4), np.float64))
    with pytest.raises(FrameMismatchError, match="found frames of float64"):
        it.submit(strange)
    assert it.ledger.counts["failed"] == 1


def test_images_that_change_within_a_sequence_lose_no_frames() -> None:
    hook = HookFrames("run")
    shapes = [(8, 8)] * 3 + [(4, 4)] * 2 + [(8, 8)]
    ids = [
        hook.frame(np.zeros(shape, np.uint16), {"Camera": "cam", "ImageNumber": str(number)}).id[2:]
        for number, shape in enumerate(shapes)
    ]
    assert ids == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)]
    lost = hook.frame(np.zeros((8, 8), np.uint16), {"Camera": "cam", "ImageNumber": "8"}).id[2:]
    assert lost == (2, 3), "two frames between were lost"
