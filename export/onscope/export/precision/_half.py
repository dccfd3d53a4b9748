"""fp16: the network in half precision between its first and its last layer, with casts at both ends.

Frames, statistics, decoding and every input and output stay as they are: counts above 2048 are no whole numbers in half
precision, and those above 65504 no numbers at all. onnxruntime.transformers.float16 (1.31) is not used because it casts
every tensor between two nodes that stay in float32 to half precision and back, counts among them.

ONNX Runtime and OpenVINO compute such a graph in float32 on a CPU and take the casts between its nodes out again, so
that their answers are nearer to the float network's than a GPU's. `rounded` is the same network in float32 with every
tensor rounded to half precision, and what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING

import numpy as np

from onscope.runtime import ExportError

from .._original import one_line
from ._network import Seen, floats
from ._zone import Zone

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

LARGEST = float(np.finfo(np.float16).max)
"""Largest number of half precision: 65504."""
TAKEN = frozenset(
    ("Abs", "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Conv", "ConvTranspose", "DepthToSpace",
     "Div", "Elu", "Erf", "Exp", "Flatten", "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish", "Identity",
     "LeakyRelu", "Log", "MatMul", "MaxPool", "Mul", "Neg", "PRelu", "Pad", "Relu", "Reshape", "Resize", "Sigmoid",
     "Slice", "Softmax", "Softplus", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Transpose",
     "Unsqueeze")
)  # fmt: skip
"""Operators that may work in half precision. Sums over whole images (ReduceMean, InstanceNormalization), places
(TopK, Range) and bodies of their own are not among them."""
DATA_ONLY = ("Resize",)
"""Operators of which the first input alone is in half precision: scales stay float32."""
HALF, WHOLE = "__half", "__whole"
Names = Set[str]


def too_large(model: ModelProto, zone: Zone, seen: Mapping[str, Seen]) -> dict[str, float]:
    """Nodes of the zone that take or give numbers beyond half precision, weights included, and the largest of them."""
    from onnx import numpy_helper

    sizes = {name: each.largest for name, each in seen.items()}
    for tensor in model.graph.initializer:
        if _is_float(tensor):
            sizes[tensor.name] = float(np.abs(numpy_helper.to_array(tensor)).max(initial=0.0))
    found = {}
    for node in model.graph.node:
        if node.name in zone.nodes and node.op_type != "Clip":  # whose bounds may mean: none
            beyond = [sizes[name] for name in (*node.input, *node.output) if name in sizes]
            beyond = [value for value in beyond if not value <= LARGEST]  # NaN too
            if beyond:
                found[node.name] = max(beyond)
    return found


def halved(model: ModelProto, zone: Zone, kept: Names = frozenset(), beyond: Names = frozenset()) -> ModelProto:
    """The network with its zone in half precision but for the layers `kept`, what follows them, and nodes `beyond`.

    Raises ExportError when the result is not valid.
    """
    import onnx

    made, real = _copy(model)
    inside = _inside(model, zone, kept, beyond)
    constants = {tensor.name: tensor for tensor in made.graph.initializer if _is_float(tensor)}
    halves = {name for node in made.graph.node if node.name in inside for name in node.output if name in real}
    done: list[NodeProto] = []
    there: set[str] = set()  # tensors that were brought to the other precision already
    for node in list(made.graph.node):
        taken = _taken_inputs(node) if node.name in inside else range(0)
        for place, name in enumerate(node.input):
            to_half = place in taken and name not in halves and (name in constants or name in real)
            to_whole = place not in taken and name in halves
            if not (to_half or to_whole):
                continue
            other = name + (HALF if to_half else WHOLE)
            if other not in there and name in constants:
                made.graph.initializer.append(_half(constants[name], other))
            elif other not in there:
                done.append(_cast(name, other, onnx.TensorProto.FLOAT16 if to_half else onnx.TensorProto.FLOAT))
            node.input[place] = other
            there.add(other)
        done.append(node)
    _give_outputs(made, done, halves)
    return _checked(made, done)


def rounded(model: ModelProto, zone: Zone, kept: Names = frozenset(), beyond: Names = frozenset()) -> ModelProto:
    """What `halved` is on a GPU that rounds each tensor once, for any engine: float32, rounded to half precision."""
    made, real = _copy(model)
    inside = _inside(model, zone, kept, beyond)
    constants = {tensor.name: tensor for tensor in made.graph.initializer if _is_float(tensor)}
    done: list[NodeProto] = []
    there: set[str] = set()
    halves: set[str] = set()
    for node in list(made.graph.node):
        if node.name not in inside:
            done.append(node)
            continue
        for place in _taken_inputs(node):
            name = node.input[place]
            if name in halves or not (name in constants or name in real):
                continue
            if name + HALF not in there and name in constants:
                made.graph.initializer.append(_half(constants[name], name + HALF, np.float32))
            elif name + HALF not in there:
                done += _rounding(name, name + HALF)
            node.input[place] = name + HALF
            there.add(name + HALF)
        outputs = [name for name in node.output if name in real]
        node.output[:] = [name + WHOLE if name in outputs else name for name in node.output]
        done.append(node)
        for name in outputs:
            done += _rounding(name + WHOLE, name)
            halves.add(name)
    return _checked(made, done)


def _copy(model: ModelProto) -> tuple[ModelProto, set[str]]:
    import onnx

    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.value_info[:]
    return made, set(floats(model))


def _inside(model: ModelProto, zone: Zone, kept: Names, beyond: Names) -> set[str]:
    inside = {name for layer in zone.layers if layer.name not in kept for name in layer.nodes} - beyond
    return {node.name for node in model.graph.node if node.name in inside and node.op_type in TAKEN}


def _taken_inputs(node: NodeProto) -> range:
    return range(1 if node.op_type in DATA_ONLY else len(node.input))


def _give_outputs(made: ModelProto, nodes: list[NodeProto], halves: set[str]) -> None:
    """An output of the graph that is made in half precision is cast back under its own name."""
    import onnx

    for output in made.graph.output:
        if output.name in halves:
            for node in nodes:
                for names in (node.input, node.output):
                    names[:] = [name + HALF if name == output.name else name for name in names]
            nodes.append(_cast(output.name + HALF, output.name, onnx.TensorProto.FLOAT))


def _cast(source: str, target: str, dtype: int) -> NodeProto:
    from onnx import helper

    return helper.make_node("Cast", [source], [target], name=f"cast_{target}", to=dtype)


def _rounding(source: str, target: str) -> list[NodeProto]:
    from onnx import TensorProto

    between = f"{target}__rounding"
    return [_cast(source, between, TensorProto.FLOAT16), _cast(between, target, TensorProto.FLOAT)]


def _half(tensor: TensorProto, name: str, dtype: type[np.floating] = np.float16) -> TensorProto:
    from onnx import numpy_helper

    values = np.clip(numpy_helper.to_array(tensor), -LARGEST, LARGEST)  # bounds of 3e38 mean: none
    return numpy_helper.from_array(values.astype(np.float16).astype(dtype), name)


def _is_float(tensor: TensorProto) -> bool:
    return bool(tensor.data_type == 1)  # TensorProto.FLOAT


def _checked(made: ModelProto, nodes: Iterable[NodeProto]) -> ModelProto:
    import onnx

    nodes = list(nodes)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input} | {value.name for value in made.graph.output}
    if not any(attribute.HasField("g") for node in nodes for attribute in node.attribute):  # bodies read what they like
        tensors = [tensor for tensor in made.graph.initializer if tensor.name in used]
        del made.graph.initializer[:]
        made.graph.initializer.extend(tensors)
    try:
        onnx.checker.check_model(made, full_check=True)
    except Exception as error:  # errors of onnx of several kinds
        raise ExportError(f"found a network that cannot be brought to half precision: {one_line(error)}") from error
    return made
