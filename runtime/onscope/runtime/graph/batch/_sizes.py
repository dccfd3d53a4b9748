"""Sizes of all tensors of one window, as far as they follow from the frames'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._fold import folded
from .._network import infer, infer_sizes

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

    from ._writer import Shape

KEEP = ("GroupNormalization",)
"""Operators whose answer has the size and dtype of their first input, which onnx does not know of these."""


def sized(model: ModelProto) -> ModelProto:
    """The model with what depends on sizes alone as constants, and the sizes of its tensors."""
    from onnx import helper

    while True:
        model = folded(model, infer_sizes, infer)
        values = {value.name: value for value in (*model.graph.input, *model.graph.value_info, *model.graph.output)}
        found = []
        for node in model.graph.node:
            source = values.get(node.input[0]) if node.op_type in KEEP else None
            shape = None if source is None else shape_of(source)
            target = values.get(node.output[0])
            if shape is not None and source is not None and (target is None or shape_of(target) is None):
                made = helper.make_tensor_value_info(node.output[0], source.type.tensor_type.elem_type, shape)
                if target is None:
                    model.graph.value_info.append(made)
                else:
                    target.CopyFrom(made)
                found.append(made)
        if not found:
            return model


def shape_of(value: ValueInfoProto) -> Shape | None:
    """A tensor's sizes; None where not all of them are known."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in tensor.shape.dim):
        return None
    return tuple(dim.dim_value for dim in tensor.shape.dim)
