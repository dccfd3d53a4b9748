"""TensorRT through ONNX Runtime's provider: what is refused, with the real package; the way, with a stand-in for it.

The real onnxruntime has no TensorRT provider here. The stand-in takes the graph from the session, as the provider
would, writes an EPContext model in its place (as the design page of ONNX Runtime says) and runs it on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from onscope.runtime import Package, ProviderError
from onscope.runtime.engines import build_ahead, open_session, require_ahead
from onscope.runtime.engines.tensorrt import _through_onnxruntime

from ..gpu.bound import BoundStandIn, entry
from .test_engine import SHAPE, compiled

NAME = "TensorrtExecutionProvider"


class StandIn(BoundStandIn):
    """A session on the provider; `mode` says how it goes wrong."""

    name = NAME

    def __init__(self, model: Any, options: Any, providers: Any = None, enable_fallback: int = 1) -> None:
        self.said = {
            key: entry(options, key) for key in ("ep.context_enable", "ep.context_file_path", "ep.context_embed_mode")
        }
        super().__init__(model, options, providers, enable_fallback)

    def settings(self, options: Any, providers: Any) -> dict[str, str]:
        return {**super().settings(options, providers), **self.said}

    def content(self, model: Any) -> bytes:
        content = super().content(model)
        read = onnx.load_model_from_string(content)
        if self.said["ep.context_enable"] == "1" and self.mode != "nothing":
            Path(self.said["ep.context_file_path"]).write_bytes(context(read, content, self.mode))
        for node in read.graph.node:
            if node.op_type == "EPContext":
                content = next(attribute.s for attribute in node.attribute if attribute.name == "ep_cache_context")
        return content


def context(model: Any, content: bytes, mode: str) -> bytes:
    nodes = [
        helper.make_node(
            "EPContext",
            [each.name for each in model.graph.input],
            [each.name for each in model.graph.output],
            domain="com.microsoft",
            ep_cache_context=content,
            embed_mode=1,
        )
    ]
    if mode == "a part":
        nodes.append(helper.make_node("Cast", [model.graph.output[0].name], ["more"], to=1))
    graph = helper.make_graph(nodes, "context", model.graph.input, model.graph.output)
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(graph, opset_imports=imports, ir_version=10).SerializeToString())


@pytest.fixture
def provider(tensorrt10: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[StandIn]]:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ort, "get_available_providers", lambda: [NAME, "CPUExecutionProvider"])
    monkeypatch.setattr(_through_onnxruntime, "_library_version", lambda: 101601)
    StandIn.opened = []
    yield StandIn
    StandIn.mode = ""


def build(graph: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """With the stand-in for sessions on TensorRT only: compiling and comparing use the real ones."""
    with monkeypatch.context() as patch:
        patch.setattr(ort, "InferenceSession", StandIn)
        return build_ahead(graph, "tensorrt-ep")


def test_the_context_model_is_built_once_and_gives_the_cpus_answers(
    provider: type[StandIn], package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = compiled(package)
    first, again = build(graph, monkeypatch), build(graph, monkeypatch)
    assert (first.fresh, again.fresh) == (True, False)
    assert first.made_for["tensorrt"] == "10.16.1"
    assert first.made_for["through"] == f"onnxruntime {ort.__version__}"
    (asked,) = provider.opened
    assert (asked["ep.context_enable"], asked["ep.context_embed_mode"], asked["fallback"]) == ("1", "1", "1")
    with monkeypatch.context() as patch:
        patch.setattr(ort, "InferenceSession", StandIn)
        session = open_session(graph, "tensorrt-ep")
    frame = np.random.default_rng(1).integers(0, 65535, SHAPE).astype(np.uint16)
    np.testing.assert_array_equal(session.run([frame])[0], open_session(graph, "cpu").run([frame])[0])
    assert provider.opened[-1]["ep.context_enable"] != "1"
    with pytest.raises(ProviderError, match="expected 24x40 uint16"):
        session.run([frame[1:]])


REFUSALS = {
    "a part": "left Cast of the graph outside of TensorRT",
    "nothing": "gave no graph to TensorRT",
    "falls back": "took CPUExecutionProvider without a word",
}


@pytest.mark.parametrize("mode", REFUSALS)
def test_less_than_the_whole_graph_on_tensorrt_is_refused(
    provider: type[StandIn], package: Package, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.mode = mode
    with pytest.raises(ProviderError, match=REFUSALS[mode]):
        build(compiled(package), monkeypatch)


def test_nothing_is_built_when_it_is_opened(provider: type[StandIn], package: Package) -> None:
    with pytest.raises(ProviderError, match=r"found no engine.*--provider tensorrt-ep"):
        open_session(compiled(package), "tensorrt-ep")


def test_this_onnxruntime_has_no_tensorrt() -> None:
    if NAME in ort.get_available_providers():
        pytest.skip("this onnxruntime has TensorRT's provider")
    with pytest.raises(ProviderError, match=r"without TensorRT, expected onnxruntime-gpu.*onscope\[tensorrt-ep\]"):
        require_ahead("tensorrt-ep")


def test_without_tensorrts_library_it_is_named(tensorrt10: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ONNX Runtime would pass over with a line of its log."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [NAME, "CPUExecutionProvider"])
    with pytest.raises(ProviderError, match=r"found no (libnvinfer\.so\.10|nvinfer_10\.dll), expected TensorRT 10"):
        require_ahead("tensorrt-ep")
