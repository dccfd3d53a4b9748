"""Corners that a review of changing segments, recording and closing found: each once went wrong."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Event, FrameSpec, Pipeline, RecordError, Runtime, Stage, WorkerError, block, keep_newest
from onscope.runtime._lane import Lane
from onscope.runtime.record import Recording, open_recording
from tests import models
from tests.models import SPEC, frame

Make = Callable[..., Runtime]


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Ctrl-C in the main thread, so many seconds from now."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.long
def test_many_changes_beside_a_hanging_model_hold_nobody_up(runtime: Make, folder: Path, events: list[Event]) -> None:
    stages = [Stage(f"plus{n}", models.plus_one(folder / "many")) for n in range(20)]
    it = runtime(Pipeline(stages), SPEC, worker="process", provider="scripted:hang@0", patience_s=1.0)
    it.submit(frame(0))
    for segment in range(1, 25):  # 24 messages of 9 kB into a pipe of 64
        it.submit(frame(0, spec=FrameSpec((8 + segment, 8), camera="cam"), segment=segment))
    assert it.drain(60)
    assert it.ledger.adds_up()
    it.close()
    assert any("gave no answer" in event.message for event in events if event.kind == "worker died")


def test_what_is_prepared_ahead_is_there_when_its_frames_come(runtime: Make) -> None:
    it = runtime(worker="process", admission=keep_newest(2))
    specs = [FrameSpec((8 * n, 24), camera="cam") for n in range(1, 7)]
    threads = [threading.Thread(target=it.prepare, args=(spec,)) for spec in specs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    for segment, spec in enumerate(specs):
        it.submit(frame(0, spec=spec, segment=segment))
        assert it.drain(10)
    assert it.ledger.reasons == {"done": len(specs)}


@pytest.mark.long
@pytest.mark.parametrize("where", ["queue", "recorder"])
def test_ctrl_c_while_submit_waits_loses_neither_slot_nor_account(runtime: Make, tmp_path: Path, where: str) -> None:
    recording = Recording(tmp_path / "run", buffer_mb=0.02)
    provider = "null:200" if where == "queue" else "cpu"
    it = runtime(worker="process", admission=block(2), record=recording, provider=provider)
    pid = recording.sink.pid
    if where == "recorder":
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.5):  # noqa: PT012
        for n in range(100):
            it.submit(frame(n))
    if where == "recorder":
        os.kill(pid, signal.SIGCONT)
    assert it.drain(20)
    assert it.ledger.adds_up()
    assert it.ledger.reasons["failed(interrupted)"] == 1
    it.close()
    recording.finish(it.ledger)
    assert len(open_recording(tmp_path / "run")) == it.ledger.submitted - 1


def test_a_closing_that_is_interrupted_can_be_finished(runtime: Make, tmp_path: Path) -> None:
    recording = Recording(tmp_path / "run", buffer_mb=0.5)
    it = runtime(worker="process", record=recording)
    os.kill(recording.sink.pid, signal.SIGSTOP)
    for n in range(20):
        it.submit(frame(n))
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.5):
        it.close()
    os.kill(recording.sink.pid, signal.SIGCONT)
    it.close()
    recording.finish(it.ledger)
    assert it.ledger.adds_up()
    assert len(open_recording(tmp_path / "run")) == 20


def test_slots_that_cannot_be_made_are_a_refusal_and_later_made_anew(
    runtime: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = runtime(admission=block(2))
    furnish: Any = Lane.furnish

    def fails(self: Lane) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Lane, "furnish", fails)
    other = FrameSpec((8, 8), camera="cam")
    with pytest.raises(WorkerError, match="Too many open files"):
        it.prepare(other)
    it.submit(frame(0))
    it.submit(frame(0, spec=other, segment=1))
    monkeypatch.setattr(Lane, "furnish", furnish)
    it.submit(frame(0, segment=2))
    it.submit(frame(0, spec=other, segment=3))
    assert it.drain(10)
    assert it.ledger.counts["done"] == 3
    assert it.ledger.counts["failed"] == 1


def test_looks_that_kill_the_worker_end_only_the_camera_that_has_them(
    runtime: Make, folder: Path, events: list[Event]
) -> None:
    good, deadly = models.plus_one(folder / "good"), models.plus_one(folder / "deadly")
    pipeline = Pipeline([Stage("good", good, camera="a"), Stage("deadly", deadly, camera="b")])
    spec = FrameSpec((8, 8), camera="a")
    it = runtime(pipeline, spec, worker="process", admission=block(2), provider="scripted:die@-2/deadly")
    it.submit(frame(0, spec=FrameSpec((8, 8), camera="b")))
    for n in range(100):
        it.submit(frame(n, spec=spec))
    assert it.drain(20)
    ends = [row.state for row in it.ledger.table() if row.id.camera == "a"]
    assert ends[-1] == "done"
    assert ends.count("failed") <= 2, "what the worker had when it died"
    assert [row.state for row in it.ledger.table() if row.id.camera == "b"] == ["failed"]
    it.close()
    assert "worker gone" not in [event.kind for event in events]


def test_results_that_cannot_be_saved_are_told_and_the_recording_says_so(
    runtime: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = runtime(admission=block(2), record=tmp_path / "run")

    def fails(self: Recording, result: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Recording, "add", fails)
    for n in range(3):
        it.submit(frame(n))
    assert it.drain(10)
    with pytest.raises(RecordError, match="Input/output error"):
        it.close()
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert len(run) == 3, "raw frames are safe all the same"
