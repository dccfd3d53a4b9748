"""From a kill -9 of worker, rules or a watched view to the command that makes the microscope safe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from onscope.runtime import Runtime, Source, WorkerError, now_ns
from onscope.runtime.feedback.journal import read_journal
from onscope.runtime.feedback.loop import Feedback

from .._rows import Row
from ._bench import running
from ._plan import Plan

PATIENCE_S = 0.5
"""Of the watchdog. A worker that is back within it is none that died; here it is killed as often as it
comes back, until it is given up."""
KINDS = ("rules", "view", "worker")


def kills(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """A row for each kind of process."""
    rows = []
    for kind in KINDS:
        told(f"kills: {kind}")
        found = [_once(plan, kind, number) for number in range(plan.kills)]
        taken = [each for each in found if each is not None]
        detail = {"ms": [round(each, 1) for each in taken], "patience_s": PATIENCE_S, "kills": plan.kills}
        if taken:
            middle, most = f"{np.median(taken):.0f} ms", f"{max(taken):.0f} ms at most"
            all_of_them = f"{len(taken)} of {plan.kills}"
            rows.append(Row(f"kill -9 of {kind} to the safe state", f"{middle}, {most}, {all_of_them}", detail=detail))
        else:
            rows.append(Row(f"kill -9 of {kind} to the safe state", "none", detail=detail))
    return rows


def _once(plan: Plan, kind: str, seed: int) -> float | None:
    """Milliseconds from the kill to the first command of the safe state; None: there was none."""
    moment = np.random.default_rng(seed).uniform(0.2, 0.6)
    with tempfile.TemporaryDirectory() as folder:
        with running(plan, Path(folder) / "run", "process", "process", PATIENCE_S) as (runtime, feedback, source):
            view = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            feedback.watch("the view", pid=view.pid)
            frames = threading.Thread(target=_take, args=(runtime, source), daemon=True)
            frames.start()
            time.sleep(moment)
            killed_ns = now_ns()
            _kill(kind, runtime, feedback, view)
            view.kill()
            view.wait()
            journal = feedback.journal
            runtime.close()
            frames.join()
        safe = [each for each in read_journal(journal) if each.kind == "safe state" and each.at_ns >= killed_ns]
        return (safe[0].commands[0].at_ns - killed_ns) / 1e6 if safe and safe[0].commands else None


def _take(runtime: Runtime, source: Source) -> None:
    with suppress(WorkerError):  # it is closed meanwhile
        for _ in runtime.stream(source, 400):
            pass


def _kill(kind: str, runtime: Runtime, feedback: Feedback, view: subprocess.Popen[bytes]) -> None:
    last = 0
    end = time.monotonic() + 20.0
    while not feedback.held and time.monotonic() < end:
        pid = {"rules": feedback.rules_pid, "view": view.pid, "worker": runtime.worker_pid}[kind]
        if pid and pid != last:
            os.kill(pid, signal.SIGKILL)
            last = pid
        time.sleep(0.002)
