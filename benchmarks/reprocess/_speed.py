"""Seconds for a recording: one process without Dask, then workers and sizes of tasks, turn by turn."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from distributed import Client

from onscope.runtime import Pipeline, Stage
from onscope.runtime._ledger import Ledger
from onscope.runtime.record.reprocessed import ReprocessedRecording
from onscope.runtime.reprocess import local_cluster, reprocess
from onscope.runtime.reprocess._chains import described
from onscope.runtime.reprocess._job import Job, lane_told
from onscope.runtime.reprocess._store import Store
from onscope.runtime.reprocess._worker import Desk

PACKAGE = "zoo/espcn-beads"
CHUNK = 16


@dataclass
class Speed:
    """Seconds of each round: `alone` without Dask, `by_workers` with tasks of CHUNK windows, `by_chunk` with two.

    `busy`: how many cores the one process kept busy, for its answers are compressed by threads of their own.
    """

    frames: int
    size: int
    provider: str
    alone: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    by_workers: dict[int, list[float]] = field(default_factory=dict)
    by_chunk: dict[int, list[float]] = field(default_factory=dict)

    def most(self, workers: int, cores: int) -> float:
        """How many times as fast so many workers can be at best, with cores for all that the one process keeps busy."""
        return min(workers, cores / median(self.busy))


def measure(
    recording: Path,
    folder: Path,
    frames: int,
    size: int,
    provider: str,
    workers: tuple[int, ...],
    chunks: tuple[int, ...],
    rounds: int,
    tell: Callable[[str], object],
) -> Speed:
    """`folder` is for what is written. Before the clock, a cluster is started and imports onscope; networks are opened
    within it."""
    pipeline, found = Pipeline([Stage("up", PACKAGE, trust="off")]), Speed(frames, size, provider)
    described_once(recording, pipeline, folder, provider)
    for turn in range(rounds):
        before = time.process_time()
        found.alone.append(_alone(recording, pipeline, folder / "alone", provider))
        found.busy.append((time.process_time() - before) / found.alone[-1])
        tell(f"{provider}, round {turn + 1}: one process {found.alone[-1]:.1f} s, {found.busy[-1]:.1f} cores busy")
        for count in workers:
            with local_cluster(count) as cluster:
                cluster.wait_for_workers(count)
                with Client(cluster, set_as_default=False) as client:
                    client.run(_imported)
                each = CHUNK if count != 2 else None
                for chunk in (each,) if each else dict.fromkeys((CHUNK, *chunks)):
                    seconds = _dask(recording, pipeline, folder / "dask", provider, cluster, chunk)
                    tell(f"{provider}, round {turn + 1}: {count} workers, tasks of {chunk}: {seconds:.1f} s")
                    if chunk == CHUNK:
                        found.by_workers.setdefault(count, []).append(seconds)
                    if count == 2:
                        found.by_chunk.setdefault(chunk, []).append(seconds)
    return found


def _imported() -> None:
    """Have a worker import what it needs, as one that is used again has."""
    import onnxruntime
    import tensorstore

    del onnxruntime, tensorstore


def described_once(recording: Path, pipeline: Pipeline, folder: Path, provider: str) -> None:
    """Have the graph compiled before anything is timed."""
    job = Job.of(recording, pipeline, folder / "frames.parquet", provider=provider)
    next(job.chunks(described, lambda *_: ("", []), Ledger()))


def _alone(recording: Path, pipeline: Pipeline, out: Path, provider: str) -> float:
    """The same frames read, computed and written by one process, without a scheduler and its tables at the end."""
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    job = Job.of(recording, pipeline, out / "frames.parquet", provider=provider, chunk=CHUNK)
    with ReprocessedRecording(out, job.key) as target:
        target.begin(job.frames, job.pipeline, job.facts)
        store = Store(target.work)
        store.tell("job", job.telling(target.folder))

        def opened(message: Any) -> dict[str, Any]:
            answer = described(message)
            store.tell("lane-0", lane_told(message, answer))
            return answer

        desk: Desk | None = None
        for chunk in job.chunks(opened, target.place, Ledger()):
            desk = desk or Desk(store)
            desk.compute(chunk.message)
    return time.perf_counter() - began


def _dask(recording: Path, pipeline: Pipeline, out: Path, provider: str, cluster: Any, chunk: int) -> float:
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    reprocess(recording, pipeline, out, cluster=cluster, provider=provider, chunk=chunk)
    return time.perf_counter() - began
