"""What is to be acquired, how it is told to the process that does it, and what comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from .._beside import Where

Driver = Literal["pycro-manager", "pymmcore-plus"]
Who = Literal["script", "onscope", "copies", "turns"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Job:
    """An acquisition of `frames` time points without pause with Micro-Manager's demo camera, `size` x `size` uint16.

    `who` works on the frames: "script" runs the networks in the callback, "onscope" hands them over, "copies" hands
    them to a stalled model and into plain slots in turn, "turns" does the former under several switch intervals.
    `busy` says where other Python works meanwhile, `buffer_mb` the size of Micro-Manager's buffer.
    """

    driver: Driver
    who: Who
    frames: int
    size: int = 512
    exposure_ms: float = 10.0
    buffer_mb: int = 64
    busy: Where = "idle"
    threads: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of an acquisition. `error` is what ended it early; `found` what its hook measured."""

    error: str = ""
    saved: int = 0
    seconds: float = 0.0
    found: dict[str, Any] = field(default_factory=dict)


def run(job: Job) -> Outcome:
    """Acquire in a new process. A process that crashes or hangs is an outcome like any other."""
    command = [sys.executable, "-m", "benchmarks.acquire", json.dumps(asdict(job))]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return Outcome(error=f"hung for {PATIENCE_S:.0f} s")
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            return Outcome(**json.loads(line))
    words = done.stderr.strip().splitlines()
    return Outcome(error=f"ended with {done.returncode}: {words[-1] if words else 'no word'}")
