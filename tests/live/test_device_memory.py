"""A GPU whose memory does not suffice: tiles where they are possible, else refused before the run, never in mid-run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import DeviceMemoryError, Event, Frame, FrameId, FrameSpec, Pipeline, Runtime, Stage, block
from onscope.runtime.graph import Raw
from onscope.runtime.worker import _fit
from tests import models

Make = Callable[..., Runtime]
SPEC = FrameSpec((512, 384), "float32", camera="cam")


@pytest.mark.parametrize("worker", ["process", pytest.param("box", marks=pytest.mark.slow)])
def test_what_does_not_fit_runs_in_tiles(runtime: Make, folder: Path, events: list[Event], worker: str) -> None:
    pipeline = Pipeline([Stage("root", models.root(folder / "memory"))])
    it = runtime(pipeline, SPEC, worker=worker, provider="scripted:memory=0.4", admission=block(2))
    pixels = np.random.default_rng(0).random(SPEC.shape).astype(np.float32)
    results = it.subscribe(block(1))
    it.submit(Frame(FrameId("run", "cam", 0, 0), pixels))
    assert it.drain(20)
    it.close()
    (result,) = results
    np.testing.assert_allclose(result["root"], np.sqrt(pixels), rtol=1e-6)
    (words,) = [event.message for event in events if event.kind == "warning"]
    assert words.startswith("found 0.4 MB on the GPU, expected ")
    assert "run in tiles of" in words


def test_what_does_not_fit_in_tiles_is_refused_before_the_run(runtime: Make, folder: Path) -> None:
    pipeline = Pipeline([Stage("root", models.root(folder / "memory"))])
    with pytest.raises(DeviceMemoryError, match=r"found 0.001 MB on the GPU.*in tiles"):
        runtime(pipeline, SPEC, worker="process", provider="scripted:memory=0.001")


def test_a_list_goes_on_with_the_next(runtime: Make, folder: Path) -> None:
    pipeline = Pipeline([Stage("root", models.root(folder / "memory"))])
    it = runtime(pipeline, SPEC, worker="process", provider="scripted:memory=0.001,cpu")
    assert it.providers == {"root": "cpu"}


def test_it_is_the_memory_of_the_gpu_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def memory(provider: str) -> tuple[float, float]:
        asked.append(provider)
        return 1.0, 2.0

    monkeypatch.setattr(_fit, "gpu_memory_mb", memory)
    stages, raw = [Stage("root", models.root(tmp_path / "root")).request], Raw((512, 384), "float32")
    whole, told = _fit.compile_fitting(stages, raw, None, provider="cpu")
    assert (whole.tiling, told, asked) == (None, [], [])
    tiled, (words,) = _fit.compile_fitting(stages, raw, None, provider="cuda:1")
    assert tiled.tiling is not None
    assert "1 MB are free on the GPU" in words
    assert asked == ["cuda:1"]
