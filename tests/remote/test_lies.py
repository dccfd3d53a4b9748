"""A box that says what is not so: each lie ends in a sentence and in the account, and the run goes on after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Event, Pipeline, PipelineError, Runtime, Stage, WorkerError, block
from onscope.runtime.remote.link import _lanes
from onscope.runtime.remote.server._server import Server
from tests import models
from tests.boxes import Running

from .test_cuts import check, wait_for

Make = Callable[..., Runtime]
Lie = Callable[[dict[str, Any]], object]
FRAMES = 30


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])


@contextmanager
def lying(kind: str, lie: Lie, times: int = 1, after: int = 0) -> Iterator[list[int]]:
    """Servers of this process say something else the first times (after so many) that their worker says `kind`."""
    told: list[int] = []
    really = Server._send

    def send(self: Server, peer: bytes, head: Mapping[str, Any], payload: Any = None) -> None:
        message = head.get("message", {})
        if kind in (head["kind"], message.get("kind")):
            told.append(1)
            if after < len(told) <= after + times:
                head = {**head, "message": dict(message)} if message else dict(head)
                lie(head["message"] if message else head)
        really(self, peer, head, payload)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "_send", send)
        yield told


def answer(**more: Any) -> Lie:
    """Of the first stage."""

    def lie(message: dict[str, Any]) -> None:
        message["answers"] = [{**message["answers"][0], **more}, *message["answers"][1:]]

    return lie


def says(**more: Any) -> Lie:
    return lambda message: message.update(more)


def words(value: object) -> str:
    """Of a test's parameters, for its name."""
    return value if isinstance(value, str) else ""


def without(name: str) -> Lie:
    return lambda message: message.pop(name)


NESTED: Any = [0]
for _ in range(20):
    NESTED = [NESTED]
FROZEN = {"graph": 0, "channel": 5, "stages": [], "statistics": ["a"], "values": [[1.0]]}
RUN = [
    ("done", says(shapes=[[48, 63]]), "found an answer of the shape [48, 63], expected [48, 64]"),
    ("done", says(shapes=[]), "found 0 shapes of a window, expected 1"),
    ("done", says(shapes=[[1 << 40, 1 << 40]]), "found a shape"),
    ("done", says(stages=[]), "found 0 stages of a window, expected 1"),
    ("done", says(stages=[[3]]), "found stamps of a stage that are no two"),
    ("done", says(finished=0), "found finished 0, expected a whole number from"),
    ("done", says(window=999), "found an answer to window 999, which is not the oldest under way"),
    ("failed", says(window=999), "found an answer to window 999"),
    ("done", without("started"), "found started None"),
    ("done", says(numbers={"nobody": 1}), "found numbers {'nobody': 1}, expected them by the stages"),
    ("done", says(numbers={"plus": -1}), "found plus -1"),
    ("done", says(parameters={"plus": {"low": "x"}}), "found 'x' among parameters, expected a number"),
    ("done", says(trust={"plus": [1]}), "found trust of plus [1]"),
    ("done", says(suspect={"plus": "all"}), "found suspect 'all', expected a list"),
    ("done", says(frozen=[FROZEN]), "found frozen statistics of the channel 5"),
    ("done", says(frozen=[{**FROZEN, "channel": None, "values": []}]), "found 0 frozen values, expected 1"),
    ("done", says(warnings=7), "found warnings 7, expected a list"),
    ("done", says(kind="finished"), "found a message 'finished' of the box's worker"),
    ("part", says(at=64), "found at 64, expected a whole number from 0 to 0"),
    ("part", says(answer=7), "found an answer for slot 7 of lane"),
    ("part", says(lane=77), "found an answer for slot"),
]  # fmt: skip
OPENING = [
    (answer(dtype="object"), "found an answer of 'object', expected numbers"),
    (answer(dtype="V8"), "expected numbers"),
    (answer(shape=[1 << 20, 1 << 20]), "expected an image or a table"),
    (answer(shape=[48, 64, 1]), "expected an image or a table"),
    (answer(axes="ab"), "expected an image or a table"),
    (answer(stage="other"), "found answers of 'other', expected those of plus"),
    (answer(columns=["y", "y"], shape=[3, 2]), "expected numbers"),
    (without("ways_warm_ns"), "found ways_warm_ns None"),
    (says(warm_ns=1 << 60), f"found warm_ns {1 << 60}"),
    (says(ways=[]), "found 0 ways of a lane, expected 1"),
    (says(graphs=[{"tiling": NESTED}]), "found graphs that are nested deeper"),
    (says(graphs=3), "found graphs 3"),
    (says(lane=77), "found word of lane 77, which it was not asked to open"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "lie", "sentence"), RUN, ids=words)
