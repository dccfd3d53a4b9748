"""A package's network as it is mounted in a graph: one opset, static sizes, names of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._errors import PackageError
from ._converted import HALF_PIXELS, check_conversion, count_from_corners
from ._draft import IR_VERSION, OPSET, Draft, Value
from ._fold import folded
from ._spelled import spell_out
from ._types import Note, StageRequest

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

OLDEST, NEWEST = 18, 26
"""Opsets that a graph is written in: from 18 on the operators of the steps take their axes as inputs; ONNX Runtime
1.31 takes none above 26."""
DEFAULT_DOMAINS = ("", "ai.onnx")
FREE_WEIGHTS = 4
"""The IR version from which on weights are no inputs."""


def load_network(path: Path, sha256: str) -> ModelProto:
    """The ONNX file with that sha256, functions inlined and constants no longer inputs; raises PackageError."""
    import onnx
    from onnx import inliner

    try:
        content = path.read_bytes()
    except OSError as error:
        raise PackageError(f"cannot read {path}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise PackageError(
            f"found {path.name} with the sha256 {found[:12]}…, expected {sha256[:12]}…: the file changed after the "
            "pipeline was loaded"
        )
    model = onnx.load_model_from_string(content)
    if model.functions:
        model = inliner.inline_local_functions(model, True)
    spell_out(model)
    if model.graph.sparse_initializer:
        raise PackageError(f"found sparse weights in {path.name}, expected dense ones: export the network again")
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, FREE_WEIGHTS)
    # Sizes inferred for whatever frames there may be; those of this frame are inferred anew.
    del model.graph.value_info[:]
    return model


def opset_of(model: ModelProto) -> int:
    """The version of the standard operators that a network is written in."""
    return max((entry.version for entry in model.opset_import if entry.domain in DEFAULT_DOMAINS), default=1)


def one_opset(
    models: Mapping[str, ModelProto], stages: Sequence[StageRequest]
) -> tuple[int, dict[str, ModelProto], list[Note]]:
    """The networks in one opset, so that they can be one graph: 21, or the newest that one of them has.

    Where onnx cannot bring one of them there, or not without changing its answers, the next smaller that none of them
    is above, down to 18. `models` are by stage; raises PackageError when there is no such opset. The notes tell of
    networks whose answers could not be compared.
    """
    newest = max(map(opset_of, models.values()))
    wanted = min(NEWEST, max(OPSET, newest))
    refused: PackageError | None = None
    for opset in (wanted, *range(wanted - 1, max(OLDEST, newest) - 1, -1)):
        notes: list[Note] = []
        try:
            return opset, {stage.name: upgraded(models[stage.name], opset, stage, notes) for stage in stages}, notes
        except PackageError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def ir_version(opset: int) -> int:
    """The IR version that belongs to an opset, at least 10."""
    from onnx import helper

    return max(IR_VERSION, int(helper.find_min_ir_version_for([helper.make_opsetid("", opset)])))


def upgraded(model: ModelProto, opset: int, stage: StageRequest, notes: list[Note]) -> ModelProto:
    """The network in that opset; raises PackageError when onnx cannot bring it there, or changes what it answers.

    onnx's converter knows the standard operators of the graph itself; what it leaves as it was (in the bodies of If,
    Loop and Scan) is found by checking the whole.
    """
    import onnx
    from onnx import version_converter

    own = opset_of(model)
    if own == opset:
        return model
    others = [entry for entry in model.opset_import if entry.domain not in DEFAULT_DOMAINS]
    try:
        converted = version_converter.convert_version(model, opset)
        if own < HALF_PIXELS:
            count_from_corners(converted)
        kept = {entry.domain for entry in converted.opset_import}
        converted.opset_import.extend(entry for entry in others if entry.domain not in kept)
        onnx.checker.check_model(converted, full_check=True)
    except Exception as error:  # the converter raises RuntimeError, ConvertError and errors of its C++ assertions
        raise PackageError(
            f"found the network of the stage {stage.name!r} in opset {own}, expected one that onnx can bring to "
            f"{opset} ({_first_line(error)}): export it again in opset {OPSET}"
        ) from error
    unknown = check_conversion(model, converted, opset, stage)
    if unknown:
        what = f"brought from opset {own} to {opset} by onnx, its answers not compared"
        notes.append(Note("warning", stage.name, what, unknown))
    return converted


def mount(draft: Draft, model: ModelProto, prefix: str, feeds: Mapping[str, Value]) -> dict[str, Value]:
    """Add a network's nodes and weights to the draft; its outputs by their own names, without axes.

    `feeds` are its inputs by their own names. Everything inside is called `prefix` + its own name. Sizes of outputs
    are those that shape inference finds for the feeds' (None: not known before the run).
    """
    static = _with_shapes(model, {name: value.shape for name, value in feeds.items()})
    shapes = {
        value.name: tuple(
            mine if found is None else found for found, mine in zip_longest(_shape(value), _shape(stated))
        )
        for value, stated in zip(static.graph.output, model.graph.output, strict=True)
    }
    dtypes = {value.name: _dtype(value) for value in static.graph.output}
    inner = static.graph
    _rename(inner, prefix)
    for name, value in feeds.items():
        draft.nodes.append(_identity(value.name, prefix + name, draft.fresh("node_feed")))
    named: set[str] = set()
    for node in inner.node:
        # Names are free to be left out or given twice; engines and reports tell nodes by them.
        if not node.name or node.name in named:
            node.name = draft.fresh(f"{prefix}{node.op_type}")
        named.add(node.name)
    draft.nodes.extend(inner.node)
    draft.initializers.extend(inner.initializer)
    return {name: Value(prefix + name, dtypes[name], (), shapes[name]) for name in shapes}


def _rename(graph: GraphProto, prefix: str) -> None:
    """Every name of the graph and of the bodies in it, so that bodies still find what they read from outside."""
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = prefix + value.name
    for annotation in graph.quantization_annotation:
        annotation.tensor_name = prefix + annotation.tensor_name
    for node in graph.node:
        if node.name:
            node.name = prefix + node.name
        for names in (node.input, node.output):
            names[:] = [prefix + name if name else "" for name in names]
        for attribute in node.attribute:
            for body in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs):
                _rename(body, prefix)


def _with_shapes(model: ModelProto, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelProto:
    """A copy with these inputs' sizes, and those of the outputs that follow from them."""
    import onnx
    from onnx import helper

    static = onnx.ModelProto()
    static.CopyFrom(model)
    for value in static.graph.input:
        tensor = value.type.tensor_type
        if value.name in shapes:
            value.CopyFrom(helper.make_tensor_value_info(value.name, tensor.elem_type, list(shapes[value.name])))
    for value in static.graph.output:
        value.type.tensor_type.ClearField("shape")
    return folded(static, infer_sizes, infer)


