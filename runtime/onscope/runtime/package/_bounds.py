"""Sizes that an ONNX file states and nothing bears out: refused before an engine takes memory for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import PackageError
from ._axes import MAX_VALUES, ORDINARY
from ._files import short
from ._walk import bodies, tensors

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

MAX_NODES = 1 << 14
"""Most operators of a graph, its functions written out; the largest networks in use have some thousands."""
MAX_CALLS = 32
"""Deepest nesting of functions."""
MAX_SHAPE_VALUES = 64
"""Longest shape that is looked at; no tensor has more axes."""
_SHAPED = {"ConstantOfShape": 0, "Expand": 1, "Reshape": 1, "Tile": 1, "Resize": 3}
"""Operators whose output is as large as a constant input says, and which of them."""
_GROWS = {"Tile": (1,), "Resize": (1, 2), "Upsample": (1,), "Pad": (1,)}
"""Operators whose output is larger by a constant factor, and where that stands (`Resize`: of opset 10, and later)."""
MAX_GROWTH = 1 << 20
"""Most values that one operator may make of one: from a mean over the frame to 1024 pixels along y and x."""
MAX_PADDED = 4096
"""Most values that padding may make of one, in a frame of ORDINARY pixels."""
_RANDOM = ("RandomNormal", "RandomUniform")


def refuse_absurd_sizes(model: ModelProto, path: Path) -> None:
    """Raise PackageError for tensors with fewer values than they claim, and for constant shapes of too many values."""
    for tensor in tensors(model):
        claimed = _product(tensor.dims)
        # Two values a byte is as small as any dtype gets.
        if claimed > 2 * tensor.ByteSize():
            raise PackageError(
                f"found the tensor {short(tensor.name)!r} in {path.name} that claims {claimed} values and holds fewer, "
                "expected whole weights: export the network again"
            )
    for name, sizes in _stated_shapes(model):
        if _product(sizes) > MAX_VALUES:
            raise PackageError(
                f"found {_product(sizes)} values in {short(name)!r} of {path.name}, expected at most {MAX_VALUES}: "
                "this is no package for live use"
            )
    for name, grows, most in _stated_growth(model):
        if not grows <= most:  # so that NaN is refused too
            raise PackageError(
                f"found that {short(name)!r} of {path.name} makes {grows:g} values of one, expected at most "
                f"{most}: this is no package for live use"
            )


def refuse_endless_functions(model: ModelProto, path: Path) -> None:
    """Raise PackageError for functions that call themselves, or that unfold to more than MAX_NODES nodes."""
    functions = {(each.domain, each.name): each for each in model.functions}
    sizes: dict[tuple[str, str], int] = {}
    inside: list[tuple[str, str]] = []

    def count(nodes: Iterable[NodeProto]) -> int:
        total = 0
        for node in nodes:
            total += unfolded((node.domain, node.op_type)) if (node.domain, node.op_type) in functions else 1
            for attribute in node.attribute:
                total += sum(count(graph.node) for graph in (attribute.g, *attribute.graphs))
        return total

    def unfolded(name: tuple[str, str]) -> int:
        if name in inside or len(inside) >= MAX_CALLS:
            raise PackageError(
                f"found the function {short(name[1])} in {path.name} that calls itself, or others too deep, expected "
                "functions that end: export the network again"
            )
        if name not in sizes:
            inside.append(name)
            sizes[name] = count(functions[name].node)
            inside.pop()
        return sizes[name]

    if (found := count(model.graph.node)) > MAX_NODES:
        raise PackageError(f"found {found} operators in {path.name}, expected at most {MAX_NODES}: this is no network")


def _product(sizes: Iterable[int]) -> int:
    return math.prod(abs(size) for size in sizes)


def _stated_shapes(model: ModelProto) -> Iterator[tuple[str, list[int]]]:
    for body in bodies(model):
        constants: dict[str, TensorProto] = {}
        if hasattr(body, "initializer"):
            constants = {tensor.name: tensor for tensor in body.initializer}
            for sparse in body.sparse_initializer:
                yield sparse.values.name, list(sparse.dims)
            for value in (*body.input, *body.output, *body.value_info):
                dims = value.type.tensor_type.shape.dim
                yield value.name, [dim.dim_value for dim in dims if dim.dim_value]
        for node in body.node:
            attributes = {attribute.name: attribute for attribute in node.attribute}
            if node.op_type == "Constant" and "value" in attributes and node.output:
                constants[node.output[0]] = attributes["value"].t
            if node.op_type in _RANDOM and "shape" in attributes:
                yield node.name or node.op_type, list(attributes["shape"].ints)
            for attribute in node.attribute:
                if attribute.sparse_tensor.dims:
                    yield node.name or node.op_type, list(attribute.sparse_tensor.dims)
            if sizes := _constant_shape(node, constants):
                yield node.name or node.op_type, sizes


def _stated_growth(model: ModelProto) -> Iterator[tuple[str, float, int]]:
    """Nodes that repeat, enlarge or pad by constants; how many values they make of one, and how many they may."""
    for body in bodies(model):
        constants = {tensor.name: tensor for tensor in getattr(body, "initializer", ())}
        for node in body.node:
            attributes = {attribute.name: attribute for attribute in node.attribute}
            if node.op_type == "Constant" and "value" in attributes and node.output:
                constants[node.output[0]] = attributes["value"].t
            name = node.name or node.op_type
            for place in _GROWS.get(node.op_type, ()):
                stated = _numbers(constants.get(node.input[place])) if len(node.input) > place else []
                if node.op_type == "Pad":
                    half = len(stated) // 2
                    widths = zip(stated[:half], stated[half:], strict=False)
                    yield name, math.prod(1 + max(sum(each), 0.0) / ORDINARY for each in widths), MAX_PADDED
                elif stated:
                    yield name, math.prod(abs(each) for each in stated), MAX_GROWTH
            if node.op_type == "Upsample" and "scales" in attributes:
                yield name, math.prod(abs(each) for each in attributes["scales"].floats), MAX_GROWTH


def _numbers(tensor: TensorProto | None) -> list[float]:
    from onnx import numpy_helper

    if tensor is None or _product(tensor.dims) > MAX_SHAPE_VALUES:
        return []
    try:
        return [float(each) for each in numpy_helper.to_array(tensor).reshape(-1)]
    except (ValueError, TypeError):
        return []


def _constant_shape(node: NodeProto, constants: dict[str, TensorProto]) -> list[int]:
    from onnx import TensorProto, numpy_helper

    place = _SHAPED.get(node.op_type)
    if place is None or len(node.input) <= place:
        return []
    shape: Any = constants.get(node.input[place])
    if shape is None or shape.data_type != TensorProto.INT64 or _product(shape.dims) > MAX_SHAPE_VALUES:
        return []
    try:
        return [int(size) for size in numpy_helper.to_array(shape).reshape(-1)]
    except (ValueError, TypeError):
        return []
