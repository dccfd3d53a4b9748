"""`openvino`: OpenVINO on the CPU, in float32. `openvino:bf16` and `openvino:f16` compute in those where the CPU can.

Where nothing is said OpenVINO takes bfloat16 on a CPU that has it and tells nobody, so the precision is always set,
and looked at again when the graph is compiled. Compiled graphs are not kept on the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .._cores import available_cores
from .._errors import ProviderError
from ._interface import Array, Session, TensorSpec, check_arrays
from ._openvino_module import openvino_module

PRECISIONS = {"f32": "FP32", "bf16": "BF16", "f16": "FP16"}
"""The argument, and what OpenVINO lists among the abilities of a CPU that has it."""
SINK = "/sink_port_0"
"""OpenVINO calls an output's node by the output's name in the ONNX file and this."""


class OpenVinoEngine:
    """Opens graphs on OpenVINO's CPU plug-in."""

    def __init__(self, argument: str = "") -> None:
        if argument and argument not in PRECISIONS:
            raise ProviderError(
                f"found the provider 'openvino:{argument}', expected 'openvino' (float32) or "
                f"{', '.join(f'openvino:{name}' for name in PRECISIONS)}"
            )
        self._provider = f"openvino:{argument}" if argument else "openvino"
        self._precision = argument or "f32"

    def open(self, graph: Path, threads: int | None = None) -> Session:
        return OpenVinoSession(graph, threads, self._precision, self._provider)


class OpenVinoSession:
    """One graph on the CPU plug-in, with one request whose outputs are allocated once."""

    def __init__(self, graph: Path, threads: int | None, precision: str, provider: str) -> None:
        openvino = openvino_module()
        self._tensor = openvino.Tensor
        core = _core()
        abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if PRECISIONS[precision] not in abilities:
            raise ProviderError(
                f"found a CPU that computes in {', '.join(abilities)}, expected {PRECISIONS[precision]} for the "
                f"provider {provider!r}: take 'openvino', which is float32"
            )
        try:
            compiled = core.compile_model(core.read_model(graph), "CPU", _settings(precision, threads))
            self._request = compiled.create_infer_request()
        except Exception as error:  # OpenVINO's errors are RuntimeError, or of the binding
            raise ProviderError(f"OpenVINO cannot open {graph.name}: {_sentence(error)}") from error
        used = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        if used != precision:
            raise ProviderError(
                f"found that OpenVINO computes {graph.name} in {used}, expected {precision}: take the provider "
                f"'openvino:{used}' if that is what you want"
            )
        self.provider = provider
        self.inputs = tuple(_spec(port, port.get_any_name()) for port in compiled.inputs)
        self.outputs = tuple(_spec(port, _output_name(port)) for port in compiled.outputs)
        self._fixed = [None not in spec.shape for spec in self.outputs]
        self._lent: list[Array] = []
        self._taken: list[Any] = []
        """The inputs of the last call: OpenVINO reads a shared array's memory without holding the array."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Outputs of a fixed shape are views of the request's own memory, which the next call writes again."""
        try:
            self._taken = [self._shared(array) for _, array in zip(self.inputs, arrays, strict=True)]
            for number, (tensor, _) in enumerate(self._taken):
                self._request.set_input_tensor(number, tensor)
            self._request.infer(share_outputs=True)
        except Exception as error:
            check_arrays(self.inputs, arrays)
            raise ProviderError(f"OpenVINO failed: {_sentence(error)}") from error
        found = [self._request.get_output_tensor(number).data for number in range(len(self.outputs))]
        # The memory of an output whose shape varies is freed when the next one is larger: a view would dangle.
        found = [array if fixed else array.copy() for array, fixed in zip(found, self._fixed, strict=True)]
        self._lent = [array for array, fixed in zip(found, self._fixed, strict=True) if fixed]
        return found

    def _shared(self, array: Array) -> tuple[Any, Array]:
        """The array's own memory as an input; a copy where OpenVINO cannot take that, or is about to write there."""
        usable = array.flags.c_contiguous and array.flags.writeable and array.ndim > 0
        if not usable or any(np.may_share_memory(array, lent) for lent in self._lent):
            array = np.array(array, order="C")
        return self._tensor(array, shared_memory=True), array


@cache
def _core() -> Any:
    """One for the process: each of its own would load the plug-ins again."""
    return openvino_module().Core()


def _settings(precision: str, threads: int | None) -> dict[str, Any]:
    """How a graph is compiled: one frame at a time, and on cores that the system may choose.

    Pinned threads (OpenVINO's default) would wait for the very core that the acquisition or another session works on.
    """
    return {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": threads or available_cores(),
        "ENABLE_CPU_PINNING": False,
    }


def _spec(port: Any, name: str) -> TensorSpec:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        raise ProviderError(f"found {name!r} with an unknown number of axes, expected a known one: export it again")
    sizes = tuple(size.get_length() if size.is_static else None for size in shape)
    return TensorSpec(name, sizes, np.dtype(port.get_element_type().to_dtype()).name)


def _output_name(port: Any) -> str:
    """The output's name in the ONNX file: its tensor may have others too, of the nodes that only pass it on."""
    name = port.get_node().get_friendly_name().removesuffix(SINK)
    return str(name if name in port.get_names() else port.get_any_name())


def _sentence(error: Exception) -> str:
    """The last line of an OpenVINO error; those before it say where in its sources it was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Exception from ", "Check '"))]
    return (told or lines or [type(error).__name__])[-1][:300]