def test_a_lie_about_a_window_costs_that_window(
    runtime: Make, events: list[Event], kind: str, lie: Lie, sentence: str
) -> None:
    it = runtime(admission=block(4), provider="scripted:raise@20" if kind == "failed" else "auto")
    results = it.subscribe(block(FRAMES + 1))
    with lying(kind, lie, after=0 if kind == "failed" else 2) as told:
        for seq in range(FRAMES):
            it.submit(models.frame(seq))
        assert it.drain(120)
    it.close()
    assert told
    check(it, list(results), FRAMES)
    (death,) = (each.message for each in events if each.kind == "worker died")
    assert "sent what makes no sense: " in death
    assert sentence in death
    lost = [row.reason for row in it.ledger.table() if row.state == "failed"]
    assert len(lost) == it.ledger.counts["failed"] == 1
    assert any("sent what makes no sense" in reason for reason in lost)


@pytest.mark.parametrize(("lie", "sentence"), OPENING, ids=words)
def test_a_lie_about_a_lane_is_a_death_while_it_is_prepared(
    runtime: Make, events: list[Event], lie: Lie, sentence: str
) -> None:
    with lying("opened", lie):
        it = runtime(admission=block(4))
    it.submit(models.frame(0))
    assert it.drain(60)
    assert it.ledger.counts["done"] == 1
    (death,) = (each.message for each in events if each.kind == "worker died")
    assert sentence in death


def test_a_box_that_never_stops_lying_is_given_up(runtime: Make, events: list[Event]) -> None:
    it = runtime(admission=block(4))
    with lying("done", says(shapes=[]), times=1000):
        for seq in range(8):
            it.submit(models.frame(seq))
        assert it.drain(120)
    assert it.ledger.counts["failed"] == it.ledger.submitted == 8
    wait_for(lambda: "worker gone" in [each.kind for each in events])  # events are told by a thread of their own


def test_another_worker_answers_in_the_dtype_of_the_one_before(
    runtime: Make, events: list[Event], box: Running
) -> None:
    it = runtime(admission=block(4))
    it.submit(models.frame(0))
    assert it.drain(60)

    def lie(message: dict[str, Any]) -> None:
        for one in (message["answers"], *message["ways"]):
            one[0] = {**one[0], "dtype": "float32"}

    with lying("opened", lie):
        box.server._guests[next(iter(box.server._guests))]._worker.kill()
        wait_for(lambda: any(each.kind == "refused" for each in events))
    (refusal,) = (each.message for each in events if each.kind == "refused")
    assert "found dtype float32 instead of uint16 from 'plus' after the worker came back" in refusal


def test_an_error_has_the_name_of_one_of_ours(runtime: Make) -> None:
    for name, kind in (("PipelineError", PipelineError), ("annotations", WorkerError), ("__builtins__", WorkerError)):
        refused = {"kind": "refused", "error": name, "message": "no \ud800" + "x" * 5000}
        with lying("opened", says(**refused)), pytest.raises(kind, match=r"^no \?x{1996}$"):
            runtime()


def test_answers_that_this_machine_has_no_room_for_are_refused(
    runtime: Make, monkeypatch: pytest.MonkeyPatch, events: list[Event]
) -> None:
    monkeypatch.setattr(_lanes, "SHARE", 1e-9)
    with pytest.raises(WorkerError, match="MB to the windows of a run on the box, expected at most 0 MB"):
        runtime()


def test_of_what_a_box_warns_on_and_on_the_first_is_told(runtime: Make, events: list[Event]) -> None:
    it = runtime(admission=block(4))
    count = iter(range(1 << 20))

    def warn(message: dict[str, Any]) -> None:
        message["warnings"] = [f"{next(count)}" for _ in range(100)]

    with lying("done", warn, times=1000):
        for seq in range(20):
            it.submit(models.frame(seq))
        assert it.drain(60)
    assert it.ledger.counts["done"] == 20
    wait_for(lambda: sum(each.kind == "warning" for each in events) == 1000)
    assert np.all([len(each.message) < 10 for each in events if each.kind == "warning"])
