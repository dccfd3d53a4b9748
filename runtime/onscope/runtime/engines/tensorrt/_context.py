"""EPContext models (onnxruntime.ai/docs/execution-providers/EP-Context-Design.html): built, read and opened.

An ONNX file of one node that holds an engine: it is loaded and cannot be built, so that nothing is built while frames
come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._errors import ProviderError
from .._interface import TensorSpec
from ..gpu import BoundKernels, Device, GpuSession
from ._dialect import Port, specs_of
from ._made_for import GraphFile

Open = Callable[[Device, bool], Any]
"""Opens ONNX Runtime's session on a device, with its own recording of CUDA graphs or without."""


def building(path: Path) -> dict[str, str]:
    """Entries of the session options that make ONNX Runtime write an EPContext model there."""
    return {"ep.context_enable": "1", "ep.context_file_path": str(path), "ep.context_embed_mode": "1"}


def on_stream(device: Device) -> dict[str, str]:
    """Settings of a provider that make it work on the device's stream for computing."""
    return {"has_user_compute_stream": "1", "user_compute_stream": str(int(device.compute))}


def session_options(entries: Mapping[str, str]) -> Any:
    """Those of a session that runs on one provider or is not opened at all."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4  # what fails is raised: no lines of its own beside it
    # TensorRT optimises better without, and version 1.31 of ONNX Runtime stumbles over signed scales behind a ReLU.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for name, value in {**entries, "session.disable_cpu_ep_fallback": "1"}.items():
        options.add_session_config_entry(name, value)
    return options


def read_context(path: Path) -> bytes:
    """The EPContext model that ONNX Runtime wrote; raises ProviderError unless it is one engine for the whole graph."""
    import onnx

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProviderError(
            "found that ONNX Runtime gave no graph to TensorRT, expected the whole: take the provider 'tensorrt', "
            "which says what it cannot do"
        ) from error
    nodes = onnx.load_model_from_string(content).graph.node
    others = sorted({node.op_type for node in nodes if node.op_type != "EPContext"})
    if others or len(nodes) != 1:
        raise ProviderError(
            f"found that ONNX Runtime left {', '.join(others) or 'parts'} of the graph outside of TensorRT, expected "
            "one engine for the whole: take the provider 'tensorrt', which says what it cannot do"
        )
    return content


def open_context(provider: str, file: GraphFile, number: int, open_: Open, graph_id: str | None = None) -> GpuSession:
    """A session of an EPContext model; see BoundKernels. Its inputs and outputs are the compiled graph's, in its
    order; those that TensorRT has as bytes lie there as they are."""
    device = Device(number)
    try:
        kernels = BoundKernels(
            lambda recording: open_(device, recording), _bound(file.inputs), _bound(file.outputs), device, graph_id
        )
    except BaseException:
        device.close()
        raise
    return GpuSession(provider, specs_of(file.inputs), specs_of(file.outputs), device, kernels)


def _bound(ports: Sequence[Port]) -> list[TensorSpec]:
    shapes = ((*port.shape, 2) if port.as_bytes else port.shape for port in ports)
    return [
        TensorSpec(port.name, shape, "uint8" if port.as_bytes else port.dtype)
        for port, shape in zip(ports, shapes, strict=True)
    ]
