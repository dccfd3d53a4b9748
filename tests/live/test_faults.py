"""Dying workers, dying acquisitions, wrong frames and wrong models: accounted for, told, and survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameMismatchError,
    FrameSpec,
    PackageError,
    Pipeline,
    PipelineError,
    ProviderError,
    Runtime,
    Stage,
    WorkerError,
    block,
    keep_newest,
)
from tests import models
from tests.models import SPEC, frame

Make = Callable[..., Runtime]
posix = pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX signal")


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events if event.kind != "preparing"]


@posix
def test_a_killed_worker_costs_one_window_and_comes_back(runtime: Make, events: list[Event]) -> None:
    it = runtime(worker="process", admission=block(2), provider="null:20")
    results = it.subscribe(block(200))
    killed = it.worker_pid
    for n in range(40):
        it.submit(frame(n))
        if n == 15:
            os.kill(killed, signal.SIGKILL)
    assert it.drain(20)
    reasons = it.ledger.reasons
    assert reasons == {"done": 39, "failed(the worker died (killed by signal 9))": 1}
    assert it.worker_pid != killed
    got = [result.frame.id.seq for _ in range(39) if (result := results.take(1))]
    failed = [row.id.seq for row in it.ledger.table() if row.state == "failed"]
    assert got == sorted(set(range(40)) - set(failed))
    it.close()
    assert kinds(events) == ["ready", "worker died", "worker back"]
    assert "1 frame failed" in next(event.message for event in events if event.kind == "worker died")


@posix
def test_an_acquisition_does_not_notice_a_killed_worker(runtime: Make) -> None:
    it = runtime(worker="process", admission=keep_newest(2), provider="null:30")
    longest = 0.0
    for n in range(60):
        if n == 20:
            os.kill(it.worker_pid, signal.SIGKILL)
        before = time.perf_counter()
        it.submit(frame(n))
        longest = max(longest, time.perf_counter() - before)
        time.sleep(0.01)
    assert longest < 1.0, "submit waited for the worker"
    assert it.drain(20)
    assert it.ledger.adds_up()
    assert it.ledger.counts["failed"] == 1
    assert it.ledger.table()[-1].state == "done"


@posix
def test_a_worker_that_keeps_dying_is_given_up(runtime: Make, events: list[Event]) -> None:
    it = runtime(worker="process", admission=block(2), provider="null:50")
    n = 0
    for _ in range(3):
        pid = it.worker_pid
        it.submit(frame(n))
        os.kill(pid, signal.SIGKILL)
        n += 1
        _wait_for_another(it, pid, events)
    wait_for(lambda: "worker gone" in kinds(events))
    it.submit(frame(n))
    assert it.drain(5)
    assert it.ledger.adds_up()
    assert it.ledger.counts["failed"] >= 1
    assert "died 3 times within 30 s" in it.ledger.table()[-1].reason
    with pytest.raises(WorkerError, match="onscope validate"):
        it.prepare(SPEC)


def _wait_for_another(it: Runtime, pid: int, events: list[Event]) -> None:
    wait_for(lambda: it.worker_pid != pid or "worker gone" in kinds(events))


@pytest.mark.long
@posix
def test_a_killed_acquisition_leaves_nothing_behind(folder: Path) -> None:
    models.pipeline(folder)
    code = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests import models
from onscope.runtime import Runtime
it = Runtime(models.pipeline(Path({str(folder)!r})), provider="null:100000")
it.submit(models.frame(0))
print(it.worker_pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.5)
        parent.kill()
    wait_for(lambda: not Path("/proc", str(worker)).exists())
    wait_for(lambda: not list(Path("/dev/shm").glob(f"onscope-{parent.pid}-*")))


@pytest.mark.long
def test_a_runtime_that_was_never_closed_ends_with_the_program(folder: Path) -> None:
    models.pipeline(folder)
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests import models
from onscope.runtime import Runtime
runtime = Runtime(models.pipeline(Path({str(folder)!r})))
runtime.prepare(models.SPEC)
results = runtime.subscribe()
runtime.submit(models.frame(0))
print(results.take(5)["plus"][0, 0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "101", "")


@pytest.mark.long
def test_it_works_from_standard_input(folder: Path) -> None:
    models.pipeline(folder)
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests import models
from onscope.runtime import Runtime, block
with Runtime(models.pipeline(Path({str(folder)!r})), admission=block(2)) as runtime:
    runtime.prepare(models.SPEC)
    results = runtime.subscribe(block(9))
    for n in range(3):
        runtime.submit(models.frame(n))
    print([int(results.take(5)["plus"][0, 0]) for n in range(3)])
"""
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[101, 102, 103]", done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    "pixels", [np.zeros((48, 63), np.uint16), np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.uint16)]
)
def test_a_frame_that_does_not_fit_is_refused_and_accounted(runtime: Make, pixels: np.ndarray) -> None:
    it = runtime()
    it.submit(frame(0))
    with pytest.raises(FrameMismatchError, match="48x64 uint16 as prepared"):
        it.submit(Frame(FrameId("run", "cam", 0, 1), pixels))
    it.submit(frame(2))
    assert it.drain(5)
    assert it.ledger.reasons == {"done": 2, "failed(does not fit the prepared frames)": 1}


