"""`scripted:FAULTS`: a real engine with faults at chosen runs. For tests and rehearsals of the live path.

    scripted:slow=200@5,hang@10,raise@12-14,nan@15,die@20,leak=10@*,slow=50@every3,die@-1,raise@7/denoise,state=DIR
    scripted:on=openvino,seed=3,slow=200@5%,raise@0.1%

A fault is `KIND[=VALUE]@RUNS[/STAGE]`; several are separated by commas and befall a run in the order written.

    slow=MS    sleeps for MS ms          raise   ProviderError                   nan     NaN in all float outputs
    busy=MS    spins in Python           crash   an exception that nobody        wrong   outputs one sample longer in
    leak=MB    keeps MB of memory                expects (RuntimeError)                  their last axis
    lost       DeviceLostError, as of a GPU that is gone, in this run and all after it of this session
    hang       sleeps for ever           die     ends its worker: kills the process of a process worker; elsewhere
                                                 SystemExit, which ends the thread of a thread worker without a word

    memory=MB  without runs: graphs that need more, by their estimate, are refused as by a GPU that is too small

RUNS is a number, `A-B` (both included), `*` (all), `everyN` (0, N, 2N, ...) or `P%` (so many of them, chosen by
`seed`, a whole number; at most `deaths`, 2 if not said, of those that end the worker). Run 0 is the first after the
warm-up; the warm-up's runs are -3, -2 and -1, and have to be named by number: `die@-1`, `slow=50@-3--1`. `on` names the
engine that runs the graph: cpu, if not said.

Every session counts its own runs. Stages that are one graph share a session, others do not run for a window that
failed in one before them; so name the STAGE that is to misbehave, or use one. A graph that was not compiled for a
pipeline goes by the name of its folder.

A worker that is restarted counts from the beginning again: `die@20` dies after every 20 runs. With `state=DIR`, an
empty folder, the runs of a graph are counted there, over all its sessions: `die@20` dies once. The warm-ups of its
first session are the only ones with numbers then. A box takes no folder from a PC: there the variable
ONSCOPE_SCRIPTED_STATE names it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from .._errors import DeviceLostError, DeviceMemoryError, ProviderError
from ._fault import Fault, Faults, parse_fault
from ._interface import WARM_UPS, Array, Session
from ._onnxruntime import OnnxRuntimeSession
from ._select import open_session

STATE = "ONSCOPE_SCRIPTED_STATE"


class ScriptedEngine:
    """Opens graphs whose sessions misbehave on a schedule."""

    def __init__(self, argument: str = "") -> None:
        folder = os.environ.get(STATE, "")
        self._state = Path(folder) if folder else None
        self._faults: list[Fault] = []
        self._on, self._seed, self._deaths = "cpu", 0, 2
        self._memory_mb = float("inf")
        told = []
        for part in filter(None, (part.strip() for part in argument.split(","))):
            key, _, value = part.partition("=")
            if key == "state":
                self._state = Path(value)
                continue  # where runs are counted is no part of what was run
            if key == "on":
                self._on = value
            elif key == "memory" and "@" not in value:
                self._memory_mb = _number(part, value)
            elif key in ("seed", "deaths"):
                if not value.isdecimal() or len(value) > 18:
                    raise ProviderError(f"found {part!r} in the schedule of faults, expected a whole number")
                self._seed, self._deaths = (int(value), self._deaths) if key == "seed" else (self._seed, int(value))
            else:
                self._faults.append(parse_fault(part))
            told.append(part)
        if self._state is not None and not self._state.is_dir():
            raise ProviderError(f"found no folder {self._state} to count runs in, expected an empty one: make it")
        self._provider = f"scripted:{','.join(told)}" if told else "scripted"
        if self._on.partition(":")[0] == "scripted":
            raise ProviderError(f"found on={self._on}, expected an engine without a schedule of its own")

    def open(self, graph: Path, threads: int | None = None) -> Session:
        stages = _stages(graph)
        name = "+".join(stages)
        faults = [fault for fault in self._faults if fault.stage in ("", *stages)]
        if (needs := float(_beside(graph).get("memory_mb", 0))) > self._memory_mb:
            raise DeviceMemoryError(f"found {self._memory_mb:g} MB on the GPU, expected {needs:.1f} MB for {name}")
        real = OnnxRuntimeSession(graph, threads) if self._on == "cpu" else open_session(graph, self._on, threads)
        if any(fault.kind == "nan" for fault in faults) and all(spec.dtype[0] != "f" for spec in real.outputs):
            raise ProviderError(
                f"found the fault 'nan' for {name}, whose outputs are no floats, expected a graph that can answer "
                "NaN: name the stage that it is meant for, nan@RUNS/STAGE"
            )
        count = _Count() if self._state is None else _StoredCount(self._state / f"{name}.runs")
        return ScriptedSession(real, Faults(faults, name, self._seed, self._deaths), count, self._provider)


class ScriptedSession:
    """A real session, and what befalls it."""

    def __init__(self, real: Session, faults: Faults, count: _Count, provider: str) -> None:
        self._real = real
        self._faults = faults
        self._count = count
        self._leaked: list[Array] = []
        self._lost = False
        self.provider = provider
        self.inputs = real.inputs
        self.outputs = real.outputs

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        run = self._count.next()
        due = self._faults.of(run)
        self._lost |= any(fault.kind == "lost" for fault in due)
        if self._lost:
            raise DeviceLostError("found that the GPU is lost, expected it to stay: it is scripted")
        for fault in due:
            if fault.kind == "leak":
                self._leaked.append(np.ones(round(fault.value * (1 << 20)), np.uint8))
            elif fault.kind in BEFORE:
                BEFORE[fault.kind](fault.value)
        answers = self._real.run(arrays)
        for fault in due:
            if fault.kind in AFTER:
                answers = [AFTER[fault.kind](answer) for answer in answers]
        return answers


class _Count:
    """Numbers the runs of one session."""

    def __init__(self) -> None:
        self._next = -WARM_UPS

    def next(self) -> int | None:
        """The number of the run that begins; None: it has none."""
        self._next += 1
        return self._next - 1


class _StoredCount(_Count):
    """Numbers the runs of all sessions of a graph, one after the other, by a file that each makes a byte longer.

    Its length is the count, so that a process that is killed at any moment leaves a count behind that is right.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._first = not path.exists()
        try:
            path.touch()
        except OSError as error:
            raise ProviderError(f"cannot count runs in {path}: {error.strerror}") from error

    def next(self) -> int | None:
        warming_up = super().next() < 0  # type: ignore[operator]  # a session's own count has all numbers
        if warming_up and not self._first:
            return None
        with self._path.open("ab") as file:
            length = file.seek(0, os.SEEK_END)
            if not warming_up and length < WARM_UPS:  # the first session did not outlive its warm-up
                length += file.write(bytes(WARM_UPS - length))
            file.write(b"\0")
        return length - WARM_UPS


