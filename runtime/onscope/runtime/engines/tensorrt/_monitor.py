"""How far a build is, from what TensorRT tells while it builds; and the way to stop it."""

from __future__ import annotations

import threading
from typing import Any

from .._ahead import Progress

FINE = 1000
"""Steps of the whole that are told."""


class Phases:
    """TensorRT's phases, each with steps, some of which are phases of their own: one number for all of them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._steps: dict[str, tuple[int, int]] = {}
        self._parents: dict[str, str | None] = {}
        self._lock = threading.Lock()  # phases are told from several threads of TensorRT's
        self._told = 0

    def start(self, name: str, parent: str | None, steps: int) -> None:
        with self._lock:
            self._steps[name] = 0, max(steps, 1)
            self._parents[name] = parent if parent in self._steps and parent != name else None
            self._tell(name)

    def step(self, name: str, number: int) -> None:
        with self._lock:
            if name in self._steps:
                self._steps[name] = number + 1, self._steps[name][1]
                self._tell(name)

    def finish(self, name: str) -> None:
        with self._lock:
            self._steps.pop(name, None)
            self._parents.pop(name, None)

    def _tell(self, name: str) -> None:
        part, at = 0.0, name
        for _ in range(len(self._steps)):  # no further than there are phases, whatever their parents are called
            done, steps = self._steps[at]
            part = min((done + part) / steps, 1.0)
            parent = self._parents.get(at)
            if parent is None or parent not in self._steps:
                break
            at = parent
        self._told = max(self._told, round(part * FINE))  # the next phase begins anew, a bar does not
        self._progress(name, self._told, FINE)


def monitor(trt: Any, progress: Progress, stop: threading.Event) -> Any:
    """An IProgressMonitor for a build configuration. When `stop` is set the build ends at its next step."""
    phases = Phases(progress)

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # the module is only known when it runs
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            phases.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            phases.step(phase_name, step)
            return not stop.is_set()

        def phase_finish(self, phase_name: str) -> None:
            phases.finish(phase_name)

    return Monitor()
