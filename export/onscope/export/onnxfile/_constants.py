"""What a graph computes from its weights alone, which exporters and engines fold into one constant each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from onscope.runtime import ExportError

from ._graph import inputs_of

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

MOST_BYTES = 1 << 30
"""Most bytes of folded constants; all of them are in memory at once, and in the file that is written."""


def refuse_large_constants(model: ModelProto, name: str) -> None:
    """Raise ExportError where the constants that a graph works out before its first frame are absurdly large.

    Their sizes are those that onnx infers; what is computed inside of If and Loop is not looked at.
    """
    import onnx

    try:
        sized = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return  # what cannot be inferred cannot be folded without being run, and runs are bounded
    sizes = {value.name: _bytes(value) for value in (*sized.value_info, *sized.output)}
    varying = {value.name for value in inputs_of(model)}
    total = 0
    for node in sized.node:
        if not varying.isdisjoint(node.input) or any(attribute.HasField("g") for attribute in node.attribute):
            varying.update(node.output)
        else:
            total += sum(sizes.get(output, 0) for output in node.output)
    if total > MOST_BYTES:
        raise ExportError(
            f"found that {name} computes constants of {total / 1e6:.0f} MB, expected at most {MOST_BYTES / 1e6:.0f}: "
            "this is no network for live use"
        )


def _bytes(value: ValueInfoProto) -> int:
    from onnx import helper

    tensor = value.type.tensor_type
    if not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in tensor.shape.dim):
        return 0
    try:
        itemsize = int(helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize)
    except (KeyError, ValueError, TypeError):
        return 0
    return itemsize * math.prod(abs(int(dim.dim_value)) for dim in tensor.shape.dim)
