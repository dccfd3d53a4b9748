"""One Triton with a model for each size of frames: a pipeline that does next to nothing, with answers of their size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests import models
from tests.serving.conftest import deployed
from tests.triton.server import Triton

from onscope.runtime import FrameSpec, Pipeline, Stage

from ._plan import Plan

DIFFERENT = 8


@dataclass(frozen=True)
class Served:
    """A running server, and the pipeline whose graphs it has; `graphs` are their files by the side of the frames."""

    server: Triton
    pipeline: Pipeline
    graphs: dict[int, Path]


@contextmanager
def serving(plan: Plan) -> Iterator[Served]:
    """Start the server; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="onscope-bench-") as folder:
        pipeline = Pipeline([Stage("plus", models.plus_one(Path(folder) / "plus"))])
        server = Triton(Path(folder) / "server" / "repository")
        graphs: dict[int, Path] = {}
        for side in plan.sides:
            (graphs[side],) = deployed(pipeline, server, spec_of(side), backend="python", kind="cpu", batch=8)
        server.start()
        try:
            yield Served(server, pipeline, graphs)
        finally:
            server.kill()


def spec_of(side: int) -> FrameSpec:
    return FrameSpec((side, side), "uint16", camera="cam")


def pixels_of(side: int) -> list[np.ndarray]:
    chance = np.random.default_rng(1)
    return [chance.integers(0, 4096, (side, side), np.uint16) for _ in range(DIFFERENT)]
