"""The float network as the reductions read it: functions inlined, nodes named, what flows through it observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, one_line

if TYPE_CHECKING:
    from onnx import ModelProto

OLDEST = 13
"""QuantizeLinear takes a scale for each channel from this opset on."""
Feeds = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Seen:
    """Smallest and largest value of a tensor over all frames, and its shape for the last of them."""

    low: float
    high: float
    shape: tuple[int, ...]

    @property
    def largest(self) -> float:
        """Largest magnitude; NaN where one was seen."""
        return max(abs(self.low), abs(self.high)) if np.isfinite([self.low, self.high]).all() else float("nan")


def read_network(path: Path) -> ModelProto:
    """A package's ONNX file with unique names of nodes, in opset 13 or later; raises ExportError."""
    import onnx
    from onnx import inliner, version_converter

    model = onnx.load(path)
    if model.functions:
        model = inliner.inline_local_functions(model, True)
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)
    if opset < OLDEST:
        try:
            model = version_converter.convert_version(model, OLDEST)
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:  # the converter's errors have no common base
            raise ExportError(
                f"found a network in opset {opset} that onnx cannot bring to {OLDEST} ({one_line(error)}), expected "
                "one that it can: export it again"
            ) from error
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 8)
    named: set[str] = set()
    for number, node in enumerate(model.graph.node):
        if not node.name or node.name in named:
            node.name = f"{node.op_type}_{number}"
        named.add(node.name)
    return model


def floats(model: ModelProto) -> list[str]:
    """Names of the float32 tensors that nodes of the main graph give, as far as their types can be inferred."""
    from onnx import TensorProto, shape_inference

    inferred = shape_inference.infer_shapes(model).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.output)}
    kinds |= {value.name: value.type.tensor_type.elem_type for value in inferred.input}
    made = [value.name for value in model.graph.input]
    made += [name for node in model.graph.node for name in node.output]
    return [name for name in made if kinds.get(name) == TensorProto.FLOAT]


def observe(model: ModelProto, names: Iterable[str], frames: Iterable[Feeds]) -> dict[str, Seen]:
    """Range and shape of float32 tensors while the network runs on frames; raises ExportError where it fails."""
    import onnx
    from onnx import TensorProto, helper

    names = list(names)
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    del watched.graph.output[:]
    for number, name in enumerate(names):
        for kind, dtype in (("ReduceMin", TensorProto.FLOAT), ("ReduceMax", TensorProto.FLOAT), ("Shape", 7)):
            output = f"watch_{kind}_{number}"
            settings: dict[str, Any] = {} if kind == "Shape" else {"keepdims": 0}
            watched.graph.node.append(helper.make_node(kind, [name], [output], name=output, **settings))
            watched.graph.output.append(helper.make_tensor_value_info(output, dtype, None))
    found: dict[str, Seen] = {}
    session = _session(watched)
    for feeds in frames:
        values = [np.asarray(value) for value in session.run(None, dict(feeds))]  # type: ignore[attr-defined]
        for name, low, high, shape in zip(names, values[0::3], values[1::3], values[2::3], strict=True):
            ends = [float(low), float(high)]
            if name in found:
                ends = [float(np.minimum(found[name].low, low)), float(np.maximum(found[name].high, high))]
            found[name] = Seen(ends[0], ends[1], tuple(int(size) for size in shape))
    return found


def _session(model: ModelProto) -> object:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base below Exception
        raise ExportError(f"found a network that cannot be looked into: {one_line(error)}") from error
