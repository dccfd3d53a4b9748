"""One tidy ONNX model, whichever exporter wrote it: simplified, named free axes, fixed versions, no traces, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._original import IR_VERSION, one_line

if TYPE_CHECKING:
    from onnx import ModelProto


def tidied(model: ModelProto, free: Mapping[int, str], opset: int) -> ModelProto:
    """Simplify (onnxslim), name the free axes, drop the traces of the machine that exported it, and check the result.

    `free` goes from axes of the first input to their names. Raises RuntimeError when one of them is fixed or tied to
    another, when the model is not in `opset`, or not valid.
    """
    import onnx
    import onnxslim

    slim = onnxslim.slim(model)
    if slim is None:
        raise RuntimeError("onnxslim gave nothing")
    model = slim
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = "onscope", "", ""
    del model.metadata_props[:]
    dims = model.graph.input[0].type.tensor_type.shape.dim
    names = {dims[axis].dim_param: label for axis, label in free.items()}
    if len(names) != len(free) or "" in names or any(dims[axis].dim_value for axis in free):
        raise RuntimeError(
            f"it fixed one of {', '.join(free.values())} of the input, or tied them: the network computes with numbers "
            "of one size, use tensor shapes instead"
        )
    _strip(model, names)
    try:
        model = onnx.shape_inference.infer_shapes(model, check_type=True, data_prop=True)
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise RuntimeError(f"the result is not valid ONNX: {one_line(error)}") from error
    found = {entry.domain: entry.version for entry in model.opset_import}
    if found.get("", found.get("ai.onnx")) != opset:
        raise RuntimeError(f"asked for opset {opset}, the exporter wrote {found}")
    return model


def _strip(model: ModelProto, names: Mapping[str, str]) -> None:
    graph = model.graph
    graph.doc_string, graph.name = "", "network"
    del graph.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for tensor in graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
    ends = (*graph.input, *graph.output)
    del graph.value_info[:]  # inferred again, with the readable names
    for value in ends:
        value.doc_string = ""
        del value.metadata_props[:]
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = re.sub(r"\w+", lambda word: names.get(word[0], word[0]), dim.dim_param)
