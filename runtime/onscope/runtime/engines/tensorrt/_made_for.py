"""What a built engine is for: a graph, its sizes and its precision, a GPU, a driver and versions."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._errors import ProviderError
from ._dialect import VERSION, Translated, translated
from ._gpu import Gpu
from ._symmetric import QUANTISERS

if TYPE_CHECKING:
    from onnx import ModelProto


def read_graph(path: Path) -> tuple[Translated, dict[str, str]]:
    """A compiled graph in TensorRT's types, and what an engine of it is known by; raises ProviderError."""
    import onnx

    try:
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no base of their own
        raise ProviderError(f"TensorRT cannot open {path.name} ({type(error).__name__}): compile it again") from error
    read = translated(model)
    frames = ", ".join(f"{port.name} {'x'.join(map(str, port.shape))} {port.dtype}" for port in read.inputs)
    return read, {
        "graph": hashlib.sha256(content).hexdigest(),
        "inputs": frames,
        "precision": _precision(model),
        "dialect": str(VERSION),
    }


def made_for(graph: dict[str, str], gpu: Gpu, **versions: str) -> dict[str, str]:
    """All that an engine is known by, in the order in which people would tell it."""
    return {**graph, "gpu": gpu.name, "capability": gpu.capability, "driver": gpu.driver, **versions}


def _precision(model: ModelProto) -> str:
    """The fewest bits that the network computes in, as its file has them (networks are strongly typed)."""
    from onnx import TensorProto

    graph: Any = model.graph
    if any(node.op_type in QUANTISERS for node in graph.node):
        return "int8"
    halves = any(tensor.data_type == TensorProto.FLOAT16 for tensor in graph.initializer)
    return "fp16" if halves else "float32"
