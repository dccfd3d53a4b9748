"""What a window was normalised with: told with its result, recorded, and enough to compute the answer again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, FrameSpec, Gather, Pipeline, Result, Runtime, Stage, block
from onscope.runtime.record import open_recording
from onscope.runtime.worker import Chain
from tests import models

from .test_compiled import RANGE, SPEC, UNIT, Array, frames, scaled

Make = Callable[..., Runtime]
RGB = FrameSpec((24, 32, 3), "uint16", "yxs", "cam", 0.1)


def run(it: Runtime, pixels: Sequence[Array], spec: FrameSpec = SPEC) -> list[Result]:
    results = it.subscribe(block(len(pixels) + 1))
    for seq, array in enumerate(pixels):
        it.submit(Frame(FrameId("run", spec.camera, 0, seq), array, spec.axes))
    assert it.drain(60)
    it.close()
    return list(results)


@pytest.mark.parametrize("worker", ["process", "thread"])
@pytest.mark.parametrize("normalise", ["per_frame", "frozen", "running"])
def test_parameters_are_told_recorded_and_enough(runtime: Make, tmp_path: Path, normalise: Any, worker: str) -> None:
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE), normalise=normalise, frozen_frames=2)])
    pixels = frames(7)
    results = run(runtime(pipeline, SPEC, worker=worker, admission=block(2), record=tmp_path / "run"), pixels)
    own = [np.percentile(each, (1.0, 99.8)) for each in pixels]
    expected = {"per_frame": own[6], "frozen": np.mean(own[:2], 0)}.get(normalise)
    for seq, result in enumerate(results):
        told = result.parameters["net"]
        assert told.get("windows") == {"per_frame": None, "frozen": min(seq + 1, 2), "running": seq + 1}[normalise]
    if expected is not None:
        assert [told["percentile 1"], told["percentile 99.8"]] == pytest.approx(list(expected), rel=1e-12)

    rows = open_recording(tmp_path / "run").table("values").to_pylist()
    recorded: dict[int, dict[str, dict[str, float]]] = {}
    for row in rows:
        assert (row["run"], row["camera"], row["segment"], row["kind"]) == ("run", "cam", 0, "parameter")
        recorded.setdefault(row["seq"], {}).setdefault(row["stage"], {})[row["name"]] = row["value"]
    assert recorded == {result.frame.id.seq: {"net": dict(result.parameters["net"])} for result in results}

    chain = Chain(pipeline.opening(SPEC, "auto", None))
    for seq in (5, 0, 3, 6):  # in any order: an answer needs its window and its numbers alone
        (again,), _ = chain.run([pixels[seq]], parameters=recorded[seq])
        np.testing.assert_array_equal(again, results[seq]["net"])


def test_each_sample_has_its_name(runtime: Make, tmp_path: Path) -> None:
    models.plus_rgb(tmp_path / "net")
    steps = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]
    net = models.beside(tmp_path / "net", "inputs", steps)
    pixels = frames(2, spec=RGB)
    for result in run(runtime(Pipeline([Stage("net", net)]), RGB, admission=block(2)), pixels, RGB):
        target = pixels[result.frame.id.seq]
        expected = {f"{kind} [{s}]": getattr(target[..., s], kind)() for kind in ("mean", "std") for s in range(3)}
        assert result.parameters["net"] == pytest.approx(expected, rel=1e-9)


def test_a_window_tells_its_frames_and_what_was_taken_of_which(runtime: Make, tmp_path: Path) -> None:
    net = scaled(tmp_path / "net", UNIT)
    pipeline = Pipeline([Stage("net", net)], Gather(3, "t", every=1, look_ahead=1))
    pixels = frames(5)
    results = run(runtime(pipeline, SPEC, admission=block(2), record=tmp_path / "run"), pixels)
    rows = open_recording(tmp_path / "run").table("results").to_pylist()
    assert [row["window"] for row in rows] == [[{"segment": 0, "seq": k + j} for j in range(3)] for k in range(3)]
    for result, row in zip(results, rows, strict=True):
        assert [each.id.seq for each in result.frames] == [each["seq"] for each in row["window"]]
        assert row["seq"] == row["window"][1]["seq"] == result.frame.id.seq
        told = result.parameters["net"]
        target = pixels[result.frame.id.seq]
        assert told == pytest.approx({"mean": target.mean(), "std": target.std()}, rel=1e-9)


def test_a_stage_without_statistics_has_no_parameters(runtime: Make, pipeline: Pipeline, tmp_path: Path) -> None:
    it = runtime(pipeline, models.SPEC, admission=block(2), record=tmp_path / "run")
    results = run(it, frames(2, spec=models.SPEC), models.SPEC)
    assert [dict(result.parameters) for result in results] == [{}, {}]
    assert "values" not in open_recording(tmp_path / "run").manifest["tables"]
    assert all(row["window"] is None for row in open_recording(tmp_path / "run").table("results").to_pylist())
