"""A walk along an ONNX graph that carries, for every tensor, what each index reads of the frame along its axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ._needed import captured, needed
from ._reach import Reach, union, whole_axis
from ._taps import pooled

if TYPE_CHECKING:
    import numpy.typing as npt
    from onnx import ModelProto, NodeProto, TensorProto, TypeProto

    Array = npt.NDArray[Any]

Shape = tuple[int, ...]
Reaches = dict[str, Reach]
FOLDED = 1 << 23
"""Elements of the largest tensor that is computed while walking (coordinate grids, sizes, masks)."""
PASSED = 64
"""Elements of the largest constant that shape inference is told."""


@dataclass
class Trace:
    """What is known after the walk: `reaches` of a tensor by axis (none: it does not have that axis), and `reasons`.

    A reason is a sentence that begins with the node, and says why its answer is that of the whole frame alone.
    """

    reaches: dict[str, Reaches] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


class Step:
    """One node in its place of the walk, for the operators' own rules."""

    def __init__(self, walk: _Walk, node: NodeProto) -> None:
        from onnx import helper

        self.node = node
        self.kind = node.op_type
        self.opset = walk.opset
        self.shapes = [walk.trace.shapes.get(name, ()) if name else () for name in node.input]
        self.outputs = [walk.trace.shapes.get(name) for name in node.output]
        """Shapes; None where it is not known beforehand."""
        self.reaches = [walk.trace.reaches.get(name, {}) if name else {} for name in node.input]
        self.attributes: dict[str, Any] = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        self._walk = walk

    def text(self, name: str, default: str = "") -> str:
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def given(self, place: int) -> bool:
        return place < len(self.node.input) and bool(self.node.input[place])

    def constant(self, place: int) -> Array | None:
        """The value of an input that does not depend on the pixels; None when it does, or is not there."""
        return self._walk.value(self.node.input[place]) if self.given(place) else None

    def uniform(self, place: int, dim: int) -> bool:
        """Whether an input is a constant, and the same all along one dimension."""
        value = self.constant(place)
        return value is not None and bool(np.all(value == np.take(value, [0], dim)))

    def ints(self, place: int, attribute: str = "") -> list[int] | None:
        """Whole numbers that newer opsets take as an input and older ones as an attribute."""
        if attribute in self.attributes:
            held = self.attributes[attribute]
            return list(held) if isinstance(held, Sequence) else [held]
        value = self.constant(place)
        return None if value is None else [int(number) for number in value.reshape(-1)]

    def say(self, why: str) -> None:
        """This node's answer is that of the whole frame alone, because ..."""
        name = self.node.name or next(iter(self.node.output), "")
        sentence = f"{self.kind} {name!r} {why}"
        if sentence not in self._walk.trace.reasons:
            self._walk.trace.reasons.append(sentence)

    def merged(self, parts: Sequence[Reaches]) -> Reaches:
        """Of tensors of one shape that are put together index by index."""
        answer: Reaches = {}
        for axis in dict.fromkeys(axis for part in parts for axis in part):
            held = [part[axis] for part in parts if axis in part]
            if len({(reach.dim, reach.size, reach.scale) for reach in held}) > 1:
                self.say(f"puts different places of {axis} together")
                held = held[:1]
            answer[axis] = union(held)
        return answer

    def checked(self, reaches: Reaches) -> Reaches:
        """As they are; says so when an axis is not treated in the same way all along."""
        for axis, reach in reaches.items():
            if not reach.even:
                self.say(f"treats places along {axis} differently")
        return reaches


Rule = Callable[[Step], Sequence[Reaches]]


