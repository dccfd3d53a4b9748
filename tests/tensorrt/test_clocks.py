"""A run on what looks like a GPU: its clocks come from the worker process into the recording and the metrics."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import pytest

from onscope.runtime import FrameSpec, Package, Pipeline, Runtime, Stage
from onscope.runtime.record import open_recording
from onscope.runtime.service._families import Families
from onscope.runtime.service._runtime_readings import read_runtime
from tests import models

from .conftest import STANDIN, Onscope, child

SPEC = FrameSpec((24, 40), "uint16", camera="camera")
CLOCKS = "1380,84,281500,32,4000000000,8000000000"


def test_the_stand_in_has_the_names_of_the_real_one() -> None:
    text = (STANDIN / "cuda" / "bindings" / "nvml.py").read_text()
    names = [line.split("def ")[1].split("(")[0] for line in text.splitlines() if line.startswith("def device_")]
    real = importlib.import_module("cuda.bindings.nvml")
    assert len(names) == 6
    assert all(hasattr(real, name) for name in names)


@pytest.mark.long
def test_clocks_are_recorded_beside_latencies(
    onscope: Onscope, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert onscope("build", package.folder, "--shape", "24x40", STANDIN_DRIVER="1.0").returncode == 0
    for name, value in child(tmp_path, {"STANDIN_CLOCKS": CLOCKS, "STANDIN_DRIVER": "1.0"}).items():
        monkeypatch.setenv(name, value)
    with Runtime(Pipeline([Stage("plus", package)]), provider="tensorrt", record=tmp_path / "run") as it:
        it.prepare(SPEC)
        it.submit(models.frame(0, spec=SPEC))
        end = time.monotonic() + 30
        while it._path.supervisor.clocks.latest is None:
            assert time.monotonic() < end, "no reading came"
            time.sleep(0.05)
        read_runtime(it, families := Families())
    assert "onscope_gpu_clock_hertz" in str(vars(families))
    told = open_recording(tmp_path / "run").manifest["gpu_clocks"]
    row = dict(zip(told["columns"], told["rows"][0], strict=True))
    assert row["clock_mhz"] == 1380
    assert (row["temperature_c"], row["power_w"], row["throttled"]) == (84, 281.5, True)
    assert told["reasons"] in ([], ["heat"])  # of what passed between two readings
