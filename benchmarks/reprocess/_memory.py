"""The resident memory of workers while they compute a recording that is several times what they may take."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tests import models

from onscope.runtime import Pipeline, Stage
from onscope.runtime.reprocess import local_cluster, reprocess

EVERY_S = 0.25


@dataclass
class Memory:
    """Megabytes by process and second: `limit_mb` is what Dask lets a worker take, `whole_mb` are the raw frames."""

    limit_mb: int
    whole_mb: float
    workers: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    driver: list[tuple[float, float]] = field(default_factory=list)
    seconds: float = 0.0

    def rise(self) -> float:
        """The median of the last fifth of the run over that of the second fifth, of the worker that rose the most."""
        ratios = []
        for samples in self.workers.values():
            early = [mb for at, mb in samples if 0.2 <= at / self.seconds < 0.4]
            late = [mb for at, mb in samples if at / self.seconds >= 0.8]
            if early and late:
                ratios.append(sorted(late)[len(late) // 2] / sorted(early)[len(early) // 2])
        return max(ratios, default=float("nan"))

    def most(self) -> float:
        """Of any worker at any time."""
        return max(mb for samples in self.workers.values() for _, mb in samples)


def measure(recording: Path, folder: Path, whole_mb: float, limit_mb: int, workers: int) -> Memory:
    """Compute frame + 1 of all frames with workers that Dask restarts when they take more than `limit_mb`."""
    pipeline, found = Pipeline([Stage("plus", models.plus_one(folder / "plus"))]), Memory(limit_mb, whole_mb)
    stop = threading.Event()
    with local_cluster(workers, f"{limit_mb}MB") as cluster:
        cluster.wait_for_workers(workers)
        began = time.monotonic()
        watch = threading.Thread(target=_watch, args=(cluster, found, began, stop))
        watch.start()
        try:
            reprocess(recording, pipeline, folder / "out", cluster=cluster, provider="cpu", chunk=8)
        finally:
            stop.set()
            watch.join()
    found.seconds = time.monotonic() - began
    return found


def _watch(cluster: Any, found: Memory, began: float, stop: threading.Event) -> None:
    here = psutil.Process()
    while not stop.wait(EVERY_S):
        at = time.monotonic() - began
        found.driver.append((at, here.memory_info().rss / 1e6))
        for nanny in list(cluster.workers.values()):
            try:
                rss = psutil.Process(nanny.pid).memory_info().rss
            except (psutil.Error, TypeError):  # it is just being started again
                continue
            found.workers.setdefault(nanny.pid, []).append((at, rss / 1e6))
