"""What a built engine is for: a graph, its sizes and its precision, a GPU, a driver and versions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._errors import ProviderError
from ..gpu import Gpu
from ._dialect import VERSION, Port, port_of
from ._symmetric import QUANTISERS

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A compiled graph as it is on the disk, and what an engine of it is known by."""

    model: ModelProto
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    known_by: dict[str, str]


def read_graph(path: Path) -> GraphFile:
    """Raises ProviderError where it cannot be read, and for sizes and types of frames that no engine takes."""
    import onnx

    try:
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no base of their own
        raise ProviderError(f"TensorRT cannot open {path.name} ({type(error).__name__}): compile it again") from error
    inputs, outputs = (tuple(map(port_of, values)) for values in (model.graph.input, model.graph.output))
    known_by = {
        "graph": hashlib.sha256(content).hexdigest(),
        "inputs": ", ".join(f"{port.name} {'x'.join(map(str, port.shape))} {port.dtype}" for port in inputs),
        "precision": _precision(model),
    }
    return GraphFile(model, inputs, outputs, known_by)


def made_for(graph: dict[str, str], gpu: Gpu, **versions: str) -> dict[str, str]:
    """All that an engine is known by, in the order in which people would tell it."""
    return {**graph, **made_for_machine(gpu, **versions)}


def made_for_machine(gpu: Gpu, **versions: str) -> dict[str, str]:
    """The part of it that is the machine's."""
    return {"gpu": gpu.name, "capability": gpu.capability, "driver": gpu.driver, "dialect": str(VERSION), **versions}


def _precision(model: ModelProto) -> str:
    """The fewest bits that the network computes in, as its file has them (networks are strongly typed)."""
    from onnx import TensorProto

    graph: Any = model.graph
    if any(node.op_type in QUANTISERS for node in graph.node):
        return "int8"
    halves = any(tensor.data_type == TensorProto.FLOAT16 for tensor in graph.initializer)
    return "fp16" if halves else "float32"