class _Walk:
    def __init__(self, model: ModelProto, shapes: Mapping[str, Shape]) -> None:
        self.trace = Trace()
        self.opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)
        self._model = model
        self._types: dict[str, TypeProto] = {}
        self._stored: dict[str, TensorProto] = {}
        self._values: dict[str, Array | None] = {}
        self._declare(shapes)

    def _declare(self, shapes: Mapping[str, Shape]) -> None:
        from onnx import helper

        for stored in self._model.graph.initializer:
            self._stored[stored.name] = stored
            self._types[stored.name] = helper.make_tensor_type_proto(stored.data_type, list(stored.dims))
            self.trace.shapes[stored.name] = tuple(stored.dims)
        for value in self._model.graph.input:
            if value.name in self._stored:
                continue
            held = value.type.tensor_type
            sizes = [dim.dim_value or 1 for dim in held.shape.dim]
            shape = tuple(shapes.get(value.name, sizes))
            self._types[value.name] = helper.make_tensor_type_proto(held.elem_type, shape)
            self.trace.shapes[value.name] = shape
            self._values[value.name] = None

    def value(self, name: str) -> Array | None:
        from onnx import TensorProto, numpy_helper

        if name not in self._values and name in self._stored:
            stored = self._stored[name]
            outside = stored.data_location == TensorProto.EXTERNAL
            self._values[name] = None if outside else numpy_helper.to_array(stored)
        return self._values.get(name)

    def visit(self, node: NodeProto, rule: Callable[[Step], Sequence[Reaches]]) -> None:
        self._infer(node)
        step = Step(self, node)
        if any(self.trace.reaches.get(name) for name in captured(node)):
            step.say("has a body that reads the frame")
        if not any(step.reaches):
            self._fold(node)
            return
        if node.op_type in ("Shape", "Size"):
            self._fold(node)
            return
        self._values.update(dict.fromkeys(node.output))
        for name, reaches in zip(node.output, rule(step), strict=False):
            self.trace.reaches[name] = reaches

    def _infer(self, node: NodeProto) -> None:
        """Shapes and types of the node's outputs from those of its inputs, and from the values that are known."""
        import onnx
        from onnx import helper, numpy_helper, shape_inference

        known = {}
        for name in node.input:
            dims = self.trace.shapes.get(name)
            if dims is not None and np.prod(dims, dtype=np.int64) <= PASSED and (value := self.value(name)) is not None:
                known[name] = numpy_helper.from_array(value, name)
        try:
            schema = onnx.defs.get_schema(node.op_type, self.opset, node.domain)
            found = shape_inference.infer_node_outputs(
                schema, node, self._types, known, opset_imports=list(self._model.opset_import)
            )
        except (RuntimeError, ValueError, KeyError, onnx.defs.SchemaError, shape_inference.InferenceError):
            found = {}
        for name, kind in found.items():
            dims = kind.tensor_type.shape.dim
            if kind.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
                shape = tuple(dim.dim_value for dim in dims)
                if node.op_type in ("AveragePool", "LpPool", "MaxPool"):
                    shape = pooled(node, self.trace.shapes[node.input[0]], shape)
                self._types[name] = helper.make_tensor_type_proto(kind.tensor_type.elem_type, shape)
                self.trace.shapes[name] = shape

    def _fold(self, node: NodeProto) -> None:
        """Compute what does not depend on the pixels: sizes, coordinates, masks."""
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        self._values.update(dict.fromkeys(node.output))
        feeds = {name: self.value(name) for name in node.input if name}
        if node.op_type in ("Shape", "Size"):
            dims = self.trace.shapes.get(node.input[0])
            feeds = {node.input[0]: None if dims is None else np.broadcast_to(np.float32(0), dims)}
        elif any(value is not None and value.size > FOLDED for value in feeds.values()):
            return
        if any(value is None for value in feeds.values()):
            return
        if any(np.prod(self.trace.shapes.get(name, ()), dtype=np.int64) > FOLDED for name in node.output):
            return
        try:
            opsets = {entry.domain: entry.version for entry in self._model.opset_import}
            values = ReferenceEvaluator(node, opsets=opsets).run(None, feeds)
        except Exception:  # the reference evaluator raises whatever its NumPy code does; the value stays unknown
            return
        for name, value in zip(node.output, values, strict=False):
            array = np.asarray(value)
            self._values[name] = array
            self.trace.shapes[name] = array.shape
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            self._types[name] = helper.make_tensor_type_proto(kind, array.shape)


def walk(
    model: ModelProto,
    axes: Mapping[str, Mapping[str, int]],
    shapes: Mapping[str, Shape],
    outputs: Sequence[str],
    rule: Rule,
) -> Trace:
    """Follow `axes` (of each input: axis -> dimension) to `outputs`, with inputs of these shapes (free sizes else: 1).

    Only the nodes that the outputs need are walked, so that reasons and periods are theirs.
    """
    going = _Walk(model, shapes)
    for name, dims in axes.items():
        shape = going.trace.shapes[name]
        going.trace.reaches[name] = {axis: whole_axis(dim, shape[dim]) for axis, dim in dims.items()}
    for node in needed(model, outputs):
        going.visit(node, rule)
    for name in outputs:
        for axis, reach in going.trace.reaches.get(name, {}).items():
            if not reach.even and not going.trace.reasons:
                going.trace.reasons.append(f"the output {name!r} treats places along {axis} differently")
    return going.trace
