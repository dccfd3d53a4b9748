"""An engine whose cost follows a script in time, for rehearsing what a budget decides: `load:SCRIPT.json`.

The script has `ms` (what a run on all pixels takes), `pixels`, and `pieces`: [seconds, factor], interpolated in
between. Time counts from the moment (monotonic ns) that stands in the file SCRIPT.start; before it is written, the
factor is the first. A run on fewer pixels takes their share.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onscope.runtime import now_ns
from onscope.runtime.engines import Session, open_session

from .. import _registered as registered

ENTRY = "[onscope.engines]\nload = benchmarks.deadline._engine:LoadEngine\n"


class LoadEngine:
    """Opens graphs on the cpu, and has each run take as long as the script wants."""

    def __init__(self, argument: str = "") -> None:
        self._script = Path(argument)

    def open(self, graph: Path, threads: int | None = None) -> Session:
        return LoadedSession(open_session(graph, "cpu", threads), self._script)


class LoadedSession:
    """A real session that takes its time."""

    def __init__(self, real: Session, script: Path) -> None:
        told = json.loads(script.read_text())
        self._real, self._ms, self._pixels, self._pieces = real, told["ms"], told["pixels"], told["pieces"]
        self._start, self._start_ns = script.with_suffix(".start"), 0
        self.provider, self.inputs, self.outputs = "load", real.inputs, real.outputs

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        began = now_ns()
        answers = self._real.run(arrays)
        if not self._start_ns and self._start.exists():
            self._start_ns = int(self._start.read_text())
        at_s = (began - self._start_ns) / 1e9 if self._start_ns else 0.0
        wanted_ms = self._ms * factor(self._pieces, at_s) * arrays[0].size / self._pixels
        time.sleep(max(0.0, wanted_ms / 1e3 - (now_ns() - began) / 1e9))
        return answers


def factor(pieces: Sequence[Sequence[float]], at_s: float) -> float:
    """The load at a second of the script."""
    seconds, factors = zip(*pieces, strict=True)
    return float(np.interp(at_s, seconds, factors))


def register(folder: Path) -> None:
    """Have this process and its workers find the engine, as they find those that are installed."""
    registered.register(folder, "load", ENTRY)
