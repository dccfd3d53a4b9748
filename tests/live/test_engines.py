"""Every engine against the same suite."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from onscope.runtime import ProviderError
from onscope.runtime.engines import Session, open_session
from onscope.runtime.engines._openvino_module import openvino_module
from tests import models

from .engine_tests import ComputingEngineTests, EngineTests, save
from .staged_tests import StagedEngineTests

needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="openvino is not installed: pip install 'onscope[openvino]'"
)


class TestCpu(ComputingEngineTests):
    provider = "cpu"


class TestOracle(ComputingEngineTests):
    provider = "oracle"


@needs_openvino
class TestOpenVino(ComputingEngineTests):
    provider = "openvino"


class TestNull(EngineTests):
    provider = "null:1"


class TestStaged(ComputingEngineTests, StagedEngineTests):
    provider = "staged"

    def open(self, graph: Path, frame: tuple[int, ...] = (8, 8), threads: int | None = None) -> Session:
        return open_session(graph, self.provider, threads or 1)


class TestStagedThatTakesLong(StagedEngineTests):
    provider = "staged:1+2+1"


def test_auto_says_what_it_took(folder: Path) -> None:
    assert open_session(models.plus_one(folder / "plus").weights).provider == "cpu"


def test_an_engine_that_is_not_there_is_not_replaced(folder: Path) -> None:
    with pytest.raises(
        ProviderError, match="no engine named 'coreml', expected one of cpu, cuda, kserve, null, openvino"
    ):
        open_session(models.plus_one(folder / "plus").weights, "coreml")


@needs_openvino
def test_openvino_tells_nobody_that_it_was_imported(folder: Path) -> None:
    """Its telemetry would fork the process, and the copy of one with threads may never end."""
    package = models.plus_one(folder / "plus")
    code = f"""
import os, sys, numpy
from pathlib import Path
forked = []
os.register_at_fork(before=lambda: forked.append(1))
from onscope.runtime.engines import open_session
session = open_session(Path({str(package.weights)!r}), "openvino", 1)
assert session.run([numpy.ones((1, 1, 8, 8), numpy.uint16)])[0].max() == 2
assert not [name for name in sys.modules if name.split(".")[0] == "openvino_telemetry"]
assert not forked
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@needs_openvino
def test_openvino_computes_in_the_precision_asked_for_or_not_at_all(tmp_path: Path) -> None:
    openvino = openvino_module()

    weights = np.random.default_rng(0).normal(size=(8, 8, 3, 3)).astype(np.float32)
    shape = ("float32", [1, 8, 32, 32])
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])]
    graph = save(tmp_path, nodes, {"x": shape}, {"y": shape}, {"w": weights})
    frame = np.random.default_rng(1).normal(size=(1, 8, 32, 32)).astype(np.float32)
    expected = open_session(graph, "cpu").run([frame])[0]
    abilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    for name, ability in (("bf16", "BF16"), ("f16", "FP16")):
        if ability not in abilities:
            with pytest.raises(ProviderError, match=f"expected {ability}"):
                open_session(graph, f"openvino:{name}")
            continue
        session = open_session(graph, f"openvino:{name}")
        assert session.provider == f"openvino:{name}"
        error = np.abs(session.run([frame])[0] - expected).max() / np.ptp(expected)
        assert 1e-6 < error < 0.02


@needs_openvino
def test_an_openvino_output_of_varying_shape_outlives_the_next_call(folder: Path) -> None:
    session = open_session(models.plus_one(folder / "plus").weights, "openvino")
    (small,) = session.run([np.full((1, 1, 8, 8), 7, np.uint16)])
    session.run([np.full((1, 1, 640, 640), 9, np.uint16)])
    assert np.all(small == 8)


def test_openvino_takes_three_precisions(folder: Path) -> None:
    with pytest.raises(ProviderError, match=r"'openvino:int4', expected .*openvino:bf16"):
        open_session(models.plus_one(folder / "plus").weights, "openvino:int4")


def test_an_engine_whose_package_is_missing_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ProviderError, match=r"needs openvino, .* pip install 'onscope\[openvino\]'"):
        open_session(models.plus_one(folder / "plus").weights, "openvino")