def _stages(graph: Path) -> list[str]:
    """The stages of a compiled graph, as the JSON beside it says; else the name of its folder."""
    return [str(stage) for stage in _beside(graph).get("stages", [graph.parent.name])]


def _beside(graph: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(graph.with_suffix(".json").read_bytes()))
    except FileNotFoundError:
        return {}


def _number(part: str, value: str) -> float:
    if not value.replace(".", "", 1).isdecimal() or len(value) > 18:
        raise ProviderError(f"found {part!r} in the schedule of faults, expected a number of MB")
    return float(value)


def _slow(ms: float) -> None:
    time.sleep(ms / 1e3)


def _busy(ms: float) -> None:
    end = time.perf_counter() + ms / 1e3
    while time.perf_counter() < end:
        pass


def _hang(_: float) -> NoReturn:
    while True:
        time.sleep(3600)


def _raise(_: float) -> NoReturn:
    raise ProviderError("found a run that the schedule of faults names, expected it to fail: it is scripted")


def _crash(_: float) -> NoReturn:
    raise RuntimeError("a scripted crash")


def _die(_: float) -> NoReturn:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None or not spec.name.startswith("onscope.runtime.worker"):
        raise SystemExit("a scripted death")  # the process is the user's; a thread ends by this
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _nan(answer: Array) -> Array:
    return np.full_like(answer, np.nan) if answer.dtype.kind == "f" else answer


def _wrong(answer: Array) -> Array:
    return np.concatenate([answer, answer[..., -1:]], axis=-1) if answer.ndim else answer[None]


BEFORE: dict[str, Callable[[float], None]] = {
    "slow": _slow, "busy": _busy, "hang": _hang, "raise": _raise, "crash": _crash, "die": _die,
}  # fmt: skip
AFTER: dict[str, Callable[[Array], Array]] = {"nan": _nan, "wrong": _wrong}
