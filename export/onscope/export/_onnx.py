"""From a PyTorch module to one tidy ONNX model: free height and width, fixed opset, standard operators only."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from onscope.runtime import ExportError

from ._torch import Array, one_line, quiet

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn

OPSET = 20
"""Read by ONNX Runtime, OpenVINO and TensorRT alike."""
IR_VERSION = 10
DYNAMO = "torch.export"
TORCHSCRIPT = "TorchScript exporter"


FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, NameError, SyntaxError)
"""What the passes of the exporters raise (all errors of torch.onnx and torch._dynamo are RuntimeErrors)."""


class Converted(NamedTuple):
    """An ONNX model, the exporter that made it, and what is worth knowing about the way."""

    model: ModelProto
    exporter: str
    notes: tuple[str, ...]


def to_onnx(
    network: nn.Module,
    example: Array,
    *,
    input_name: str,
    output_names: Sequence[str],
    free_axes: Sequence[int],
    opset: int = OPSET,
) -> Converted:
    """Convert `network` for inputs such as `example`, with the axes `free_axes` of any size.

    The exporter of torch.export goes first; where it fails the one of TorchScript has its turn (it knows no uint16),
    and the notes say why. TorchScript modules go to the second at once. Raises ExportError when both fail.
    """
    import torch

    notes: list[str] = []
    failures: list[str] = []
    script = isinstance(network, torch.jit.ScriptModule)
    for exporter in (TORCHSCRIPT,) if script else (DYNAMO, TORCHSCRIPT):
        convert = _by_dynamo if exporter == DYNAMO else _by_torchscript
        try:
            with quiet():
                model, warned = convert(network, example, input_name, output_names, free_axes, opset)
                model = _tidy(model, free_axes, opset)
        except FAILURES as error:
            failures.append(f"{exporter}: {one_line(_root(error))}")
            notes.append(f"{exporter} failed ({one_line(_root(error), 160)})")
            continue
        return Converted(model, exporter, (*notes, *warned))
    raise ExportError(
        f"found a network that cannot be exported ({'; '.join(failures)}), expected operators that ONNX has: rewrite "
        "the operation that is named"
    )


def _by_dynamo(
    network: nn.Module, example: Array, name: str, outputs: Sequence[str], free: Sequence[int], opset: int
) -> tuple[ModelProto, list[str]]:
    import torch

    program = torch.onnx.export(
        network,
        (torch.from_numpy(example),),
        dynamo=True,
        opset_version=opset,
        input_names=[name],
        output_names=list(outputs),
        dynamic_shapes=({axis: torch.export.Dim.DYNAMIC for axis in free},),
        external_data=False,
        optimize=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter gave nothing")
    model: ModelProto = program.model_proto
    return model, []


def _by_torchscript(
    network: nn.Module, example: Array, name: str, outputs: Sequence[str], free: Sequence[int], opset: int
) -> tuple[ModelProto, list[str]]:
    import onnx
    import torch
    from torch.jit import TracerWarning  # type: ignore[attr-defined]

    file = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(
            network,
            (torch.from_numpy(example),),
            file,  # type: ignore[arg-type]  # takes a buffer, unlike its annotation
            dynamo=False,
            opset_version=opset,
            input_names=[name],
            output_names=list(outputs),
            dynamic_axes={name: {axis: f"free{axis}" for axis in free}},
        )
    # The tracer follows one way through the network; where it says so, whoever reads the report should know.
    frozen = {one_line(one.message, 160) for one in caught if issubclass(one.category, TracerWarning)}
    return onnx.load_from_string(file.getvalue()), [f"traced: {message}" for message in sorted(frozen)]


def _tidy(model: ModelProto, free: Sequence[int], opset: int) -> ModelProto:
    """Simplify, name the free axes, drop the traces of the machine that exported it, and check the result."""
    import onnx
    import onnxslim

    slim = onnxslim.slim(model)
    if slim is None:
        raise RuntimeError("onnxslim gave nothing")
    model = slim
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = "onscope", "", ""
    del model.metadata_props[:]
    given = model.graph.input[0]
    dims = given.type.tensor_type.shape.dim
    names = {dims[axis].dim_param: label for axis, label in zip(free, ("y", "x"), strict=False)}
    if len(names) != len(free) or "" in names or any(dims[axis].dim_value for axis in free):
        raise RuntimeError(
            "it fixed the height or width of the input, or tied them: the network computes with Python numbers of one "
            "size, use tensor shapes instead"
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


def _strip(model: ModelProto, names: dict[str, str]) -> None:
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


def _root(error: BaseException) -> BaseException:
    """The first cause: exporters wrap it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
