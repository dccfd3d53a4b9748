"""The benchmark of GPU engines runs at tiny sizes, on what stands for one. No times are asserted here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.gpu import NAMES, TINY, _gpus, measure
from benchmarks.graphs._packages import unet

from tests.tensorrt.conftest import STANDIN, tensorrt10

__all__ = ["tensorrt10"]  # a fixture
BEGINNINGS = ["inside the worker", "inside the worker", "across the process boundary", "throughput"]


def test_each_measurement_has_its_rows() -> None:
    rows = list(measure(TINY, NAMES, lambda text: None))
    json.loads(as_json(rows, conditions()))
    assert [row.what.split(",")[0] for row in rows] == BEGINNINGS
    (case,) = TINY.cases
    times = rows[0].detail["inside_ms"]
    assert times["n"] == TINY.frames
    assert times["min"] >= case.up_ms + case.run_ms + case.down_ms  # what stands for a GPU takes its time
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["gpu"])


@pytest.mark.long
def test_on_a_gpu_the_packages_are_measured(tensorrt10: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On what stands for TensorRT and CUDA: the same rows, each against the bare copies and kernels of its session."""
    path = os.pathsep.join(filter(None, (str(STANDIN), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)  # of the worker processes
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_gpus, "ENGINES", ("tensorrt",))
    monkeypatch.setattr(_gpus, "packages", lambda plan, folder, told: {"U-Net": unet(folder / "unet", plan.features)})
    rows = list(measure(TINY, ("inside", "across", "throughput"), lambda text: None))
    assert [row.what.split(",")[0] for row in rows] == ["kernels alone", *BEGINNINGS]
    assert all("U-Net, 64x64, float32, tensorrt" in row.what for row in rows)
    detail = rows[0].detail
    assert min(detail["up_ms"], detail["run_ms"], detail["down_ms"]) > 0
    assert detail["gflop"] > 0
