"""Graphs of one window against the same rewritten for batches, both in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from onscope.runtime.graph.batch._pass import rewrite

from . import nets

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class In:
    """An input of the graph, which differs from window to window: `low` to `high`, whole numbers where they are."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0

    def sample(self, random: np.random.Generator) -> Array:
        if self.dtype == "bool":
            return random.random(self.shape) < 0.5
        if np.dtype(self.dtype).kind in "iu":
            return random.integers(int(self.low), int(self.high), self.shape).astype(self.dtype)
        return random.uniform(self.low, self.high, self.shape).astype(self.dtype)


Argument = In | Array | None


@dataclass(frozen=True)
class Case:
    """One operator: its inputs (a graph's, constants, none), attributes and how many outputs it has."""

    kind: str
    arguments: Sequence[Argument]
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1

    @property
    def inputs(self) -> list[In]:
        return [each for each in self.arguments if isinstance(each, In)]

    def model(self, merged: bool = False) -> ModelProto:
        """A graph of the operator; `merged`: each input is first multiplied by ones, which leaves windows merged."""
        nodes, constants, names = [], [], []
        for at, each in enumerate(self.arguments):
            name = "" if each is None else f"a{at}"
            if isinstance(each, In) and merged and each.dtype == "float32" and len(each.shape) > 1:
                constants.append(numpy_helper.from_array(np.eye(each.shape[-1], dtype=np.float32), f"eye{at}"))
                nodes.append(helper.make_node("MatMul", [name, f"eye{at}"], [f"merged{at}"]))
                name = f"merged{at}"
            elif each is not None and not isinstance(each, In):
                constants.append(numpy_helper.from_array(np.asarray(each), name))
            names.append(name)
        made = [f"y{at}" for at in range(self.outputs)]
        nodes.append(helper.make_node(self.kind, names, made, name="the node", **self.attributes))
        return graph_of(nodes, {f"a{at}": each for at, each in enumerate(self.arguments)}, made, constants)


def graph_of(
    nodes: Sequence[Any],
    inputs: dict[str, Any],
    outputs: Sequence[str],
    constants: Sequence[TensorProto],
    opset: int = 21,
) -> ModelProto:
    """A checked model; of `inputs` those that are `In`."""
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(each.dtype)), each.shape)
        for name, each in inputs.items()
        if isinstance(each, In)
    ]
    answers = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(list(nodes), "case", given, answers, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def compare(model: ModelProto, inputs: Sequence[In], seed: int = 0, most: int = 3) -> float:
    """Rewrite, and run windows one by one and together, `most` and one; the largest difference, in parts of the range.

    Fails where shapes or dtypes differ, or where the rewritten graph is not what it has to be.
    """
    made = rewrite(model)
    checker.check_model(made, full_check=True)
    assert made.ir_version == model.ir_version
    assert [each.version for each in made.opset_import] == [each.version for each in model.opset_import]
    for value in (*made.graph.input, *made.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "windows"
    single, many = nets.session(model), nets.session(made)
    names = [value.name for value in single.get_inputs()]
    assert [value.name for value in many.get_inputs()] == names
    assert [value.name for value in many.get_outputs()] == [value.name for value in single.get_outputs()]
    random = np.random.default_rng(seed)
    windows = [{name: each.sample(random) for name, each in zip(names, inputs, strict=True)} for _ in range(most)]
    wanted = [single.run(None, window) for window in windows]
    largest = 0.0
    for size in (most, 1):
        found = many.run(None, {name: np.stack([window[name] for window in windows[:size]]) for name in names})
        for at, answer in enumerate(found):
            one_by_one = np.stack([each[at] for each in wanted[:size]])
            assert answer.shape == one_by_one.shape
            assert answer.dtype == one_by_one.dtype
            if np.array_equal(answer, one_by_one, equal_nan=answer.dtype.kind == "f"):
                continue
            first, second = answer.astype(np.float64), one_by_one.astype(np.float64)
            # The range of what is all but one number is nothing but rounding.
            span = max(float(np.ptp(second)), float(np.abs(second).max()) / 10) or 1.0
            largest = max(largest, float(np.abs(first - second).max()) / span)
    # Whatever the others are, the first window's answer is the same to the bit.
    others = [
        windows[0],
        *({name: each.sample(random) for name, each in zip(names, inputs, strict=True)} for _ in windows[1:]),
    ]
    pair = [
        many.run(None, {name: np.stack([each[name] for each in some]) for name in names}) for some in (windows, others)
    ]
    for one, other in zip(*pair, strict=True):
        assert np.array_equal(one[0], other[0], equal_nan=one.dtype.kind == "f")
    return largest
