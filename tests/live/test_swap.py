"""A stage's package replaced while frames run: no frame is lost, and a failure leaves the old one in use."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx
import pytest

from onscope.runtime import (
    Event,
    FrameSpec,
    OnscopeError,
    Package,
    PackageError,
    Pipeline,
    PipelineError,
    Result,
    Runtime,
    Stage,
    WorkerError,
    _watch,
    block,
)
from onscope.runtime.record import open_recording
from onscope.runtime.record.recompute import recompute
from tests import models

Make = Callable[..., Runtime]


def plus(folder: Path, number: int) -> Package:
    """image = frame + number."""
    return models.plus(folder / f"plus{number}", number)


def pipeline(folder: Path) -> Pipeline:
    """plus (adds 1) -> found (those above 1000)."""
    return Pipeline([Stage("plus", plus(folder, 1)), Stage("found", models.brightest(folder / "found"), reads="plus")])


@dataclass
class Stream:
    """Frames of 500 counts that are submitted all the while, and what came of them."""

    runtime: Runtime
    results: list[Result] = field(default_factory=list)
    frames: int = 0

    def added(self, seq: int) -> int:
        result = self.results[seq]
        return int(result["plus"][0, 0]) - int(result.frame.pixels[0, 0])


@contextmanager
def streaming(it: Runtime) -> Iterator[Stream]:
    made = Stream(it)
    results = it.subscribe(block(4))
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            it.submit(models.frame(made.frames, 500))
            made.frames += 1
            time.sleep(0.002)

    def read() -> None:
        made.results += (result.copied() for result in results)

    threads = [threading.Thread(target=feed), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        stop.set()
        threads[0].join()
        assert it.drain(120)
        it.close()
        threads[1].join()


@pytest.mark.long
@pytest.mark.parametrize("worker", ["process", "thread"])
def test_under_load_no_frame_is_lost(runtime: Make, tmp_path: Path, worker: str, events: list[Event]) -> None:
    it = runtime(pipeline(tmp_path), worker=worker, admission=block(2))
    new = plus(tmp_path, 7)
    old_pid = it.worker_pid
    with streaming(it) as made:
        until(lambda: len(made.results) > 5)
        swapped = it.swap("plus", new)
        assert (it.worker_pid == old_pid) == (worker == "thread")
        assert swapped.first is not None
        first = swapped.first.seq
        until(lambda: len(made.results) > first + 5)
    assert swapped.before != swapped.after == new.package_sha256
    assert [result.frame.id.seq for result in made.results] == list(range(made.frames))
    for seq, result in enumerate(made.results):
        assert made.added(seq) == (7 if seq >= first else 1)
        assert result.provenance["plus"].package == (swapped.after if seq >= first else swapped.before)
    graphs = {result.provenance["plus"].graph_sha256 for result in made.results}
    assert len(graphs) == 2
    assert it.ledger.counts["done"] == made.frames
    (told,) = [each.message for each in events if each.kind == "swapped"]
    assert f"from frame {first} of segment 0 of cam on" in told
    assert it.pipeline.networks[0].package is new
    assert not [each for each in events if each.bad]


def test_twenty_in_a_row(runtime: Make, tmp_path: Path) -> None:
    before = set(threading.enumerate())  # a thread that another test's model hangs in cannot be ended
    it = runtime(pipeline(tmp_path), worker="thread", admission=block(2))
    packages = [plus(tmp_path, number) for number in (1, 2, 3)]
    firsts = {0: 1}
    with streaming(it) as made:
        for number in range(20):
            swapped = it.swap("plus", packages[number % 3])
            assert swapped.first is not None
            firsts[swapped.first.seq] = number % 3 + 1
    assert [result.frame.id.seq for result in made.results] == list(range(made.frames))
    holds = 1
    for seq in range(made.frames):
        holds = firsts.get(seq, holds)
        assert made.added(seq) == holds
    assert it.ledger.counts["done"] == made.frames
    workers = [each for each in set(threading.enumerate()) - before if each.name == "onscope-worker"]
    until(lambda: sum(each.is_alive() for each in workers) <= 1)


@pytest.mark.long
def test_several_processes_in_a_row_leave_none_behind(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="process", admission=block(2))
    pids = [it.worker_pid]
    with streaming(it) as made:
        for number in (2, 3, 1):
            it.swap("plus", plus(tmp_path, number))
            pids.append(it.worker_pid)
    assert len(set(pids)) == 4
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert it.ledger.counts["done"] == made.frames == len(made.results)


@pytest.mark.long
@pytest.mark.parametrize("worker", ["process", "thread"])
def test_what_cannot_take_the_place_leaves_the_old_one(runtime: Make, tmp_path: Path, worker: str) -> None:
    it = runtime(pipeline(tmp_path), worker=worker, admission=block(2))
    before = it.pipeline
    broken = plus(tmp_path, 9)
    model = onnx.load(broken.weights)
    model.graph.node[1].op_type = "NoSuchOperator"
    onnx.save(model, broken.weights)
    floats = models.root(tmp_path / "root")
    wrong: list[tuple[str, Package | Path, type[OnscopeError], str]] = [
        ("plus", models.double(tmp_path / "double"), PipelineError, "instead of"),
        ("plus", models.brightest(tmp_path / "found"), PipelineError, "which answers with a table"),
        ("found", plus(tmp_path, 3), PipelineError, "which answers with an image"),
        ("plus", broken, PackageError, "sha256|NoSuchOperator|changed"),
        ("plus", tmp_path / "nowhere", PackageError, "nowhere"),
        ("lost", plus(tmp_path, 3), PipelineError, "expected one of plus, found"),
        ("plus", floats, OnscopeError, "float32"),
    ]
    with streaming(it) as made:
        for stage, package, kind, words in wrong:
            with pytest.raises(kind, match=words):
                it.swap(stage, package)
            assert it.pipeline is before
        until(lambda: len(made.results) > 3)
    assert {made.added(seq) for seq in range(len(made.results))} == {1}
    assert it.ledger.counts["done"] == made.frames == len(made.results)


def test_killed_right_after_the_new_one_comes_back(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="process", admission=block(2))
    with streaming(it) as made:
        it.tune("found", threshold=400)
        it.swap("plus", plus(tmp_path, 7))
        os.kill(it.worker_pid, signal.SIGKILL)
        seen = len(made.results)
        until(lambda: len(made.results) > seen + 5)
    assert made.added(len(made.results) - 1) == 7
    assert {len(result["found"]) for result in made.results[-5:]} == {8}  # tuned all the same
    counts = it.ledger.counts
    assert counts["done"] + counts["failed"] == made.frames
    assert counts["done"] == len(made.results)
    added = [made.added(seq) for seq in range(len(made.results))]
    assert added == sorted(added)


def test_the_one_in_use_dies_meanwhile(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="process", admission=block(2))
    new = plus(tmp_path, 7)
    with streaming(it) as made:
        until(lambda: len(made.results) > 3)
        old = it.worker_pid
        swapping = threading.Thread(target=it.swap, args=("plus", new))
        swapping.start()
        os.kill(old, signal.SIGKILL)
        swapping.join(120)
        assert not swapping.is_alive()
        seen = len(made.results)
        until(lambda: len(made.results) > seen + 3)
    assert made.added(len(made.results) - 1) == 7
    counts = it.ledger.counts
    assert counts["done"] + counts["failed"] == made.frames
    assert counts["done"] == len(made.results)


def begun(it: Runtime, package: Package) -> tuple[threading.Thread, list[OnscopeError]]:
    """A swap in a thread of its own, and what it fails with."""
    failures: list[OnscopeError] = []

    def swap() -> None:
        try:
            it.swap("plus", package)
        except OnscopeError as error:
            failures.append(error)

    swapping = threading.Thread(target=swap)
    swapping.start()
    return swapping, failures


def test_the_second_worker_dies(runtime: Make, tmp_path: Path, events: list[Event]) -> None:
    it = runtime(pipeline(tmp_path), worker="process", admission=block(2))
    with streaming(it) as made:
        swapping, failures = begun(it, plus(tmp_path, 7))
        until(lambda: it._path.supervisor.spare is not None or not swapping.is_alive())
        spare = it._path.supervisor.spare
        assert spare is not None
        os.kill(spare.pid, signal.SIGKILL)
        swapping.join(120)
        until(lambda: len(made.results) > 3)
    (failure,) = failures
    assert isinstance(failure, WorkerError)
    assert "the first one runs on" in str(failure)
    assert {made.added(seq) for seq in range(len(made.results))} == {1}
    assert it.ledger.counts["done"] == made.frames
    assert not [each for each in events if each.kind == "worker died"]


def test_closing_ends_one_that_is_prepared(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="process")
    failures: list[Exception] = []

    def swap() -> None:
        try:
            it.swap("plus", plus(tmp_path, 7))
        except OnscopeError as error:
            failures.append(error)

    swapping = threading.Thread(target=swap)
    swapping.start()
    until(lambda: it._path.supervisor.spare is not None or not swapping.is_alive())
    it.close()
    swapping.join(120)
    assert not swapping.is_alive()
    assert all("closed" in str(each) for each in failures)


@pytest.mark.long
def test_settings_go_on_and_new_looks_have_the_new_one(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="thread", admission=block(2))
    it.tune("found", threshold=300)
    other = models.brightest(tmp_path / "other")
    it.swap("found", other)
    it.swap("plus", plus(tmp_path, 7))
    assert it.pipeline.networks[1].settings["threshold"] == 300
    results = it.subscribe(block(8))
    small = FrameSpec((16, 16), "uint16", camera="two")
    it.prepare(small)
    for spec in (models.SPEC, small):
        it.submit(models.frame(0, 500, spec))
        result = results.take(60)
        assert result is not None
        assert int(result["plus"][0, 0]) == 507
        assert len(result["found"]) == 8
        assert result.parameters["found"] == {"setting threshold": 300.0}
        assert result.provenance["found"].package == other.package_sha256


@pytest.mark.long
def test_a_recording_knows_it(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="process", admission=block(2), record=tmp_path / "run")
    new = plus(tmp_path, 7)
    with streaming(it) as made:
        until(lambda: len(made.results) > 5)
        swapped = it.swap("plus", new)
        until(lambda: swapped.first is not None and len(made.results) > swapped.first.seq + 5)
    run = open_recording(tmp_path / "run")
    (swap,) = run.manifest["swaps"]
    assert (swap["stage"], swap["package_sha256"]) == ("plus", new.package_sha256)
    assert list(swap["packages"]) == [new.package_sha256]
    assert len(run.table("frames")) == made.frames  # all raw frames are there
    assert swapped.first is not None
    first = swapped.first.seq
    made_by = [each["provenance"]["package"] for each in run.manifest["images"] if each.get("stage") == "plus"]
    assert made_by == [swap["before_sha256"], new.package_sha256]  # an image of its own for each
    again = recompute(run, run.table("results"), None, sample=None)
    for stage in again.stages.values():  # each with the package that made it
        assert (stage.identical, stage.skipped, stage.unlike) == (made.frames, {}, [])
    shutil.rmtree(new.folder)
    again = recompute(run, run.table("results"), None, sample=None)
    for name, why in (("plus", "was not found: name its folder"), ("found", "it reads plus, which cannot")):
        assert again.stages[name].identical == first
        (reason,) = again.stages[name].skipped
        assert why in reason
        assert again.stages[name].skipped[reason] == made.frames - first


def test_a_look_that_no_stage_runs_on_is_no_hindrance(runtime: Make, tmp_path: Path) -> None:
    it = runtime(Pipeline([Stage("plus", plus(tmp_path, 1), camera="cam")]), worker="thread", admission=block(2))
    other = FrameSpec((16, 16), "uint16", camera="other")
    it.prepare(other)
    results = it.subscribe(block(8))
    it.swap("plus", plus(tmp_path, 7))
    it.submit(models.frame(0, 500, other))
    it.submit(models.frame(0, 500))
    result = results.take(60)
    assert result is not None
    assert int(result["plus"][0, 0]) == 507
    assert it.drain(60)
    assert (it.ledger.counts["done"], it.ledger.counts["skipped"], len(it.ledger.table())) == (1, 1, 2)


@pytest.mark.long
def test_a_number_tuned_to_what_the_old_package_says_goes_on(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path), worker="thread", admission=block(2))
    other = models.brightest(tmp_path / "other")
    changed = replace(other, settings={**other.settings, "threshold": 5.0})
    it.tune("found", threshold=300)
    it.tune("found", threshold=1000)
    it.swap("found", changed)
    assert it.pipeline.networks[1].settings["threshold"] == 1000
    assert dict(it.pipeline.networks[1].tuned) == {"threshold": 1000}


def test_one_that_chooses_its_weights_chooses_again(runtime: Make, tmp_path: Path) -> None:
    given = Pipeline([Stage("plus", plus(tmp_path, 1), precision="auto")])
    it = runtime(given, worker="thread", admission=block(2))
    chosen = it.pipeline.networks[0]
    object.__setattr__(chosen, "precision", "int8")  # as if the first package had had them, and the fastest
    it.swap("plus", plus(tmp_path, 7))
    assert it.pipeline.networks[0].precision == "float32"


def test_a_second_worker_that_says_nothing_is_given_up(
    runtime: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = runtime(pipeline(tmp_path), worker="process", admission=block(2))
    monkeypatch.setattr(_watch, "OPENING_PATIENCE_S", 1.0)
    with streaming(it) as made:
        swapping, failures = begun(it, plus(tmp_path, 7))
        until(lambda: it._path.supervisor.spare is not None)
        spare = it._path.supervisor.spare
        assert spare is not None
        os.kill(spare.pid, signal.SIGSTOP)
        swapping.join(120)
        seen = len(made.results)
        until(lambda: len(made.results) > seen)
    (failure,) = failures
    assert "it said nothing for 1 s): the first one runs on" in str(failure)
    assert it.ledger.counts["done"] == made.frames


def until(true: Callable[[], object]) -> None:
    """Wait for something; fails when it does not come."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.002)
