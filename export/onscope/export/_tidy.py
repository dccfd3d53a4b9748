"""One tidy ONNX model, whichever exporter wrote it: simplified, named free axes, fixed versions, no traces, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ._original import IR_VERSION, WantedInput, one_line

if TYPE_CHECKING:
    from onnx import ModelProto


def tidied(model: ModelProto, free: Mapping[int, str], opset: int, further: Sequence[WantedInput] = ()) -> ModelProto:
    """Simplify (onnxslim), name the free axes, drop the traces of the machine that exported it, and check the result.

    `free` goes from axes of the first input to their names; `further` are the inputs behind it. Raises RuntimeError
    when one of them is missing, when one of the axes is fixed or tied to another, when the model is not in `opset`, or
    not valid.
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
    if len(model.graph.input) != 1 + len(further):
        raise RuntimeError(f"it kept {len(model.graph.input)} of the network's {1 + len(further)} inputs")
    names = _free_names(model, 0, free)
    for place, one in enumerate(further, 1):
        names = {**_free_names(model, place, one.free), **names}
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


def _free_names(model: ModelProto, place: int, free: Mapping[int, str]) -> dict[str, str]:
    """The exporter's names of the free axes of an input, with their readable ones."""
    dims = model.graph.input[place].type.tensor_type.shape.dim
    names = {dims[axis].dim_param: label for axis, label in free.items()}
    if len(names) != len(free) or "" in names or any(dims[axis].dim_value for axis in free):
        of = "the input" if place == 0 else f"the input {model.graph.input[place].name}"
        raise RuntimeError(
            f"it fixed one of {', '.join(free.values())} of {of}, or tied them: the network computes with numbers of "
            "one size, use tensor shapes instead"
        )
    return names


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
