"""Both ways to TensorRT against the suite that every engine has to pass; what is asked for is built first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from onscope.runtime.engines import Session, build_ahead, open_session
from onscope.runtime.engines.tensorrt import _through_onnxruntime

from ..live.engine_tests import ComputingEngineTests
from .test_through_onnxruntime import NAME, StandIn


def sized(graph: Path, frame: tuple[int, ...]) -> Path:
    """The graph for frames of that height and width alone, as a compiled one is."""
    model = onnx.load(graph)
    for value in model.graph.input:
        for place, size in enumerate(value.type.tensor_type.shape.dim):
            if not size.HasField("dim_value"):
                size.dim_value = frame[place - len(value.type.tensor_type.shape.dim)]
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    kinds = {value.name: value.type.tensor_type for value in model.graph.input}
    feeds = {
        name: np.zeros(
            [size.dim_value for size in kind.shape.dim], onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        )
        for name, kind in kinds.items()
    }
    for value, answer in zip(model.graph.output, session.run(None, feeds), strict=True):
        for size, found in zip(value.type.tensor_type.shape.dim, answer.shape, strict=True):
            size.dim_value = found
    path = graph.with_name(f"{graph.stem}-{'x'.join(map(str, frame))}.onnx")
    onnx.save(model, path)
    return path


class BuiltAhead(ComputingEngineTests):
    """What is opened was built before."""

    sizes = (8, 8)

    @pytest.fixture(autouse=True)
    def own_engines(self, tensorrt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))

    def open(self, graph: Path, frame: tuple[int, ...] = (8, 8), threads: int | None = None) -> Session:
        path = sized(graph, frame)
        build_ahead(path, self.provider)
        return open_session(path, self.provider, threads)


class TestTensorRt(BuiltAhead):
    provider = "tensorrt"


class TestTensorRtThroughOnnxRuntime(BuiltAhead):
    provider = "tensorrt-ep"

    @pytest.fixture(autouse=True)
    def provider_stands_in(self, own_engines: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        def session(model: object, options: object = None, providers: object = None, **more: int) -> object:
            return (StandIn if more else Real)(model, options, providers=providers, **more)

        Real = ort.InferenceSession
        monkeypatch.setattr(ort, "get_available_providers", lambda: [NAME, "CPUExecutionProvider"])
        monkeypatch.setattr(_through_onnxruntime, "_library_version", lambda: 101601)
        monkeypatch.setattr(ort, "InferenceSession", session)
        yield
        StandIn.mode = ""
