"""A compiled graph in operators for which ONNX Runtime has CUDA kernels: the same numbers, all of it on the GPU.

Conversions of 8- and 16-bit counts are there, and so is what only moves them about; what compares or cuts them is not
("docs/OperatorKernels.md" in ONNX Runtime's sources). Where a graph has such nodes, counts between its inputs and
outputs are carried in float32, which holds them exactly, as for TensorRT. Whole numbers of 32 bits are cut by Max and
Min, for there is no Clip for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._errors import ProviderError
from ..tensorrt import COUNTS, STANDARD, carry_in_float, kinds_of, spell_out

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

MOVED = frozenset(
    ("Add", "Cast", "Compress", "Concat", "Constant", "ConstantOfShape", "Div", "Expand", "Flatten", "Gather",
     "GatherElements", "Identity", "Mul", "Reshape", "ScatterElements", "ScatterND", "Shape", "Size", "Slice", "Split",
     "Squeeze", "Sub", "Transpose", "Unsqueeze")
)  # fmt: skip
"""Operators with CUDA kernels for uint8 and uint16."""
MOVED_BYTES = MOVED | {"Clip", "DequantizeLinear", "MaxPool", "QuantizeLinear", "Where"}
"""Those with kernels for uint8 alone besides."""


def for_cuda(model: ModelProto) -> ModelProto:
    """The model, or a changed copy of it. What cannot be said otherwise is left: ONNX Runtime tells what it misses."""
    import onnx

    model = _without_wide_scales(model)
    kinds = kinds_of(model)
    cut = [node for node in model.graph.node if _is_whole_clip(node, kinds)]
    lacks = any(_lacks_kernel(node, kinds) for node in model.graph.node)
    if not cut and not lacks:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if lacks:
        carried = onnx.ModelProto()
        carried.CopyFrom(model)
        try:
            _carry(carried, kinds)
            copy = carried
        except ProviderError:
            pass
    _cut_by_max_and_min(copy)
    return copy


def _without_wide_scales(model: ModelProto) -> ModelProto:
    """Frames of 16 bits are normalised by DequantizeLinear, which has kernels of 8 bits alone: as arithmetic."""
    import onnx

    kinds = kinds_of(model)
    if not any(node.op_type == "DequantizeLinear" and COUNTS.get(kinds.get(node.input[0], 0)) == "uint16"
               for node in model.graph.node):  # fmt: skip
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]  # of the nodes that were
    spell_out(copy.graph, kinds)
    return copy


def _lacks_kernel(node: NodeProto, kinds: dict[str, int]) -> bool:
    found = {COUNTS[kinds[name]] for name in (*node.input, *node.output) if kinds.get(name) in COUNTS}
    if not found or node.domain not in STANDARD:
        return False
    return node.op_type not in (MOVED if "uint16" in found else MOVED_BYTES)


def _carry(model: ModelProto, kinds: dict[str, int]) -> None:
    """Counts in float32 between conversions at the graph's ends."""
    from onnx import TensorProto, helper

    graph: Any = model.graph
    del graph.value_info[:]  # of the types that were
    carry_in_float(graph, kinds)
    head: list[NodeProto] = []
    tail: list[NodeProto] = []
    for values, ends in ((graph.input, head), (graph.output, tail)):
        for value in values:
            kind = value.type.tensor_type.elem_type
            if kind not in COUNTS:
                continue
            name, counts = value.name, f"{value.name}.counts"
            for node in graph.node:
                for names in (node.input, *([node.output] if ends is tail else [])):
                    for place, each in enumerate(names):
                        if each == name:
                            names[place] = counts
            ends.append(
                helper.make_node("Cast", [counts], [name], to=kind)
                if ends is tail
                else helper.make_node("Cast", [name], [counts], to=TensorProto.FLOAT)
            )
    nodes = [*head, *graph.node, *tail]
    del graph.node[:]
    graph.node.extend(nodes)


def _is_whole_clip(node: NodeProto, kinds: dict[str, int]) -> bool:
    from onnx import TensorProto

    return node.op_type == "Clip" and node.domain in STANDARD and kinds.get(node.input[0]) == TensorProto.INT32


def _cut_by_max_and_min(model: ModelProto) -> None:
    from onnx import helper

    kinds = kinds_of(model)
    graph: Any = model.graph
    nodes: list[NodeProto] = []
    for node in graph.node:
        if not _is_whole_clip(node, kinds):
            nodes.append(node)
            continue
        read, low, high = (*node.input, "", "")[:3]
        if low:
            raised = f"{node.output[0]}.raised" if high else node.output[0]
            nodes.append(helper.make_node("Max", [read, low], [raised]))
            read = raised
        if high:
            nodes.append(helper.make_node("Min", [read, high], [node.output[0]]))
        if not low and not high:
            nodes.append(helper.make_node("Identity", [read], [node.output[0]]))
    del graph.node[:]
    graph.node.extend(nodes)
