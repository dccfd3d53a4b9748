"""`cuda`: the suite of all engines, what is asked of ONNX Runtime, what it falls back to and what is refused."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from onscope.runtime import DeviceLostError, ProviderError
from onscope.runtime.engines import Session, Staged, _select, open_session
from onscope.runtime.engines.cuda import _layout, _library
from onscope.runtime.engines.gpu import GpuSession

from .. import models
from ..live.engine_tests import ComputingEngineTests
from ..tensorrt.test_conformance import sized
from .bound import BoundStandIn, Real

NAME = "CUDAExecutionProvider"


@pytest.fixture
def provider(cuda: Any, engines: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[BoundStandIn]]:
    """onnxruntime-gpu as it would be, for sessions on the GPU alone: the others are the real one's."""

    def session(model: Any, options: Any = None, providers: Any = None, **more: Any) -> Any:
        return (BoundStandIn if more else Real)(model, options, providers=providers, **more)

    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ort, "get_available_providers", lambda: [NAME, "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort, "InferenceSession", session)
    monkeypatch.setattr(_library, "_installed", lambda name: name == "onnxruntime-gpu")
    BoundStandIn.opened, BoundStandIn.mode = [], ""
    yield BoundStandIn
    BoundStandIn.mode = ""
    gc.collect()


class TestCuda(ComputingEngineTests):
    provider = "cuda"
    sizes = (8, 8)

    @pytest.fixture(autouse=True)
    def stands_in(self, provider: type[BoundStandIn]) -> None: ...

    def open(self, graph: Path, frame: tuple[int, ...] = (8, 8), threads: int | None = None) -> Session:
        return open_session(sized(graph, frame), self.provider, threads)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return sized(models.plus_one(tmp_path / "plus").weights, (8, 8))


FRAME = np.arange(64, dtype=np.uint16).reshape(1, 1, 8, 8)


def test_what_is_asked_of_onnxruntime(provider: type[BoundStandIn], graph: Path) -> None:
    session = open_session(graph, "cuda")
    assert isinstance(session, GpuSession)
    assert isinstance(session, Staged)
    (asked,) = provider.opened
    assert (asked["use_tf32"], asked["enable_cuda_graph"], asked["fallback"]) == ("0", "1", "1")
    assert asked["user_compute_stream"] == str(int(session._device.compute))
    assert session.told == []
    for value in range(4):
        np.testing.assert_array_equal(session.run([FRAME + np.uint16(value)])[0], FRAME + np.uint16(value + 1))


@pytest.mark.parametrize("mode", ["cannot record", "no nodes"])
def test_without_recording_it_launches_and_says_so_once(provider: type[BoundStandIn], graph: Path, mode: str) -> None:
    provider.mode = mode
    session = open_session(graph, "cuda")
    assert isinstance(session, GpuSession)
    assert [each["enable_cuda_graph"] for each in provider.opened] == ["1", "0"]
    assert len(session.told) == 1
    assert "launched one by one" in session.told[0]
    np.testing.assert_array_equal(session.run([FRAME])[0], FRAME + np.uint16(1))


def test_a_lost_gpu_is_told_as_such(provider: type[BoundStandIn], graph: Path) -> None:
    session = open_session(graph, "cuda")
    provider.mode = "loses the GPU"
    with pytest.raises(DeviceLostError, match=r"found the GPU lost.*illegal memory access.*new process"):
        session.run([FRAME])


def test_a_gpu_that_onnxruntime_says_is_lost_is_told_as_such(provider: type[BoundStandIn], graph: Path) -> None:
    """Also where CUDA's own calls do not tell of it."""
    session = open_session(graph, "cuda")
    provider.mode = "says that the device was reset"
    with pytest.raises(DeviceLostError, match="ONNX Runtime failed: the device was reset"):
        session.run([FRAME])


def test_the_second_gpu(provider: type[BoundStandIn], graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderError, match="found GPUs 0 to 0, expected one of the number 1"):
        open_session(graph, "cuda:1")
    monkeypatch.setenv("STANDIN_GPUS", "2")
    session = open_session(graph, "cuda:1")
    assert session.provider == "cuda:1"
    assert provider.opened[-1]["device_id"] == "1"
    np.testing.assert_array_equal(session.run([FRAME])[0], FRAME + np.uint16(1))


def convolution(folder: Path) -> Path:
    return _select._write_mean(folder / "mean.onnx")


@pytest.mark.parametrize(("times", "taken"), [((2.0, 1.0), "1"), ((1.0, 0.99), "0")])
def test_the_quicker_order_of_axes_is_taken_and_remembered(
    provider: type[BoundStandIn],
    tmp_path: Path,
    times: tuple[float, float],
    taken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_layout, "_times", lambda *sessions: list(times))
    graph = convolution(tmp_path)
    session = open_session(graph, "cuda")
    assert [each["prefer_nhwc"] for each in provider.opened] == ["0", "1"]
    ramp = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    np.testing.assert_allclose(session.run([ramp])[0], ramp[:, :, 1:-1, 1:-1], rtol=1e-5)
    open_session(graph, "cuda")
    assert [each["prefer_nhwc"] for each in provider.opened[2:]] == [taken]


def test_both_orders_are_really_measured(provider: type[BoundStandIn], tmp_path: Path) -> None:
    open_session(convolution(tmp_path), "cuda")
    assert len(list((tmp_path / "cache" / "engines").glob("*.layout"))) == 1


def test_without_room_for_both_orders_the_graphs_own_is_kept(provider: type[BoundStandIn], tmp_path: Path) -> None:
    provider.mode = "no room for two"
    ramp = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    session = open_session(convolution(tmp_path), "cuda")
    np.testing.assert_allclose(session.run([ramp])[0], ramp[:, :, 1:-1, 1:-1], rtol=1e-5)


def test_free_sizes_are_refused(provider: type[BoundStandIn], tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="size that is not fixed"):
        open_session(models.plus_one(tmp_path / "plus").weights, "cuda")


REFUSALS = {
    "does not open": r"cannot open .* on the GPU: .*unknown provider option",
    "on the CPU": r"has no CUDA kernels for, expected all of the graph on the GPU",
    "falls back": "took CPUExecutionProvider without a word",
}


@pytest.mark.parametrize("mode", REFUSALS)
def test_anything_but_the_gpu_is_refused(provider: type[BoundStandIn], graph: Path, mode: str) -> None:
    provider.mode = mode
    with pytest.raises(ProviderError, match=REFUSALS[mode]) as refusal:
        open_session(graph, "cuda")
    assert "\n" not in str(refusal.value)


def test_missing_cuda_libraries_are_named(
    provider: type[BoundStandIn], graph: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the real onnxruntime-gpu behaves without them: its provider does not load, and all goes to the CPU."""
    capi = tmp_path / "onnxruntime" / "capi"
    capi.mkdir(parents=True)
    for name in ("shared", "cuda"):
        (capi / f"libonnxruntime_providers_{name}.so").write_bytes(b"no library")
        (capi / f"onnxruntime_providers_{name}.dll").write_bytes(b"no library")
    monkeypatch.setattr(ort, "__file__", str(capi.parent / "__init__.py"))
    provider.mode = "on the CPU"
    with pytest.raises(ProviderError, match=r"found CUDA libraries missing \(.*onnxruntime_providers_shared"):
        open_session(graph, "cuda")


def test_both_wheels_are_refused(provider: type[BoundStandIn], graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_library, "_installed", lambda name: True)
    with pytest.raises(ProviderError, match=r"onnxruntime and onnxruntime-gpu.*pip uninstall"):
        open_session(graph, "cuda")


@pytest.mark.parametrize(
    ("variable", "words"), [("STANDIN_CUDA", "no NVIDIA driver"), ("STANDIN_GPUS", "no NVIDIA GPU")]
)
def test_no_driver_and_no_card(
    provider: type[BoundStandIn], graph: Path, variable: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "0")
    with pytest.raises(ProviderError, match=words):
        open_session(graph, "cuda")


def test_this_onnxruntime_has_no_cuda(engines: None, tmp_path: Path) -> None:
    if NAME in ort.get_available_providers():
        pytest.skip("this onnxruntime has the CUDA provider")
    with pytest.raises(ProviderError, match=r"without CUDA, expected onnxruntime-gpu.*onscope\[cuda\]"):
        open_session(tmp_path / "any.onnx", "cuda")
