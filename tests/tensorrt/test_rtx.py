"""TensorRT for RTX: the plug-in provider of plain onnxruntime, with stand-ins for its module and for what it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from onscope.runtime import Package, ProviderError
from onscope.runtime.engines import Session, build_ahead, open_session, require_ahead
from onscope.runtime.engines.tensorrt import _rtx

from ..gpu.bound import Real
from ..gpu.conftest import engines  # noqa: F401
from ..live.engine_tests import ComputingEngineTests
from .test_conformance import sized
from .test_engine import SHAPE, compiled
from .test_through_onnxruntime import StandIn

EP = "NvTensorRTRTXExecutionProvider"
RealOptions: Any = ort.SessionOptions


class RtxStandIn(StandIn):
    """What runs a graph; its settings come with the session options."""

    name = EP
    graph_id = "cuda_graph_annotation_id"
    cards = 1

    def settings(self, options: Any, providers: Any) -> dict[str, str]:
        (device,), settings = options.asked
        assert providers is None
        assert device.ep_name == EP
        return {**settings, **self.said, "card": str(device.number)}


class Options(RealOptions):  # type: ignore[misc]
    def add_provider_for_devices(self, devices: Any, settings: Any) -> None:
        self.asked = list(devices), dict(settings)


@pytest.fixture
def provider(
    tensorrt10: str,
    engines: None,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[type[RtxStandIn]]:
    registered: list[tuple[str, str]] = []
    plugin = ModuleType(_rtx.PLUGIN)
    plugin.__dict__.update(
        __version__="0.5.0",
        __spec__=SimpleNamespace(name=_rtx.PLUGIN),
        get_ep_name=lambda: EP,
        get_library_path=lambda: "/wheel/libonnxruntime_providers_nv_tensorrt_rtx.so",
    )

    def session(model: Any, options: Any = None, providers: Any = None, **more: Any) -> Any:
        return (RtxStandIn if more else Real)(model, options, providers=providers, **more)

    def devices() -> list[Any]:
        cards = range(RtxStandIn.cards if registered else 0)
        known = [SimpleNamespace(ep_name=EP, number=each, ep_options={"device_id": str(each)}) for each in cards]
        return [SimpleNamespace(ep_name="CPUExecutionProvider", ep_options={}), *known]

    monkeypatch.setitem(sys.modules, _rtx.PLUGIN, plugin)
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ort, "register_execution_provider_library", lambda *words: registered.append(words))
    monkeypatch.setattr(ort, "get_ep_devices", devices)
    monkeypatch.setattr(ort, "SessionOptions", Options)
    monkeypatch.setattr(ort, "InferenceSession", session)
    RtxStandIn.opened, RtxStandIn.mode, RtxStandIn.cards = [], "", 1
    yield RtxStandIn
    RtxStandIn.mode = ""


class TestTensorRtRtx(ComputingEngineTests):
    provider = "tensorrt-rtx"
    sizes = (8, 8)

    @pytest.fixture(autouse=True)
    def stands_in(self, provider: type[RtxStandIn]) -> None: ...

    def open(self, graph: Path, frame: tuple[int, ...] = (8, 8), threads: int | None = None) -> Session:
        path = sized(graph, frame)
        build_ahead(path, self.provider)
        return open_session(path, self.provider, threads)


def test_it_is_built_ahead_and_works_on_the_sessions_stream(provider: type[RtxStandIn], package: Package) -> None:
    graph = compiled(package)
    with pytest.raises(ProviderError, match=r"found no engine.*--provider tensorrt-rtx"):
        open_session(graph, "tensorrt-rtx")
    built = build_ahead(graph, "tensorrt-rtx")
    assert built.made_for["tensorrt"] == "for RTX, 0.5.0"
    assert provider.opened[-1]["ep.context_embed_mode"] == "1"
    session = open_session(graph, "tensorrt-rtx")
    asked = provider.opened[-1]
    assert (asked["ep.context_enable"], asked["enable_cuda_graph"], asked["fallback"]) == ("", "1", "1")
    assert asked["has_user_compute_stream"] == "1"
    frame = np.random.default_rng(1).integers(0, 65535, SHAPE).astype(np.uint16)
    np.testing.assert_array_equal(session.run([frame])[0], open_session(graph, "cpu").run([frame])[0])


def test_the_second_card_is_the_one_of_that_number(
    provider: type[RtxStandIn], package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_GPUS", "2")
    provider.cards = 2
    graph = compiled(package)
    build_ahead(graph, "tensorrt-rtx:1")
    assert open_session(graph, "tensorrt-rtx:1").provider == "tensorrt-rtx:1"
    assert {each["card"] for each in provider.opened} == {"1"}


def test_a_card_that_it_does_not_know_is_named(provider: Any, package: Package) -> None:
    provider.cards = 0
    with pytest.raises(ProviderError, match=r"Stand-in GPU \(compute capability 9\.0\).*take the provider 'tensorrt'"):
        build_ahead(compiled(package), "tensorrt-rtx")


def test_an_old_onnxruntime_is_refused(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "__version__", "1.23.2")
    with pytest.raises(ProviderError, match=r"onnxruntime 1\.23\.2, expected 1\.24 or later"):
        require_ahead("tensorrt-rtx")


def test_libraries_that_do_not_load_are_told(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*words: str) -> None:
        raise RuntimeError("Error loading libcudart.so.13: cannot open shared object file")

    monkeypatch.setattr(ort, "register_execution_provider_library", fails)
    with pytest.raises(ProviderError, match=r"cannot be loaded \(Error loading libcudart"):
        require_ahead("tensorrt-rtx")


def test_without_the_wheel_it_is_named(tensorrt10: str, engines: None) -> None:  # noqa: F811
    with pytest.raises(ProviderError, match=r"no onnxruntime-ep-nv-tensorrt-rtx installed.*onscope\[tensorrt-rtx\]"):
        require_ahead("tensorrt-rtx")


OPTIONS = {
    *("has_user_compute_stream", "user_compute_stream", "enable_cuda_graph"),
    *("nv_persistent_context_memory", "nv_runtime_cache_path"),
}


def test_settings_are_those_that_the_wheel_documents(provider: type[RtxStandIn], package: Package) -> None:
    """Names from the header that the wheel 0.5.0 brings (tensorrt_rtx_provider_options.h): it refuses others."""
    graph = compiled(package)
    build_ahead(graph, "tensorrt-rtx")
    open_session(graph, "tensorrt-rtx")
    asked = {name for each in provider.opened for name in each} - {"fallback", "card"}
    assert {name for name in asked if not name.startswith("ep.")} == OPTIONS
