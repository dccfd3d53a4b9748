"""From a package to its card: parity, cost, a live run on a microscope's core, and quality on held-out samples."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ._card import Card, Cost, LiveRun
from ._live_path import Image, answers, pipeline_of, with_package
from ._score import Score
from ._system import System

RUNS = 15
"""Windows that the cost is the median of; two more come before them."""
PATIENCE_S = 900.0


def measure(system: System, folder: Path, seeds: int | None = None) -> Card:
    """The card of the package in `folder`, which is not changed. `seeds`: as many as the system says, unless told.

    Raises ValueError when the live run ends in an error, with its last lines.
    """
    told = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    scores: tuple[Score, ...] = ()
    if system.measured is not None:
        scores = tuple(system.measured.scores(folder, system.measured.seeds if seeds is None else seeds))
    return Card(
        system=system.key,
        weights_sha256=told["weights_sha256"],
        parameters=told["parameters"],
        parity=max(one["max_relative"] for one in told["parity"]),
        trained=system.training is not None,
        cost=cost_of(system, folder),
        live=live_run(system, folder),
        scores=scores,
        versions={name: version(name) for name in ("onnxruntime", "numpy", "onnx")},
    )


def cost_of(system: System, folder: Path) -> Cost:
    """Time of the pipeline's graphs per window of frames of the system's `cost_shape`, on one thread of the CPU."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None  # Windows has none
    rng = np.random.default_rng(0)
    frame = rng.poisson(200, system.cost_shape).astype(np.uint16)
    pipeline = pipeline_of(system.live.pipeline, folder)
    letter = pipeline.gather.along
    count = RUNS + 2
    total = count + system.window if letter == "t" and pipeline.gather.sliding else count * system.window
    images = [
        Image(frame, {"t": n} if letter == "t" else {"t": n // system.window, letter: n % system.window})
        for n in range(total)
    ]
    spans = [
        sum(end - start for start, end in set(one.stamps.stages.values())) for one in answers(pipeline, images, 0.1)
    ]
    times = np.asarray(spans[2:]) / 1e6
    p50, p99 = (round(float(value), 2) for value in np.percentile(times, (50, 99)))
    return Cost(p50, p99, system.cost_shape, system.window, len(times), "cpu", 1, _machine(), load)


def live_run(system: System, folder: Path) -> LiveRun:
    """Run the pipeline by `onscope run` in a process of its own, on the system's source; what became of its frames."""
    with TemporaryDirectory() as place:
        out = Path(place) / "run"
        file = Path(place) / f"{system.key}.yaml"
        file.write_text(with_package(system.live.pipeline, folder), encoding="utf-8")
        words = ["run", str(file), "--source", system.live.source, "--frames", str(system.live.frames)]
        words += ["--out", str(out), "--admission", "block:2", "--provider", "cpu"]
        run = subprocess.run(
            [sys.executable, "-m", "onscope.cli", *words],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False, env={**os.environ, "COLUMNS": "120"},
        )  # fmt: skip
        if run.returncode:
            last = "\n".join((run.stdout + run.stderr).splitlines()[-25:])
            raise ValueError(f"found a live run of {system.key} that ended with {run.returncode}, expected 0:\n{last}")
        told = json.loads((out / "latency.json").read_text(encoding="utf-8"))
    return _live_run(system, told)


def _live_run(system: System, told: dict[str, Any]) -> LiveRun:
    ledger = told["ledger"]
    stages = [step for name, step in told["steps_ms"].items() if name.startswith("stage ")]
    return LiveRun(
        source=system.live.source,
        submitted=sum(ledger.values()),
        done=ledger["done"] + ledger["late"],
        skipped=ledger["skipped"],
        failed=ledger["failed"],
        lost=ledger["lost_upstream"],
        p50_ms=round(sum(step["p50"] for step in stages), 2),
        p99_ms=round(sum(step["p99"] for step in stages), 2),
    )


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {model}"
