"""Random runs: a camera that plays a script, a model with faults, any admission, any worker; and what must hold."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from hypothesis import strategies as st

from onscope.drivers import scripted
from onscope.runtime import Admission, Event, FrameId, Pipeline, Runtime, SourceError, block
from onscope.runtime.record import open_recording

SHAPES = ((16, 16), (24, 16), (8, 40))
LONGEST_S = 60.0


@dataclass(frozen=True)
class Schedule:
    """One run."""

    scripts: tuple[tuple[scripted.Step, ...], ...]
    faults: tuple[str, ...]
    admission: Admission
    worker: Literal["process", "thread"]
    once: bool
    """Whether a fault comes once, or again in every worker that is started anew."""


def schedules(worker: Literal["process", "thread"] | None = None) -> st.SearchStrategy[Schedule]:
    """Runs of up to some dozens of frames."""
    numbers = st.integers(0, 25)
    kinds = ["raise", "crash", "die", "wrong", "slow=15", "busy=5", "leak=1"]
    fault = st.builds(lambda kind, run: f"{kind}@{run}", st.sampled_from(kinds), numbers)
    often = st.builds(
        lambda kind, every: f"{kind}@every{every}", st.sampled_from(["raise", "slow=3"]), st.integers(2, 9)
    )
    admission = st.builds(
        Admission,
        kind=st.sampled_from(["keep_newest", "keep_oldest", "block"]),
        depth=st.integers(1, 4),
        every_n=st.sampled_from([1, 1, 1, 3]),
        deadline_ms=st.sampled_from([None, None, 5.0, 50.0]),
    )
    return st.builds(
        Schedule,
        scripts=st.lists(scripts(), min_size=1, max_size=2).map(tuple),
        faults=st.lists(st.one_of(fault, fault, often), max_size=3).map(tuple),
        admission=admission,
        worker=st.sampled_from(["process", "thread"]) if worker is None else st.just(worker),
        once=st.booleans(),
    )


def scripts() -> st.SearchStrategy[tuple[scripted.Step, ...]]:
    """What a camera may do."""
    step = st.one_of(
        st.builds(scripted.Burst, st.integers(1, 20)),
        st.builds(
            scripted.Steady, st.integers(1, 20), st.sampled_from([300.0, 1000.0, 2000.0]), st.sampled_from([0.0, 0.5])
        ),
        st.builds(scripted.Pause, st.integers(1, 20)),
        st.builds(scripted.Drop, st.integers(1, 5)),
        st.just(scripted.Restart()),
        st.builds(scripted.Change, shape=st.sampled_from(SHAPES)),
        st.builds(scripted.Change, exposure_ms=st.sampled_from([1.0, 5.0])),
        st.builds(scripted.Change, dtype=st.sampled_from(["uint16", "uint8", "float32"])),
        st.builds(scripted.Move, position=st.integers(0, 2), channel=st.sampled_from(["DAPI", "GFP"])),
    )
    ends = st.sampled_from([(), (), (), (scripted.Fail("unplugged"),)])
    first = st.builds(scripted.Burst, st.integers(1, 20))
    return st.builds(lambda a, steps, end: (a, *steps, *end), first, st.lists(step, max_size=6), ends)


def carry_out(schedule: Schedule, pipeline: Pipeline, folder: Path) -> None:
    """Run it with a recording, and check what always holds."""
    faults = [*schedule.faults]
    if schedule.once:
        (folder / "state").mkdir(parents=True)
        faults.append(f"state={folder / 'state'}")
    cameras = [
        scripted.camera(script, shape=SHAPES[0], name=f"cam{number}", seed=number, buffer=30)
        for number, script in enumerate(schedule.scripts)
    ]
    source: Any = cameras[0] if len(cameras) == 1 else scripted.cameras(cameras)
    given: dict[FrameId, int] = {}
    events: list[Event] = []
    fails = any(isinstance(step, scripted.Fail) for script in schedule.scripts for step in script)
    with Runtime(
        pipeline,
        worker=schedule.worker,
        admission=schedule.admission,
        provider=f"scripted:{','.join(faults)}",
        record=folder / "run",
        patience_s=LONGEST_S,
        on_event=events.append,
    ) as runtime:
        results = runtime.subscribe(block(200))
        with suppress(SourceError) if fails else nullcontext():
            for _ in runtime.stream(Noted(source, given)):
                pass
        assert runtime.drain(LONGEST_S), (runtime.ledger.counts, events)
    ledger = runtime.ledger
    assert ledger.adds_up(), ledger.counts
    assert ledger.submitted == len(given)
    rows = {row.id: row for row in ledger.table() if row.state != "lost_upstream"}
    assert rows.keys() == given.keys()
    lost = sum(row.frames for row in ledger.table() if row.state == "lost_upstream")
    assert lost == lost_between(given)
    delivered: dict[str, list[FrameId]] = defaultdict(list)
    for result in results:
        assert crc32(result.frame.pixels.data) == given[result.frame.id]
        delivered[result.frame.id.camera].append(result.frame.id)
    for camera in cameras:
        ids = delivered[camera.name]
        assert ids == sorted(ids), "results come in the camera's order"
        assert ids == [id for id in given if id.camera == camera.name and rows[id].state in ("done", "late")]
    check_recording(folder / "run", given)


def check_recording(folder: Path, given: dict[FrameId, int]) -> None:
    """Every frame that the camera gave is in the recording, once, in order, with its pixels."""
    run = open_recording(folder)
    assert run.manifest["state"] == "complete"
    recorded = {frame.id: crc32(frame.pixels.data) for frame in run.frames()}
    assert len(run) == len(recorded), "none twice"
    assert recorded == given
    for camera in {id.camera for id in given}:
        assert [id for id in recorded if id.camera == camera] == [id for id in given if id.camera == camera]
    assert run.verify() == []


def lost_between(given: dict[FrameId, int]) -> int:
    """Frames that the counters jumped over."""
    last: dict[tuple[str, str, int], int] = {}
    lost = 0
    for run, camera, segment, seq in given:
        lost += seq - last.get((run, camera, segment), -1) - 1
        last[run, camera, segment] = seq
    return lost


class Noted:
    """A source whose frames' numbers and CRC-32 are noted as they are taken."""

    def __init__(self, source: Any, given: dict[FrameId, int]) -> None:
        self._source, self._given = source, given
        self.spec = source.spec
        if hasattr(source, "specs"):
            self.specs = source.specs

    def frames(self, n: int | None = None) -> Any:
        for frame in self._source.frames(n):
            self._given[frame.id] = crc32(frame.pixels.data)
            yield frame
