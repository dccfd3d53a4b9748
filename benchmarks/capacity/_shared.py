"""Real Runtimes that share one server, beside the simulation of them.

`shared` takes the server's address: "stand-in" starts one that only takes time, on this machine, and "triton" NVIDIA's
with networks that sleep; with "kserve://HOST:PORT" the workers go there, and what its batches take is given as `ms`.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from onscope.runtime import Admission
from onscope.runtime.capacity import (
    JITTER,
    Batching,
    Cost,
    Facility,
    Fate,
    Live,
    Rhythm,
    Scope,
    Server,
    fate_of,
    machine_load,
    simulate,
    thinned,
)

from ._scope import STAMPS

STAND_IN = "stand-in"
TRITON = "triton"
SIZE = "256x256"
IN_FLIGHT = 2
CALIBRATED_AT = 0.2
"""The load of the run from which a copy, a message and a window's way are learnt."""


@dataclass(frozen=True, slots=True)
class Case:
    """Microscopes at `fps`, of these priorities, before a server of `instances` with batches of up to `largest`."""

    name: str
    fps: float
    priorities: tuple[int, ...]
    ms: dict[int, float]
    instances: int = 1
    largest: int = 1
    kind: str = "keep_newest"

    @property
    def load(self) -> float:
        """Of the server without batches."""
        return self.fps * len(self.priorities) * self.ms[1] / 1e3 / self.instances


@dataclass(frozen=True, slots=True)
class Compared:
    """One case: predicted and measured, for all and by priority, and the load of the machine before."""

    case: Case
    machine_load: float
    predicted: dict[str, Fate]
    measured: dict[str, Fate]


def shared(address: str, cases: Sequence[Case], pipeline: Path, seconds: float, folder: Path) -> list[Compared]:
    """Run every case for so many seconds and simulate it; raises RuntimeError when a microscope's process fails."""
    found = []
    learnt: tuple[Live, list[float]] | None = None
    for number, case in enumerate(cases):
        if learnt is None:  # as many microscopes, so slow that they hardly meet
            slow = replace(case, fps=case.fps * CALIBRATED_AT / case.load)
            lives, took = _run(address, slow, pipeline, max(seconds, 4.0), folder / f"slow-{number}")
            stamps = [one for live in lives for one in live.stamps]
            learnt = replace(lives[0], stamps=stamps), took or [case.ms[1]] * 3
        before = machine_load()
        lives, _ = _run(address, case, pipeline, seconds, folder / str(number))
        predicted = _predicted(case, *learnt, seconds, far=address != STAND_IN)
        found.append(Compared(case, before, predicted, _measured(case, lives)))
    return found


def _predicted(case: Case, slow: Live, took: Sequence[float], seconds: float, *, far: bool) -> dict[str, Fate]:
    """What the server's sleeps took too long was measured, and so is it for larger batches."""
    late = [max(0.0, each - min(took)) + min(took) - case.ms[1] for each in took]
    cost = Cost({batch: thinned([ms + each for each in late]) for batch, ms in case.ms.items()})
    at_once = float(np.median(took))
    beside = tuple(max(0.0, each - at_once) / 2 for each in thinned(slow.worker_ms))
    scopes = [
        Scope(
            f"{number}",
            Rhythm(case.fps, JITTER),
            "window",
            Admission(case.kind, 2),  # type: ignore[arg-type]
            copy_ms=slow.times_ms(("received", "copied")),
            pack_ms=beside,
            unpack_ms=beside,
            handover_ms=slow.times_ms(("sent", "started"), ("finished", "delivered")),
            priority=priority,
            depth=IN_FLIGHT if far else 1,
            far=far,
        )
        for number, priority in enumerate(case.priorities)
    ]
    server = Server(case.instances, Batching(case.largest))
    came = simulate(Facility(scopes, [server], {"window": cost}), 10 * seconds)
    several = came.priorities if len(came.priorities) > 1 else {}
    return {"all": came.whole} | {f"priority {number}": fate for number, fate in several.items()}


def _measured(case: Case, lives: Sequence[Live]) -> dict[str, Fate]:
    def together(some: Sequence[Live]) -> Fate:
        ends: dict[str, int] = {}
        for live in some:
            for end, number in live.fate.ends.items():
                ends[end] = ends.get(end, 0) + number
        times = [(one.delivered - one.received) / 1e6 for live in some for one in live.stamps]
        return fate_of(ends, np.array(times))

    classes = sorted(set(case.priorities)) if len(set(case.priorities)) > 1 else []
    by_class = {
        f"priority {each}": together([live for live, own in zip(lives, case.priorities, strict=True) if own == each])
        for each in classes
    }
    return {"all": together(lives)} | by_class


def _run(address: str, case: Case, pipeline: Path, seconds: float, folder: Path) -> tuple[list[Live], list[float]]:
    """A process per microscope, all at once; their windows, and what the stand-in's batches of one took."""
    folder.mkdir()
    took: list[float] = []
    with _server(address, case, took, pipeline) as port:
        processes = []
        for number, priority in enumerate(case.priorities):
            told: dict[str, Any] = {"fps": case.fps, "frames": max(20, round(case.fps * seconds)), "size": SIZE}
            told |= {"seed": number + 1, "pipeline": str(pipeline), "kind": case.kind}
            stand_in = {"worker": "process", "provider": f"asked:{port}/{priority}"}
            there = f"kserve://127.0.0.1:{port}" if address == TRITON else address
            own = {"worker": f"{there}?in_flight={IN_FLIGHT}&priority={priority}", "provider": None}
            told |= stand_in if address == STAND_IN else own
            settings = folder / f"{number}.json"
            settings.write_text(json.dumps(told))
            processes.append(_start("_scope", str(settings)))
        for process in processes:
            _said(process)
        for process in processes:  # all are ready now
            assert process.stdin is not None
            process.stdin.write("begin\n")
            process.stdin.flush()
        lives = [_live(json.loads(_said(process))) for process in processes]
        for process in processes:
            process.wait()
    return lives, took


def _live(told: dict[str, Any]) -> Live:
    stamps: Any = [SimpleNamespace(**dict(zip(STAMPS, each, strict=True))) for each in told["stamps"]]
    times = np.array([(one.delivered - one.received) / 1e6 for one in stamps])
    return Live(fate_of(told["ends"], times), stamps)


def _start(module: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"benchmarks.capacity.{module}", *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    if not (line := process.stdout.readline()):
        raise RuntimeError(f"found that {process.args!r} ended with {process.wait()}, expected a line of it")
    return line


@contextlib.contextmanager
def _server(address: str, case: Case, took: list[float], pipeline: Path) -> Iterator[int]:
    if address == TRITON:
        from ._triton import sleeping

        side = int(SIZE.partition("x")[0])
        with sleeping(pipeline, side, case.ms, case.instances, case.largest, len(set(case.priorities))) as port:
            yield port
        return
    if address != STAND_IN:
        yield 0
        return
    table = ",".join(f"{batch}:{ms:g}" for batch, ms in case.ms.items())
    process = _start("_server", table, str(case.instances), str(case.largest))
    try:
        yield int(_said(process))
        assert process.stdin is not None
        process.stdin.close()
        took += json.loads(_said(process))
    finally:
        process.kill()
        process.wait()
