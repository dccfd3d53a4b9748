"""A small recording of real packages: images of two sizes, and a table; and what its results were."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, Result, Runtime, block
from tests import models

FRAMES = 6


class Made(NamedTuple):
    """A recording and its results as they were live."""

    folder: Path
    results: list[Result]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("recorded")
    rng, results = np.random.default_rng(0), []
    pipeline = models.pipeline(folder)
    with Runtime(pipeline, worker="thread", admission=block(2), record=folder / "run") as runtime:
        runtime.prepare(models.SPEC)
        taken = runtime.subscribe(block(2 * FRAMES))
        for seq in range(FRAMES):
            pixels = rng.integers(0, 1010, models.SPEC.shape, dtype=np.uint16)
            runtime.submit(Frame(FrameId("run", "cam", 0, seq), pixels, "yx", {"t": seq}, stage_um=(float(seq), 0, 0)))
        assert runtime.drain(60)
        results = [result.copied() for _ in range(FRAMES) if (result := taken.take(10)) is not None]
    return Made(folder / "run", results)