def test_the_hook_never_raises(runtime: Make, events: list[Event]) -> None:
    it = runtime(spec=None)
    image = np.full((48, 64), 7, np.uint16)
    metadata = {"Camera": "cam", "ImageNumber": "0", "Axes": {"time": 0}}
    assert it.image_process_fn(image, metadata)[0] is image
    wrong = np.zeros((4, 4), np.complex64)
    assert it.image_process_fn(wrong, {"Camera": "cam"})[0] is wrong
    assert it.image_process_fn(None, {})[0] is None  # type: ignore[arg-type]
    it.image_process_fn(None, {})  # type: ignore[arg-type]
    assert (image == 7).all()
    assert it.drain(10)
    assert it.ledger.adds_up()
    it.close()
    assert [event.kind for event in events].count("hook error") == 2, "the same error is told once"


def test_nan_in_a_frame_fails_the_frame_alone(runtime: Make, folder: Path) -> None:
    floats = FrameSpec((16, 16), "float32", camera="cam")
    it = runtime(Pipeline([Stage("root", models.root(folder / "root"))]), spec=floats, admission=block(2))
    for n, value in enumerate([4.0, float("nan"), -1.0, 9.0]):
        it.submit(Frame(FrameId("run", "cam", 0, n), np.full((16, 16), value, np.float32)))
    assert it.drain(5)
    states = [(row.id.seq, row.state) for row in it.ledger.table()]
    assert states == [(0, "done"), (1, "failed"), (2, "failed"), (3, "done")]
    assert "answered NaN" in it.ledger.table()[1].reason


@pytest.mark.long
@pytest.mark.parametrize("worker", ["process", "thread"])
def test_what_cannot_be_prepared_is_told_in_a_sentence(
    pipeline: Pipeline, events: list[Event], worker: str, folder: Path
) -> None:
    refusals: list[tuple[Pipeline, FrameSpec, str, type[Exception], str]] = [
        (
            pipeline,
            FrameSpec((48, 64, 3), "uint8", "yxs"),
            "auto",
            PipelineError,
            "found colour images for the stage 'plus', expected 1",
        ),
        (pipeline, FrameSpec((48, 64), "float32"), "auto", PipelineError, "expected uint16"),
        (
            pipeline,
            SPEC,
            "warp",
            ProviderError,
            "no engine named 'warp', expected one of cpu, cuda, kserve, null, openvino, oracle",
        ),
        (pipeline, SPEC, "null:soon", ProviderError, "null:MS"),
        (models.pipeline(folder, window=3), SPEC, "cpu:fast", ProviderError, "takes no argument"),
    ]
    for over, spec, provider, kind, text in refusals:
        with Runtime(over, worker=worker, provider=provider, on_event=events.append) as it:
            with pytest.raises(kind, match=text):
                it.prepare(spec)
            it.submit(frame(0, spec=spec))
            assert it.ledger.counts["failed"] == 1


def test_weights_that_change_after_loading_are_refused(tmp_path: Path) -> None:
    package = models.plus_one(tmp_path / "plus")
    over = Pipeline([Stage("plus", package)])
    data = bytearray(package.weights.read_bytes())
    data[-1] ^= 1
    package.weights.write_bytes(data)
    with Runtime(over, worker="thread") as it, pytest.raises(PackageError, match="the file changed"):
        it.prepare(SPEC)


def test_an_unknown_worker_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(WorkerError, match="expected one of process, thread"):
        Runtime(pipeline, worker="fiber")
