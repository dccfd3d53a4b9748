"""Every fault of a model, under every admission, in every kind of worker: what the account says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import (
    Admission,
    Event,
    Frame,
    FrameId,
    FrameSpec,
    Pipeline,
    Runtime,
    Stage,
    WorkerError,
    block,
    keep_newest,
    keep_oldest,
)
from tests import models

from .conftest import WORKERS

Make = Callable[..., Runtime]
FRAMES, AT = 16, 5
SPEC = FrameSpec((16, 16), "float32", camera="cam")
# Deep enough for all frames: what is lost is lost by the fault, and the account can be told beforehand.
ADMISSIONS = (keep_newest(FRAMES), keep_oldest(FRAMES), block(2))


@dataclass(frozen=True)
class Expected:
    """What becomes of the frames, and what the user is told."""

    schedule: str
    failed: tuple[int, ...] = ()
    reason: str = ""
    told: tuple[str, ...] = ()
    thread: Expected | None = None
    """Where a worker in a thread fares otherwise."""


HOPELESS = Expected("", tuple(range(AT, FRAMES)), "a thread cannot be ended", ("worker gone",))
FAULTS = [
    Expected("slow=150@{at}"),
    Expected("busy=150@{at}"),
    Expected("leak=20@{at}"),
    Expected("raise@{at}", (AT,), "scripted"),
    Expected("raise@{at}-8", (5, 6, 7, 8), "scripted"),
    Expected("nan@{at}", (AT,), "answered NaN"),
    Expected("wrong@{at}", (AT,), "as in the warm-up"),
    Expected("crash@{at}", (AT,), "the worker died", ("worker died", "worker back")),
    Expected("die@{at}", (AT,), "the worker died", ("worker died", "worker back")),
    Expected("die@0", (0,), "the worker died", ("worker died", "worker back")),
    Expected("die@-1", (), "", ("worker died", "ready")),
    Expected("hang@{at}", (AT,), "gave no answer", ("worker died", "worker back"), thread=HOPELESS),
]


@pytest.fixture
def root(folder: Path) -> Pipeline:
    return Pipeline([Stage("root", models.root(folder / "matrix"))])


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("admission", ADMISSIONS, ids=lambda admission: admission.kind)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.schedule)
def test_every_fault_has_its_place_in_the_account(
    runtime: Make, root: Pipeline, events: list[Event], tmp_path: Path,
    fault: Expected, admission: Admission, worker: str,
) -> None:  # fmt: skip
    provider = f"scripted:{fault.schedule.format(at=AT)},state={tmp_path}"
    it = runtime(root, SPEC, worker=worker, admission=admission, provider=provider, patience_s=0.5)
    expected = fault.thread if fault.thread and worker == "thread" else fault
    results = it.subscribe(block(FRAMES))
    for n in range(FRAMES):
        it.submit(frame(n))
    assert it.drain(20)
    it.close()
    rows = {row.id.seq: row for row in it.ledger.table()}
    assert it.ledger.adds_up()
    assert tuple(n for n in range(FRAMES) if rows[n].state == "failed") == expected.failed
    assert all(expected.reason in rows[n].reason for n in expected.failed)
    done = [n for n in range(FRAMES) if n not in expected.failed]
    assert [rows[n].state for n in done] == ["done"] * len(done)
    answers = {result.frame.id.seq: float(result["root"][3, 3]) for result in results}
    assert list(answers) == done, "in the camera's order"
    assert answers == pytest.approx({n: np.sqrt(n) for n in done})
    kinds = [event.kind for event in events]
    assert all(kind in kinds for kind in expected.told)
    if not expected.told:
        assert not {"worker died", "worker gone"} & set(kinds)


@pytest.mark.long
@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize(
    "admission",
    [
        keep_newest(2), keep_oldest(2), block(1), keep_newest(1, every_n=3), keep_oldest(2, deadline_ms=30),
        keep_newest(2, deadline_ms=30), block(2, deadline_ms=30),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("schedule", ["slow=8@*", "raise@every3", "nan@every2", "die@20", "crash@20", "slow=40@every7"])
def test_under_overload_too(
    runtime: Make, root: Pipeline, schedule: str, admission: Admission, worker: str, tmp_path: Path
) -> None:
    it = runtime(root, SPEC, worker=worker, admission=admission, provider=f"scripted:{schedule},state={tmp_path}")
    results = it.subscribe(block(100))
    for n in range(60):
        it.submit(frame(n))
    assert it.drain(20)
    it.close()
    assert it.ledger.adds_up()
    assert it.ledger.submitted == 60
    states = {row.id.seq: row.state for row in it.ledger.table()}
    delivered = [result.frame.id.seq for result in results]
    assert delivered == sorted(delivered)
    assert delivered == [n for n in range(60) if states[n] in ("done", "late")]
    assert {row.state for row in it.ledger.table()} <= {"done", "late", "skipped", "failed"}
    if admission.deadline_ms is None:
        assert "late" not in states.values()


def test_one_that_dies_whenever_it_is_prepared_is_given_up(runtime: Make, root: Pipeline, events: list[Event]) -> None:
    it = runtime(root, None, worker="process", provider="scripted:die@-1")
    with pytest.raises(WorkerError, match="2 times while it prepared"):
        it.prepare(SPEC)
    it.submit(frame(0))
    assert it.drain(5)
    assert it.ledger.counts["failed"] == 1
    it.close()
    kinds = [event.kind for event in events]
    assert (kinds.count("worker died"), kinds.count("refused"), kinds.count("worker gone")) == (2, 1, 0)


@pytest.mark.long
def test_one_that_takes_more_memory_than_agreed_is_replaced(
    runtime: Make, root: Pipeline, events: list[Event], tmp_path: Path
) -> None:
    provider = f"scripted:leak=600@3,slow=20@*,state={tmp_path}"
    it = runtime(root, SPEC, worker="process", admission=block(2), provider=provider, memory_mb=500)
    for n in range(300):
        it.submit(frame(n))
        if any(event.kind == "worker back" for event in events):
            break
    assert it.drain(20)
    it.close()
    (died,) = [event.message for event in events if event.kind == "worker died"]
    assert "MB of memory, expected at most 500 MB" in died
    assert it.ledger.counts["failed"] <= 1
    assert it.ledger.adds_up()


def frame(n: int) -> Frame:
    return Frame(FrameId("run", "cam", 0, n), np.full(SPEC.shape, n, np.float32))
