"""int8: weights of 8 bits with a scale per channel, activations of 8 bits with a scale per tensor, as Q/DQ pairs.

The format of onnxruntime.quantization (static, QDQ, uint8 activations, int8 weights), which ONNX Runtime and OpenVINO
read alike; for TensorRT, which has signed 8 bits alone, `onscope build` makes the scales symmetric. They come from the
ranges that were seen on frames.

Transposed convolutions are quantised too, although ONNX Runtime computes them in float between their Q/DQ pairs: what
lies around them (the concatenation of a U-Net) stays in 8 bits then.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

import numpy as np

from onscope.runtime import ExportError

from .._original import one_line
from ._network import Seen
from ._zone import Layer, Zone

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

PASSING = frozenset(
    ("Add", "AveragePool", "Clip", "Concat", "DepthToSpace", "Flatten", "GlobalAveragePool", "LeakyRelu", "MaxPool",
     "Pad", "Relu", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze")
)  # fmt: skip
"""Operators that may work on 8 bits between layers that do."""
ACTIVATIONS = ("Relu", "Clip", "LeakyRelu")


def quantised(
    model: ModelProto, zone: Zone, seen: Mapping[str, Seen], kept: Set[str] = frozenset(), reduce_range: bool = False
) -> ModelProto:
    """The network with all layers of its zone in 8 bits but those `kept` in float, by name.

    `reduce_range`: weights of 7 bits, for processors whose 8-bit sums overflow (x86 without VNNI). Raises ExportError
    when onnxruntime cannot do it.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    layers = [layer for layer in zone.layers if layer.name not in kept]
    if not layers:
        return model
    nodes = taken(model, layers, seen)
    kinds = {node.op_type for node in model.graph.node if node.name in nodes}
    ranges = {name: (np.float32(each.low), np.float32(each.high)) for name, each in seen.items()}
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    try:
        with _quiet():
            quantizer = QDQQuantizer(
                copy, True, reduce_range, QuantType.QInt8, QuantType.QUInt8,
                TensorsData(CalibrationMethod.MinMax, ranges), sorted(nodes), [], sorted(kinds), {},
            )  # fmt: skip
            quantizer.quantize_model()
            quantizer.model.topological_sort()
    except Exception as error:  # plain asserts, KeyError and ValueError of many kinds
        raise ExportError(f"found a network that onnxruntime cannot quantise: {one_line(error)}") from error
    made: ModelProto = quantizer.model.model
    _give_back(made, model, nodes)
    _keep_standard(made, model)
    del made.graph.value_info[:]
    return made


def taken(model: ModelProto, layers: Sequence[Layer], values: Container[str]) -> set[str]:
    """The layers, activations right behind them, and what passes from them to more of them; names of nodes.

    A node between a layer in 8 bits and one in float would only be more rounding. `values` are the float tensors; what
    else goes into a node is sizes.
    """
    chosen = {layer.name for layer in layers}
    into: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            into.setdefault(name, []).append(node)
    leads = _leading(model, chosen)
    nodes: set[str] = set()
    made: set[str] = set()  # tensors that nodes in 8 bits give
    by_chosen: set[str] = set()  # those that layers give
    for node in model.graph.node:
        data = [name for name in node.input if name in values]
        activates = node.op_type in ACTIVATIONS and node.input[0] in by_chosen and len(into[node.input[0]]) == 1
        passes = node.op_type in PASSING and bool(data) and made.issuperset(data) and node.name in leads
        if node.name in chosen or activates or passes:
            nodes.add(node.name)
            made.update(node.output)
            by_chosen.update(node.output if node.name in chosen else ())
    return nodes


def _leading(model: ModelProto, chosen: Set[str]) -> set[str]:
    """Nodes from which something arrives at a chosen layer by passing operators alone."""
    found: set[str] = set()
    wanted: set[str] = set()
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            found.add(node.name)
        if node.name in chosen or (node.name in found and node.op_type in PASSING):
            wanted.update(node.input)
    return found


def _give_back(made: ModelProto, model: ModelProto, nodes: Set[str]) -> None:
    """Nodes in float read what other nodes in float made as it was: onnxruntime gives them all the 8 bits of one.

    Without it the image that a residual network adds its change to would be rounded with the first layer's input.
    """
    ours = {output for node in model.graph.node if node.name in nodes for output in node.output}
    before = {node.name: list(node.input) for node in model.graph.node if node.name not in nodes}
    for node in made.graph.node:
        for place, name in enumerate(before.get(node.name, [])):
            if name and name not in ours:
                node.input[place] = name


def _keep_standard(made: ModelProto, model: ModelProto) -> None:
    """Domains that no node uses are not imported, versions stay as they were."""
    used = {node.domain for node in made.graph.node}
    imports = [entry for entry in made.opset_import if entry.domain in ("", "ai.onnx") or entry.domain in used]
    del made.opset_import[:]
    made.opset_import.extend(imports)
    made.ir_version = model.ir_version


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that onnxruntime.quantization gives on the root logger and on standard output."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
