"""What viewers may ask for: only what the run can, told as events, done by the real parts."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from onscope.runtime import Event, PipelineError, Result, Runtime, SourceError, Subscription, block
from onscope.view import Layout, ViewError
from onscope.view.actions import Fresh, Pausing, Run, Snap, Stopping, offered, settings_of
from onscope.view.client._layout import layout_from
from onscope.view.snapshot import Snapshots
from tests import models

PATIENCE_S = 60.0
RAW = {"id": 1, "image": "raw"}


class Source:
    """Frames that can be held back."""

    paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class Told:
    """Events of a runtime, as they come."""

    def __init__(self) -> None:
        self.events: Queue[Event] = Queue()

    def next(self, kind: str) -> Event:
        while (event := self.events.get(timeout=PATIENCE_S)).kind != kind:
            pass
        return event


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def runtime(tmp_path: Path, told: Told) -> Iterator[Runtime]:
    """plus -> double, found; prepared."""
    pipeline = models.pipeline(tmp_path)
    with Runtime(pipeline, worker="thread", admission=block(2), on_event=told.events.put) as it:
        it.prepare(models.SPEC)
        yield it


def test_only_what_a_run_can_is_offered(runtime: Runtime) -> None:
    assert list(offered(Run(runtime))) == ["tune"]
    full = Run(
        runtime,
        pausing=Pausing(Source(), None),
        stop=lambda: None,
        snap=lambda fields: {},
        packages={"p": ("plus", "p")},
    )
    assert list(offered(full)) == ["pause", "resume", "stop", "snapshot", "tune", "swap"]
    assert list(offered(Run(runtime, feedback=object(), pausing=Pausing(object(), object())))) == ["tune"]


def test_each_is_told_as_an_event(runtime: Runtime, told: Told) -> None:
    source, stopped = Source(), threading.Event()
    do = offered(Run(runtime, pausing=Pausing(source, None), stop=stopped.set))
    assert do["pause"]({}) == {"words": "paused"}
    assert source.paused
    assert told.next("view").message == "a viewer asked for pause: paused"
    do["stop"]({})
    assert stopped.is_set()
    assert not source.paused  # one that waits would not end
    assert told.next("view").message.startswith("a viewer asked for stop")


@pytest.mark.long
def test_a_number_is_tuned(runtime: Runtime, told: Told) -> None:
    seen: list[Any] = []
    do = offered(Run(runtime, tuned=seen.append))["tune"]
    setting = next(each for each in settings_of(runtime) if (each.of, each.name) == ("found", "threshold"))
    assert setting.value == 1000
    results = runtime.subscribe(block(8))
    for seq, (value, rows) in enumerate(((2000, 0), (1200, 8))):
        done = do({"of": "found", "name": "threshold", "value": value})
        assert done["words"].startswith("found: threshold ")
        runtime.submit(models.frame(seq, 1500))
        assert len(taken(results)["found"]) == rows
        told.next("tuned")
    assert [next(each.value for each in now if each.name == "threshold") for now in seen] == [2000, 1200]


def test_a_range_without_an_end_is_told_as_json_can(runtime: Runtime) -> None:
    setting = next(each for each in settings_of(runtime) if (each.of, each.name) == ("found", "threshold"))
    assert (setting.least, setting.most) == (None, None)
    layout = Layout("run", (32, 48), "uint16", None, (), settings=(setting,))
    told = json.loads(json.dumps(layout.as_json(), allow_nan=False))
    assert layout_from(told).settings == (setting,)


def taken(results: Subscription) -> Result:
    result = results.take(PATIENCE_S)
    assert result is not None
    return result


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"of": "found", "name": "threshold"},
        {"of": "found", "name": "threshold", "value": "1"},
        {"of": "found", "name": "threshold", "value": float("nan")},
        {"of": "found", "name": "threshold", "value": True},
        {"of": "found", "name": "threshold", "value": 10**400},
        {"of": "found", "name": "decode", "value": 1},
        {"of": "plus", "name": "threshold", "value": 1},
        {"of": "rule follow", "name": "threshold", "value": 1},
        {"of": ["found"], "name": "threshold", "value": 1},
    ],
)
def test_what_cannot_be_tuned_is_refused(runtime: Runtime, told: Told, fields: dict[str, Any]) -> None:
    before = settings_of(runtime)
    with pytest.raises(PipelineError, match="expected"):
        offered(Run(runtime))["tune"](fields)
    assert settings_of(runtime) == before
    assert "refused" in told.next("view").message


def test_a_package_is_swapped_by_its_name_alone(runtime: Runtime, told: Told, tmp_path: Path) -> None:
    models.brightest(tmp_path / "again")
    seen: Queue[Any] = Queue()
    packages = {"again": ("found", tmp_path / "again"), "none": ("found", tmp_path / "none")}
    do = offered(Run(runtime, packages=packages, tuned=seen.put))["swap"]
    for fields in ({"stage": "found", "package": str(tmp_path / "again")}, {"stage": "plus", "package": "again"}, {}):
        with pytest.raises(PipelineError, match="expected"):
            do(fields)
    assert do({"stage": "found", "package": "again"})["words"].startswith("again is prepared")
    assert seen.get(timeout=PATIENCE_S)
    while True:  # that one is over a moment later
        try:
            do({"stage": "found", "package": "none"})
        except PipelineError:
            time.sleep(0.01)
        else:
            break
    assert told.next("warning").message.startswith("none was not put in the place of found")


def test_a_snapshot_is_of_the_frame_that_is_seen_while_nothing_comes(runtime: Runtime) -> None:
    fresh, results = Fresh(runtime), runtime.subscribe(block(8))
    pausing = threading.Thread(target=fresh.keep)
    pausing.start()
    ends = time.monotonic() + PATIENCE_S
    seen = 0
    while pausing.is_alive() and time.monotonic() < ends:
        runtime.submit(models.frame(seen, 1500))
        seen += 1
        fresh.saw(taken(results))
    for _ in range(2):  # those that were under way
        runtime.submit(models.frame(seen, 1500))
        seen += 1
        fresh.saw(taken(results))
    frame = models.frame(seen - 1, 1500).id
    done = Snap(runtime, fresh, Snapshots(None))({"views": [RAW], "frame": frame._asdict()})
    assert done["frame"] == frame._asdict()


@pytest.mark.long
def test_a_snapshot_waits_for_the_place_that_is_looked_at(runtime: Runtime) -> None:
    fresh, over = Fresh(runtime), threading.Event()

    def take() -> None:
        seq = 0
        while not over.is_set():
            runtime.submit(dataclasses.replace(models.frame(seq, 1500), index={"c": seq % 3}))
            seq += 1
            time.sleep(0.01)

    frames = threading.Thread(target=take)
    frames.start()
    try:
        for _ in range(4):
            done = Snap(runtime, fresh, Snapshots(None))({"views": [{**RAW, "index": {"c": 2}}]})
            assert done["frame"]["seq"] % 3 == 2
        with pytest.raises(SourceError, match="what is shown"):
            Snap(runtime, fresh, Snapshots(None))({"views": [{**RAW, "index": {"c": 5}}]})
    finally:
        over.set()
        frames.join()


@pytest.mark.long
def test_a_snapshot_is_of_the_next_frame_or_of_the_last(runtime: Runtime, tmp_path: Path) -> None:
    fresh, place = Fresh(runtime), Snapshots(tmp_path / "run")
    (tmp_path / "run").mkdir()
    snap = Snap(runtime, fresh, place)
    results = runtime.subscribe(block(8))
    runtime.submit(models.frame(0, 1500))
    fresh.keep(taken(results))
    runtime.drain(PATIENCE_S)
    found = fresh()
    assert found.result.frame.id.seq == 0
    done = snap({"views": [RAW, {"id": 2, "image": "double", "vectors": ["spots:found"]}], "gamma": {"1": 0.5}})
    assert (tmp_path / "run" / "snapshots" / done["name"]).read_bytes() == done["png"]
    assert done["png"].startswith(b"\x89PNG")


@pytest.mark.long
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"views": "raw"},
        {"views": []},
        {"views": [{"id": 1, "image": "../raw"}]},
        {"views": [{"id": 1, "size": [0, 0]}]},
        {"views": [RAW], "colours": ["fire"]},
        {"views": [RAW], "gamma": {"1": "x"}},
        {"views": [RAW], "gamma": {"1": float("inf")}},
        {"views": [RAW], "frame": 17},
        {"views": [RAW], "frame": {"seq": 17}},
    ],
)
def test_a_snapshot_of_nothing_is_refused(runtime: Runtime, tmp_path: Path, fields: dict[str, Any]) -> None:
    fresh = Fresh(runtime)
    results = runtime.subscribe(block(8))
    runtime.submit(models.frame(0, 1500))
    fresh.keep(taken(results))
    with pytest.raises(ViewError, match="expected"):
        Snap(runtime, fresh, Snapshots(tmp_path))(fields)
    assert not (tmp_path / "snapshots").exists()


@pytest.mark.long
def test_a_snapshot_before_the_first_frame(runtime: Runtime) -> None:
    with pytest.raises(SourceError, match="no result"):
        Snap(runtime, Fresh(runtime), Snapshots(None))({"views": [RAW]})


def test_a_viewer_ends_what_takes_frames_and_nothing_else() -> None:
    stopping, entered = Stopping(), threading.Event()

    def ask() -> None:
        entered.wait(PATIENCE_S)
        stopping.stop()

    def take() -> None:
        ends = time.monotonic() + PATIENCE_S
        with stopping.taking():
            entered.set()
            while time.monotonic() < ends:
                time.sleep(0.01)

    asking = threading.Thread(target=ask)
    asking.start()
    with pytest.raises(KeyboardInterrupt):
        take()
    asking.join()
    assert stopping.stopped
    stopping.stop()  # outside: nothing is interrupted
    time.sleep(0.01)
