"""Cuts, deaths and restarts: every frame ends in one state of the ledger, and nothing is answered twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Event, Pipeline, Result, Runtime, WorkerError, block, keep_newest
from tests import models
from tests.boxes import Running

from .proxy import Proxy

SERVE = "import typer; from onscope.cli._serve import serve; typer.run(serve)"
Make = Callable[..., Runtime]


def take(it: Runtime, frames: int, pause_s: float = 0.0, beside: Callable[[], object] = lambda: None) -> list[Result]:
    """Submit so many frames while something happens beside; all results."""
    results = it.subscribe(block(frames + 1))
    other = threading.Thread(target=beside)
    other.start()
    for seq in range(frames):
        it.submit(models.frame(seq))
        time.sleep(pause_s)
    other.join()
    assert it.drain(120)
    it.close()
    return list(results)


def check(it: Runtime, results: list[Result], frames: int) -> None:
    seqs = [result.frame.id.seq for result in results]
    assert seqs == sorted(set(seqs))
    assert sum(it.ledger.counts.values()) == it.ledger.submitted == frames
    assert it.ledger.counts["done"] == len(seqs)
    for result in results:
        assert np.all(result["plus"] == result.frame.id.seq % 60000 + 101)
        stamps = result.stamps
        assert stamps.sent <= stamps.started <= stamps.finished <= stamps.delivered


def wait_for(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def through(box: Running) -> Iterator[Proxy]:
    proxy = Proxy(box.port)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_cuts_lose_nothing(runtime: Make, box: Running, events: list[Event], seed: int) -> None:
    with through(box) as proxy:
        it = runtime(worker=proxy.address, admission=block(4))
        results = take(it, 400, 0.005, lambda: proxy.cut_now_and_then(3.0, 0.2, seed))
        check(it, results, 400)
        assert proxy.cuts > 3
        assert it.ledger.counts["done"] == 400
        assert not any(each.kind == "worker died" for each in events)


@pytest.mark.long
def test_a_link_that_falls_silent_is_cut_and_comes_back(runtime: Make, box: Running, events: list[Event]) -> None:
    with through(box) as proxy:
        it = runtime(worker=proxy.address, admission=block(4), patience_s=60)

        def silent() -> None:
            proxy.stall(True)
            time.sleep(7)
            proxy.stall(False)

        check(it, take(it, 50, 0.01, silent), 50)
        assert it.ledger.counts["done"] == 50
        assert any("is silent" in each.message for each in events)


@pytest.mark.long
def test_a_box_that_stays_away_is_a_death_and_is_found_again(runtime: Make, box: Running, events: list[Event]) -> None:
    with through(box) as proxy:
        it = runtime(worker=proxy.address, admission=keep_newest(4), patience_s=2.0)

        def away() -> None:
            time.sleep(0.2)
            proxy.accepting = False
            proxy.cut()
            wait_for(lambda: any(each.kind == "worker died" for each in events))
            time.sleep(1)
            proxy.accepting = True

        results = take(it, 600, 0.01, away)
        check(it, results, 600)
        assert results[-1].frame.id.seq == 599
        (death,) = (each for each in events if each.kind == "worker died")
        assert "was away for 2 s" in death.message  # whatever else is patient for as long
        wait_for(lambda: not box.server.workers)  # the one of before the cut too


@pytest.mark.long
def test_a_killed_worker_is_a_death_as_on_one_machine(runtime: Make, box: Running, events: list[Event]) -> None:
    it = runtime(admission=block(4))
    pid = it.worker_pid

    def kill() -> None:
        time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)

    results = take(it, 300, 0.005, kill)
    check(it, results, 300)
    assert it.ledger.counts["failed"] <= 1
    assert [each.kind for each in events].count("worker died") == 1
    assert any("killed by signal 9" in each.message for each in events)


@contextmanager
def served(port: int, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`onscope serve` in a process of its own, and its address."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", SERVE, "--port", str(port), *more],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            yield process, next(line for line in lines if line.startswith("serving on")).split()[-1]
        finally:
            process.kill()


@pytest.mark.long
def test_a_server_that_is_killed_and_started_again_is_found(
    pipeline: Pipeline, events: list[Event], tmp_path: Path
) -> None:
    more = "--store", str(tmp_path / "store")
    with served(0, *more) as (first, address):
        port = int(address.rpartition(":")[2])
        with Runtime(pipeline, worker=address, admission=block(4), on_event=events.append, patience_s=60) as it:
            it.prepare(models.SPEC)
            over = threading.Event()

            def again() -> None:  # beside the frames, which wait for a box
                wait_for(lambda: it.ledger.counts["done"] >= 20)
                first.kill()
                first.wait()
                with served(port, *more):
                    over.wait(150)

            other = threading.Thread(target=again)
            other.start()
            try:
                results = take(it, 400, 0.002)
            finally:
                over.set()
                other.join()
    check(it, results, 400)
    assert it.ledger.counts["failed"] <= 1
    assert any("knows nothing of this run" in each.message for each in events)


def test_a_server_that_is_stopped_answers_what_it_has(pipeline: Pipeline, events: list[Event], tmp_path: Path) -> None:
    with (
        served(0, "--store", str(tmp_path / "store")) as (process, address),
        Runtime(pipeline, worker=address, admission=block(4), on_event=events.append) as it,
    ):
        it.prepare(models.SPEC)
        for seq in range(40):
            it.submit(models.frame(seq))
        assert it.drain(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        wait_for(lambda: any(each.kind == "worker died" for each in events))
        assert it.ledger.counts["done"] == 40
    assert any("said goodbye: it is being stopped" in each.message for each in events)


def test_a_box_that_is_not_there_is_told_at_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    from onscope.runtime.remote.link import _box

    monkeypatch.setattr(_box, "FIRST_CONTACT_S", 0.5)
    with pytest.raises(WorkerError, match=r"found no onscope at tcp://127.0.0.1:1 within .*: start it there"):
        Runtime(pipeline, worker="tcp://127.0.0.1:1")


@pytest.mark.long
@pytest.mark.parametrize(
    ("theirs", "ours", "whose"),
    [(300.0, None, "the box's limit"), (None, 300.0, "the run's memory_mb"), (300.0, 4000.0, "the box's limit")],
)
def test_a_worker_that_takes_more_memory_than_either_allows_is_ended(
    serve: Callable[..., Running],
    runtime: Make,
    events: list[Event],
    theirs: float | None,
    ours: float | None,
    whose: str,
) -> None:
    box = serve(memory_mb=theirs)
    it = runtime(worker=box.address, admission=block(4), provider="scripted:leak=400@20", memory_mb=ours)
    check(it, take(it, 60, 0.03), 60)
    assert any(f"MB of memory, expected at most 300 MB, {whose}" in each.message for each in events)
    assert it.ledger.counts["failed"] <= sum(each.kind == "worker died" for each in events)


@pytest.mark.long
def test_a_limit_that_holds_is_no_death(serve: Callable[..., Running], runtime: Make, events: list[Event]) -> None:
    it = runtime(worker=serve(memory_mb=5000.0).address, provider="scripted:leak=400@20", memory_mb=float("inf"))
    check(it, take(it, 60, 0.03), 60)
    assert not any(each.kind == "worker died" for each in events)