def infer(model: ModelProto) -> ModelProto:
    """The model with the sizes of its tensors, as far as they can be inferred; never fails.

    Values of small tensors, from which sizes may follow, are handed on only where sizes are not known without: onnx
    does it for tensors of millions of values too, which takes seconds.
    """
    inferred = _inferred(model, propagate=False)
    return inferred if _all_known(inferred) else _inferred(model, propagate=True)


def infer_sizes(model: ModelProto) -> ModelProto:
    """As `infer`, without handing values on: for graphs whose arithmetic on sizes is evaluated anyway."""
    return _inferred(model, propagate=False)


def _inferred(model: ModelProto, propagate: bool) -> ModelProto:
    from onnx import shape_inference

    for strict in (True, False):
        try:
            return shape_inference.infer_shapes(model, strict_mode=strict, data_prop=propagate)
        except Exception:  # what cannot be inferred is known after the run
            continue
    return model


def _all_known(model: ModelProto) -> bool:
    sized = {value.name: None not in _shape(value) for value in model.graph.value_info if _ranked(value)}
    sized |= {value.name: _ranked(value) and None not in _shape(value) for value in model.graph.output}
    return all(sized.get(name, False) for node in model.graph.node for name in node.output if name)


def _ranked(value: ValueInfoProto) -> bool:
    return bool(value.type.tensor_type.HasField("shape"))


def _identity(source: str, target: str, name: str) -> NodeProto:
    from onnx import helper

    return helper.make_node("Identity", [source], [target], name=name)


def _shape(value: ValueInfoProto) -> tuple[int | None, ...]:
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim)


def _dtype(value: ValueInfoProto) -> str:
    from onnx import helper

    return np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)).name


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:160]
