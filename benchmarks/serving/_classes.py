"""Two classes of microscopes before a server that has not time for all: one queue, Triton's levels, and ours."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tests import models
from tests.serving.conftest import deployed
from tests.triton.server import LIMITED, Triton

from onscope.runtime import Pipeline, Stage
from onscope.runtime.deploy._config import read_config, text_of
from onscope.runtime.engines import open_session

from .._rows import Row, spread
from ..capacity._triton import slow_down
from ._plan import Plan
from ._server import Served, spec_of

LEVELS = "levels of the batcher"
KINDS = {"one queue": (0, 0), LEVELS: (1, 2), "classes": (1, 2)}
"""What stands between them, and which a microscope says that it is of."""
SIDE, MS = 64, 10.0
FIRST, FPS = 2, 25.0
OTHERS = 3


def classes(plan: Plan, served: Served, told: Callable[[str], object]) -> Iterator[Row]:
    """The network sleeps for 10 ms. Two of the first class ask for half of that time; the others, for all of it."""
    for kind, priorities in KINDS.items():
        told(kind)
        with _serving(kind) as (server, graph):
            found = _run(graph, server.provider, priorities, 2 * plan.seconds)
        for name, ages in zip(("first class", "others"), found, strict=True):
            rate = f"{len(ages) / (2 * plan.seconds):.0f} windows/s"
            asked = f" of {FIRST * FPS:.0f}" if name == "first class" else ""
            words = f"p50 {np.percentile(ages, 50):.0f}, p95 {np.percentile(ages, 95):.0f}, worst {max(ages):.0f} ms"
            yield Row(f"{kind}: the {name}", f"{rate}{asked}; {words}", detail={"ms": spread(ages)})


@contextmanager
def _serving(kind: str) -> Iterator[tuple[Triton, Path]]:
    with tempfile.TemporaryDirectory(prefix="onscope-bench-") as folder:
        pipeline = Pipeline([Stage("plus", models.plus_one(Path(folder) / "plus"))])
        server = Triton(Path(folder) / "server" / "repository", LIMITED if kind == "classes" else ())
        options = {"backend": "python", "kind": "cpu", "batch": 2 if kind == LEVELS else 1}
        options["priorities"] = 2 if kind == "classes" else 1
        (graph,) = deployed(pipeline, server, spec_of(SIDE), **options)
        slow_down(server.folder, {1: MS, 2: 2 * MS})
        if kind == LEVELS:
            for path in server.folder.rglob("config.pbtxt"):
                config = read_config(path.read_text())
                config.dynamic_batching.priority_levels = config.dynamic_batching.default_priority_level = 2
                path.write_text(text_of(config))
        server.start()
        try:
            yield server, graph
        finally:
            server.kill()


def _run(graph: Path, provider: str, priorities: tuple[int, int], seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds there and back of all windows that were asked for within the time, of the first class and others."""
    found: tuple[list[float], list[float]] = ([], [])
    ready = threading.Barrier(FIRST + OTHERS)

    def client(place: int, pause: float) -> None:
        session = open_session(graph, f"{provider}?priority={priorities[place]}&timeout_s=60")
        frame = np.zeros((SIDE, SIDE), np.uint16)
        session.run([frame])
        ready.wait(60)
        end = time.monotonic() + seconds
        while (began := time.monotonic()) < end:
            session.run([frame])
            age = time.monotonic() - began
            found[place].append(age * 1e3)
            time.sleep(max(0.0, pause - age))
        session.close()  # type: ignore[attr-defined]

    with ThreadPoolExecutor(FIRST + OTHERS) as pool:
        asked = [pool.submit(client, 0, 1 / FPS) for _ in range(FIRST)]
        asked += [pool.submit(client, 1, 0.0) for _ in range(OTHERS)]
        for each in asked:
            each.result()
    return found
