"""Stands in for a GPU provider of ONNX Runtime: the real one computes on the CPU, with its real IOBinding, at the
addresses that were bound, on the stand-in's stream and in its turn.

`mode` says how it goes wrong. A session that records runs as it did when it was first run, whatever is bound later.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import DeviceReset

Real = ort.InferenceSession


class Binding:
    """The real binding, at addresses of the stand-in's GPU, which the CPU can read."""

    def __init__(self, session: Any) -> None:
        self.real = session.io_binding()
        self.given: list[tuple[str, int, int]] = []

    def bind_input(self, name: str, kind: str, number: int, dtype: Any, shape: Sequence[int], address: int) -> None:
        self._bind(self.real.bind_input, name, kind, number, dtype, shape, address)

    def bind_output(self, name: str, kind: str, number: int, dtype: Any, shape: Sequence[int], address: int) -> None:
        self._bind(self.real.bind_output, name, kind, number, dtype, shape, address)

    def _bind(self, bind: Any, name: str, kind: str, number: int, dtype: Any, shape: Any, address: int) -> None:
        assert kind == "cuda"
        bind(name, "cpu", 0, dtype, list(shape), address)
        self.given.append((name, number, address))


class BoundStandIn:
    """A session on the provider `name`."""

    name = "CUDAExecutionProvider"
    graph_id = "gpu_graph_id"
    mode = ""
    opened: list[dict[str, str]] = []  # noqa: RUF012  # settings of all sessions

    def __init__(self, model: Any, options: Any, providers: Any = None, enable_fallback: int = 1) -> None:
        assert enable_fallback == 0
        settings = self.settings(options, providers)
        self.opened.append({**settings, "fallback": entry(options, "session.disable_cpu_ep_fallback")})
        self._settings = settings
        self._recorded: dict[str, Any] = {}
        if self.mode == "does not open":
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : unknown provider option")
        if self.mode == "on the CPU":
            raise RuntimeError("This session contains graph nodes that are assigned to the default CPU EP")
        if self.mode == "no nodes" and settings.get("enable_cuda_graph") == "1":
            raise RuntimeError("This session cannot use the graph capture feature as requested by the user")
        if self.mode == "no room for two" and settings.get("prefer_nhwc") == "1":
            raise RuntimeError("CUDA failure 2: out of memory")
        self._session = Real(self.content(model), providers=["CPUExecutionProvider"])

    def settings(self, options: Any, providers: Any) -> dict[str, str]:
        ((name, settings),) = providers
        assert name == self.name
        return dict(settings)

    def content(self, model: Any) -> bytes:
        return Path(model).read_bytes() if isinstance(model, str) else bytes(model)

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"] if self.mode == "falls back" else [self.name, "CPUExecutionProvider"]

    def io_binding(self) -> Binding:
        return Binding(self._session)

    def run_with_iobinding(self, binding: Binding, options: Any) -> None:
        from cuda.bindings import runtime as cuda

        assert entry(options, "disable_synchronize_execution_providers", "get_run_config_entry") == "1"
        records = self._settings.get("enable_cuda_graph") == "1"
        if self.mode == "cannot record" and records:
            cuda.cudaStreamBeginCapture(int(self._settings["user_compute_stream"]), 1)  # and leaves it
            raise RuntimeError("CUDA failure 900: operation not permitted when stream is capturing")
        if self.mode == "says that the device was reset":
            raise DeviceReset("the device was reset")
        if self.mode == "loses the GPU":
            cuda.fail(cuda.cudaError_t.cudaErrorIllegalAddress)
            raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")
        if records:
            binding = self._recorded.setdefault(entry(options, self.graph_id, "get_run_config_entry"), binding)
        stream = int(self._settings["user_compute_stream"])
        assert cuda.enqueue(stream, lambda: self._session.run_with_iobinding(binding.real)) == 0


def entry(options: Any, key: str, get: str = "get_session_config_entry") -> str:
    try:
        return str(getattr(options, get)(key))
    except RuntimeError:
        return ""
