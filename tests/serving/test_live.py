"""Runs whose windows go to a server: the answers, the account and what takes its place are those of other workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from onscope.runtime import Event, FrameSpec, Pipeline, Runtime, Stage, block, keep_newest
from onscope.runtime.record import open_recording
from tests import models
from tests.graph.generated import Recipe, write
from tests.remote.proxy import Proxy

from .conftest import deployed
from .runs import Feed, answers_of, outlives, same, wait_for
from .servers import StandIn

Make = Callable[..., Runtime]


@pytest.mark.parametrize("options", ["", "?in_flight=16", "?in_flight=1", "?shared=never"])
def test_answers_are_those_of_a_worker_of_this_machine(
    runtime: Make, pipeline: Pipeline, server: StandIn, options: str
) -> None:
    deployed(pipeline, server)
    frames = [models.frame(n, 990 + n) for n in range(24)]
    here = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(2)), frames)
    there = runtime(pipeline, worker=server.worker + options, admission=block(2))
    assert same(answers_of(there, frames), here)
    assert there.ledger.counts["done"] == 24
    assert there.ledger.adds_up()


def test_windows_of_several_frames(runtime: Make, folder: Path, server: StandIn) -> None:
    pipeline = models.pipeline(folder, window=3)
    deployed(pipeline, server)
    frames = [models.frame(n) for n in range(20)]
    here = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(4)), frames)
    assert same(answers_of(runtime(pipeline, worker=server.worker, admission=block(4)), frames), here)


def test_a_network_that_remembers_on_a_server_that_does_not(runtime: Make, tmp_path: Path, server: StandIn) -> None:
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    pipeline = Pipeline([Stage("net", write(tmp_path / "net", Recipe(recurrent=True, described="uint16")))])
    model = Pipeline(pipeline.stages)
    from onscope.runtime.worker import Chain

    for group in Chain(model.opening(spec, "cpu", 1)).groups:
        server.serve(group.compiled.path)
    frames = [models.frame(n, 50 * n, spec) for n in range(15)]
    here = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(2)), frames, spec)
    assert same(answers_of(runtime(pipeline, worker=server.worker, admission=block(2)), frames, spec), here)


@pytest.mark.long
def test_a_killed_server_is_replaced_and_used_again_when_it_is_back(
    runtime: Make, pipeline: Pipeline, server: StandIn, events: list[Event]
) -> None:
    deployed(pipeline, server)
    outlives(runtime, pipeline, server, events, times=1)


@pytest.mark.long
def test_without_anything_in_its_place_windows_fail_until_it_is_back(
    runtime: Make, pipeline: Pipeline, server: StandIn, events: list[Event]
) -> None:
    deployed(pipeline, server)
    it = runtime(pipeline, worker=server.worker, admission=keep_newest(2))
    it.prepare(models.SPEC)
    with Feed(it, 0.02) as fed:
        wait_for(lambda: it.ledger.counts["done"] > 5)
        server.kill()
        wait_for(lambda: it.ledger.counts["failed"] > 5)
        done = it.ledger.counts["done"]
        server.start()
        wait_for(lambda: it.ledger.counts["done"] > done + 5)
    assert it.drain(30)
    assert sum(it.ledger.counts.values()) == fed.sent
    it.close()
    assert any("is lost" in row.reason for row in it.ledger.table() if row.state == "failed")
    wait_for(lambda: [event for event in events if event.kind == "provider back"])
    assert not [event for event in events if event.kind in ("worker died", "worker gone", "provider lost")]


@pytest.mark.long
def test_a_server_that_is_away_at_the_start_is_used_when_it_comes(
    runtime: Make, pipeline: Pipeline, server: StandIn, events: list[Event]
) -> None:
    deployed(pipeline, server)
    server.kill()
    it = runtime(pipeline, worker=server.worker, provider="cpu", admission=block(2))
    it.prepare(models.SPEC)
    assert it.providers["plus"] == "cpu"
    server.start()
    wait_for(lambda: it.providers["plus"] == server.provider)
    it.submit(models.frame(0))
    assert it.drain(10)
    it.close()
    assert it.ledger.counts["done"] == 1


@pytest.mark.long
def test_a_cut_connection_costs_nothing(runtime: Make, pipeline: Pipeline, server: StandIn) -> None:
    deployed(pipeline, server)
    proxy = Proxy(server.port)
    worker = f"kserve://127.0.0.1:{proxy.port}?in_flight=8&shared=never"
    it = runtime(pipeline, worker=worker, admission=block(4))
    it.prepare(models.SPEC)
    results = it.subscribe(block(1000))
    cutting = threading.Thread(target=proxy.cut_now_and_then, args=(1.5, 0.2, 3))
    cutting.start()
    for n in range(300):
        it.submit(models.frame(n))
    cutting.join()
    assert it.drain(30)
    it.close()
    assert proxy.cuts > 1
    assert it.ledger.counts["done"] == 300
    assert [result.frame.id.seq for result in results] == list(range(300))
    proxy.close()


def test_a_recording_says_who_ran_and_not_the_token(
    runtime: Make, pipeline: Pipeline, server: StandIn, tmp_path: Path, events: list[Event]
) -> None:
    deployed(pipeline, server)
    worker = f"{server.worker}#very-secret"
    it = runtime(pipeline, worker=worker, admission=block(2), record=tmp_path / "run")
    answers_of(it, [models.frame(n) for n in range(5)])
    run = open_recording(tmp_path / "run")
    assert run.manifest["runtime"]["worker"] == server.worker
    assert server.provider in str(run.manifest["images"])
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*.*") if path.is_file())
    assert b"very-secret" not in written
    assert "very-secret" not in str(events)
    assert any("standin 1" in event.message for event in events)


@pytest.mark.long
def test_more_are_on_their_way_than_on_this_machine(runtime: Make, pipeline: Pipeline, tmp_path: Path) -> None:
    server = StandIn(tmp_path / "slow", delay_ms=200)
    deployed(pipeline, server)
    it = runtime(pipeline, worker=f"{server.worker}?in_flight=8", admission=keep_newest(16))
    it.prepare(models.SPEC)
    for n in range(9):
        it.submit(models.frame(n))
    wait_for(lambda: it._path.dispatcher.in_flight >= 8)
    assert it.drain(20)
    it.close()
    server.kill()
    assert it.ledger.counts["done"] == 9


@pytest.mark.long
def test_a_frame_is_sent_while_the_one_before_it_is_on_its_way(
    runtime: Make, pipeline: Pipeline, tmp_path: Path
) -> None:
    server = StandIn(tmp_path / "slow", delay_ms=400)
    deployed(pipeline, server)
    it = runtime(pipeline, worker=server.worker, admission=keep_newest(4))
    it.prepare(models.SPEC)
    results = it.subscribe(block(2))
    it.submit(models.frame(0))
    wait_for(lambda: it._path.dispatcher.in_flight)
    time.sleep(0.1)  # the worker waits for the first one's answer
    it.submit(models.frame(1))
    first, second = results.take(20), results.take(20)
    server.kill()
    assert first is not None
    assert second is not None
    assert second.stamps.started < first.stamps.finished
