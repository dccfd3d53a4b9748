"""Everything a camera may do, under every admission, in every kind of worker: what the account says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from onscope.drivers import scripted
from onscope.drivers.scripted import Burst, Change, Drop, Fail, Move, Pause, Restart, Steady
from onscope.runtime import Admission, Pipeline, Runtime, SourceError, Stage, block, keep_newest, keep_oldest
from tests import models

from .conftest import WORKERS

Make = Callable[..., Runtime]
DEEP = 64
ADMISSIONS = (keep_newest(DEEP), keep_oldest(DEEP), block(2))


@dataclass(frozen=True)
class Case:
    """A script and the account that it leads to, when nothing has to wait."""

    name: str
    script: Sequence[scripted.Step]
    account: dict[str, int]
    segments: int = 1
    error: str = ""
    preparing: bool = False
    """Whether frames may come while what runs them is still being built."""


CASES = [
    Case("steady", [Steady(20, fps=500)], {"done": 20}),
    Case("jitter", [Steady(20, fps=500, jitter=0.9)], {"done": 20}),
    Case("2000 frames/s", [Steady(60, fps=2000)], {"done": 60}),
    Case("pause", [Burst(5), Pause(50), Burst(5)], {"done": 10}),
    Case("drop", [Burst(5), Drop(7), Burst(5), Drop(1), Burst(1)], {"done": 11, "lost_upstream": 8}),
    Case("drop at once", [Drop(3), Burst(2)], {"done": 2, "lost_upstream": 3}),
    Case("reset", [Burst(5), Restart(), Burst(3), Restart(), Burst(1)], {"done": 9}, segments=3),
    Case("exposure", [Burst(4), Change(exposure_ms=5), Burst(4)], {"done": 8}, segments=2),
    Case("roi", [Burst(4), Change(shape=(8, 24)), Burst(4)], {"done": 8}, segments=2, preparing=True),
    Case("binning", [Burst(4), Change(binning=2), Burst(4)], {"done": 8}, segments=2, preparing=True),
    Case("pixel type", [Burst(4), Change(dtype="float32"), Burst(3), Change(dtype="uint16"), Burst(2)],
         {"done": 6, "failed": 3}, segments=3, preparing=True),
    Case("colour", [Burst(4), Change(axes="yxs"), Burst(3)], {"done": 4, "failed": 3}, segments=2, preparing=True),
    Case("stage", [Burst(2), Move(position="B2", channel="GFP", z=3), Burst(2)], {"done": 4}),
    Case("unplugged", [Burst(6), Fail("unplugged")], {"done": 6}, error="unplugged"),
]  # fmt: skip


@pytest.fixture
def plus(folder: Path) -> Pipeline:
    return Pipeline([Stage("plus", models.plus_one(folder / "cameras"))])


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("admission", ADMISSIONS, ids=lambda admission: admission.kind)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_a_camera_does_is_accounted_for(
    runtime: Make, plus: Pipeline, case: Case, admission: Admission, worker: str
) -> None:
    it = runtime(plus, None, worker=worker, admission=admission)
    camera = scripted.camera(case.script, shape=(16, 16), name="cam", seed=3)
    ids = []
    with pytest.raises(SourceError, match=case.error) if case.error else nullcontext():
        for result in it.stream(camera):
            ids.append(result.frame.id)
            assert crc32(result.frame.pixels.data) == camera.crc(result.frame.id)
            assert (result["plus"] == result.frame.pixels + 1).all()
    assert it.drain(10)
    assert it.ledger.adds_up()
    counts = {state: n for state, n in it.ledger.counts.items() if n}
    if case.preparing and admission.kind != "block":
        assert counts.get("lost_upstream") == case.account.get("lost_upstream")
        assert sum(counts.values()) == sum(case.account.values())
        assert counts["done"] <= case.account["done"]
        skipped = {row.reason for row in it.ledger.table() if row.state == "skipped"}
        assert skipped <= {"preparing"}
    else:
        assert counts == case.account
    assert ids == sorted(ids)
    assert [id for id in ids] == [row.id for row in sorted(it.ledger.table()) if row.state == "done"]
    assert len(it.segments) == case.segments
    assert camera.tally.given == it.ledger.submitted


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("on_overflow", ["drop", "stop"])
def test_a_camera_that_is_taken_too_slowly(runtime: Make, plus: Pipeline, on_overflow: Any, worker: str) -> None:
    it = runtime(plus, None, worker=worker, admission=block(1), provider="null:10")
    camera = scripted.camera([Steady(200, fps=1000)], shape=(16, 16), buffer=10, on_overflow=on_overflow)
    with pytest.raises(SourceError) if on_overflow == "stop" else nullcontext():
        for _ in it.stream(camera):
            pass
    assert it.ledger.adds_up()
    assert it.ledger.reasons.keys() <= {"done", "lost_upstream"}
    assert it.ledger.counts["done"] == camera.tally.given < 200
    if on_overflow == "drop":
        # Those behind the last frame that came are known to the camera alone.
        assert 0 < it.ledger.counts["lost_upstream"] <= camera.tally.dropped


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("admission", ADMISSIONS, ids=lambda admission: admission.kind)
def test_two_cameras_with_faults_of_their_own(runtime: Make, plus: Pipeline, admission: Admission, worker: str) -> None:
    left = scripted.camera([Steady(15, fps=500), Drop(4), Steady(5, fps=500)], shape=(16, 16), name="left")
    right = scripted.camera([Steady(10, fps=300), Restart(), Steady(5, fps=1000)], shape=(8, 8), name="right")
    it = runtime(plus, None, worker=worker, admission=admission)
    ids = [result.frame.id for result in it.stream(scripted.cameras([left, right]))]
    assert it.ledger.adds_up()
    assert it.ledger.reasons == {"done": 35, "lost_upstream": 4}
    for camera in ("left", "right"):
        mine = [id for id in ids if id.camera == camera]
        assert mine == sorted(mine)
    assert len(ids) == 35
