"""Random graphs of the operators that batches are known for, grown one operator after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto, helper, numpy_helper

from .batching import In

MOST_VALUES = 4000
MOST_RANK = 5


@dataclass
class Growing:
    """A graph that grows; `shapes` are those of what there is to read."""

    draw: st.DrawFn
    shapes: dict[str, tuple[int, ...]]
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def one(self, least: int = 0, most: int = MOST_RANK) -> tuple[str, tuple[int, ...]] | None:
        """A tensor of such a rank."""
        names = [name for name, shape in self.shapes.items() if least <= len(shape) <= most]
        name = self.draw(st.sampled_from(names)) if names else None
        return None if name is None else (name, self.shapes[name])

    def axis(self, shape: tuple[int, ...]) -> int:
        return self.draw(st.integers(0, len(shape) - 1))

    def constant(self, array: Any, dtype: Any = np.int64) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def weights(self, *shape: int) -> str:
        random = np.random.default_rng(len(self.constants))
        return self.constant(random.uniform(-1, 1, shape), np.float32)

    def add(self, kind: str, inputs: list[str], shape: tuple[int, ...], outputs: int = 1, **attributes: Any) -> None:
        if math.prod(shape) > MOST_VALUES or len(shape) > MOST_RANK or 0 in shape:
            return
        names = [f"t{len(self.nodes)}", *(f"t{len(self.nodes)}_{at}" for at in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, inputs, names, name=f"n{len(self.nodes)}", **attributes))
        self.shapes[names[0]] = shape


Step = Callable[[Growing, str, tuple[int, ...]], None]


def pointwise(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    graph.add(graph.draw(st.sampled_from(["Tanh", "Neg", "Relu", "Abs", "Sigmoid"])), [name], shape)


def both(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    other = graph.one()
    assert other is not None
    try:
        wide = np.broadcast_shapes(shape, other[1])
    except ValueError:
        return
    graph.add(graph.draw(st.sampled_from(["Add", "Sub", "Max", "Mul"])), [name, other[0]], wide)


def with_constant(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    own = tuple(size if graph.draw(st.booleans()) else 1 for size in shape)[graph.draw(st.integers(0, len(shape))) :]
    graph.add("Add", [name, graph.weights(*own)], shape)


def reshape(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    sizes, count = [], math.prod(shape)
    for _ in range(graph.draw(st.integers(0, 3))):
        sizes.append(graph.draw(st.sampled_from([each for each in range(1, count + 1) if count % each == 0][:6])))
        count //= sizes[-1]
    target = tuple(graph.draw(st.permutations((*sizes, count))))
    graph.add("Reshape", [name, graph.constant(target)], target)


def transpose(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    order = graph.draw(st.permutations(range(len(shape))))
    graph.add("Transpose", [name], tuple(shape[at] for at in order), perm=order)


def unsqueeze(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    at = graph.draw(st.integers(0, len(shape)))
    graph.add("Unsqueeze", [name, graph.constant([at])], (*shape[:at], 1, *shape[at:]))


def squeeze(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    ones = [at for at, size in enumerate(shape) if size == 1]
    if ones:
        at = graph.draw(st.sampled_from(ones))
        graph.add("Squeeze", [name, graph.constant([at])], shape[:at] + shape[at + 1 :])


def reduce(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    axes = graph.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    keep = graph.draw(st.booleans())
    kept = tuple(1 if at in axes else size for at, size in enumerate(shape) if keep or at not in axes)
    kind = graph.draw(st.sampled_from(["ReduceMean", "ReduceMax", "ReduceSum"]))
    graph.add(kind, [name, graph.constant(sorted(axes))], kept, keepdims=int(keep))


def softmax(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if shape:
        graph.add("Softmax", [name], shape, axis=graph.axis(shape))


def concat(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    axis = graph.axis(shape)
    other = graph.weights(*shape) if graph.draw(st.booleans()) else name
    inputs = graph.draw(st.permutations([name, other]))
    graph.add("Concat", inputs, tuple(size * (1 + (at == axis)) for at, size in enumerate(shape)), axis=axis)


def cut(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    axis = graph.axis(shape)
    start = graph.draw(st.integers(0, shape[axis] - 1))
    stop = graph.draw(st.integers(start + 1, shape[axis]))
    inputs = [name, *(graph.constant([each]) for each in (start, stop, axis))]
    graph.add("Slice", inputs, tuple(stop - start if at == axis else size for at, size in enumerate(shape)))


def pad(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    axis = graph.axis(shape)
    inputs = [name, graph.constant([1, 2]), "", graph.constant([axis])]
    graph.add("Pad", inputs, tuple(size + 3 * (at == axis) for at, size in enumerate(shape)), mode="edge")


def gather(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    axis = graph.axis(shape)
    places = graph.draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1, max_size=4))
    if graph.draw(st.booleans()):
        graph.add("Gather", [name, graph.constant(places)], (*shape[:axis], len(places), *shape[axis + 1 :]), axis=axis)
    else:
        graph.add("Gather", [name, graph.constant(places[0])], shape[:axis] + shape[axis + 1 :], axis=axis)


def topk(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    axis = graph.axis(shape)
    few = graph.draw(st.integers(1, shape[axis]))
    made = tuple(few if at == axis else size for at, size in enumerate(shape))
    graph.add("TopK", [name, graph.constant([few])], made, 2, axis=axis)


def matmul(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if not shape:
        return
    left = [each for each, other in graph.shapes.items() if len(other) >= 2 and other[-1] == shape[-1]]
    if left and len(shape) >= 2 and graph.draw(st.booleans()):  # with another tensor, turned
        other = graph.draw(st.sampled_from(left))
        sizes = graph.shapes[other]
        try:
            wide = np.broadcast_shapes(shape[:-2], sizes[:-2])
        except ValueError:
            return
        order = [*range(len(sizes) - 2), len(sizes) - 1, len(sizes) - 2]
        before = len(graph.nodes)
        graph.add("Transpose", [other], tuple(sizes[at] for at in order), perm=order)
        if len(graph.nodes) > before:
            graph.add("MatMul", [name, graph.nodes[-1].output[0]], (*wide, shape[-2], sizes[-2]))
        return
    graph.add("MatMul", [name, graph.weights(shape[-1], 3)], (*shape[:-1], 3))


def conv(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) >= 3:
        kernel = [3] * (len(shape) - 2)
        weights = graph.weights(2, shape[1], *kernel)
        graph.add("Conv", [name, weights], (shape[0], 2, *shape[2:]), pads=[1] * 2 * len(kernel))


def instance_norm(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) >= 3 and math.prod(shape[2:]) > 1:
        weights = [graph.weights(shape[1]), graph.weights(shape[1])]
        graph.add("InstanceNormalization", [name, *weights], shape, epsilon=0.1)


def pool(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) in (3, 4, 5):
        kernel = [3] * (len(shape) - 2)
        kind = graph.draw(st.sampled_from(["MaxPool", "AveragePool"]))
        graph.add(kind, [name], shape, kernel_shape=kernel, pads=[1] * 2 * len(kernel))


def resize(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) == 4:
        wide = (*shape[:2], shape[2] * 2, shape[3] * 2)
        if graph.draw(st.booleans()):
            graph.add("Resize", [name, "", graph.constant([1, 1, 2, 2], np.float32)], wide, mode="linear")
        else:
            graph.add("Resize", [name, "", "", graph.constant(wide)], wide, mode="nearest")


def expand(graph: Growing, name: str, shape: tuple[int, ...]) -> None:
    wide = (graph.draw(st.integers(1, 2)), *(2 if size == 1 and graph.draw(st.booleans()) else size for size in shape))
    graph.add("Expand", [name, graph.constant(wide)], wide)


STEPS: Mapping[str, Step] = {
    each.__name__: each
    for each in (
        *(pointwise, both, with_constant, reshape, transpose, unsqueeze, squeeze, reduce, softmax, concat, cut, pad),
        *(gather, topk, matmul, conv, instance_norm, pool, resize, expand),
    )
}
SHAPES = st.sampled_from([(), (4,), (1, 3), (3, 4), (2, 3, 4), (1, 2, 4, 5), (2, 2, 3, 4), (1, 1, 5, 4)])


@st.composite
def grown(draw: st.DrawFn) -> tuple[Growing, dict[str, In]]:
    inputs = {f"x{at}": In(shape) for at, shape in enumerate(draw(st.lists(SHAPES, min_size=1, max_size=3)))}
    graph = Growing(draw, {name: each.shape for name, each in inputs.items()})
    for step in draw(st.lists(st.sampled_from(list(STEPS)), min_size=2, max_size=10)):
        one = graph.one()
        assert one is not None
        STEPS[step](graph, *one)
    return graph, inputs
