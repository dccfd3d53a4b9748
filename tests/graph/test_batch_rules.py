"""Every rule of the pass that batches windows: the operator over windows together gives what it gives one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import helper

from onscope.runtime import PipelineError
from onscope.runtime.graph.batch._pass import rewrite
from onscope.runtime.graph.batch._rules import RULES

from .batching import Case, In, compare, graph_of

ROUNDED = 2e-6
"""Of the range: matrix products and convolutions of another batch may be added up in another order."""
RANDOM = np.random.default_rng(0)
IMAGE = In((1, 4, 6, 8))
TWO = In((2, 4, 6, 8))
"""With a batch axis of its own."""
FLAT = In((6, 8))
NUMBER = In(())


def w(*shape: int) -> Any:
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


def i(*numbers: int) -> Any:
    return np.array(numbers, np.int64)


def f(*numbers: float) -> Any:
    return np.array(numbers, np.float32)


def whole(*shape: int, most: int = 6, dtype: str = "int64") -> In:
    return In(shape, dtype, 0, most)


BOOL = In((1, 4, 6, 8), "bool")
BYTES = In((1, 4, 6, 8), "uint16", 0, 60000)
CASES: list[Case] = [
    *(Case(kind, [IMAGE]) for kind in ("Abs", "Neg", "Relu", "Sigmoid", "Softplus", "Exp", "Tanh", "Round", "Erf")),
    Case("Sqrt", [In((1, 2, 3), low=0.1)]),
    Case("Relu", [NUMBER]),
    Case("Cast", [BYTES], {"to": 1}),
    Case("Not", [BOOL]),
    Case("LeakyRelu", [TWO], {"alpha": 0.2}),
    # Broadcasting: of the same rank, of smaller ones, constants with and without a first axis.
    *(Case("Add", [IMAGE, other]) for other in (IMAGE, FLAT, NUMBER, w(4, 1, 1), w(1, 4, 1, 1), f(2.0), In((4, 1, 1)))),
    *(Case("Sub", [FLAT, other]) for other in (IMAGE, TWO, w(2, 4, 6, 8), w(8))),
    Case("Mul", [NUMBER, NUMBER]),
    Case("Mul", [NUMBER, w(3, 2)]),
    Case("Div", [TWO, In((1, 4, 1, 1), low=0.5)]),
    Case("Div", [TWO, In((2, 1, 1, 1), low=0.5)]),
    Case("Pow", [In((1, 3, 4), low=0.1), f(2.0)]),
    Case("Max", [IMAGE, FLAT, w(1), NUMBER]),
    Case("Greater", [IMAGE, NUMBER]),
    Case("Where", [BOOL, FLAT, NUMBER]),
    Case("Where", [BOOL, IMAGE, f(-1.0)]),
    Case("And", [BOOL, In((8,), "bool")]),
    Case("PRelu", [IMAGE, w(4, 1, 1)]),
    Case("PRelu", [w(4, 6, 8), In((6, 1))]),
    Case("Clip", [IMAGE, f(-0.5).reshape(()), f(0.5).reshape(())]),
    Case("Clip", [IMAGE, NUMBER, None]),
    Case("Clip", [FLAT, In((), low=-1, high=0), In((), low=0, high=1)]),
    Case("Dropout", [IMAGE]),
    Case("QuantizeLinear", [IMAGE, f(0.02).reshape(()), np.array(128, np.uint8)]),
    Case("QuantizeLinear", [TWO, f(0.02, 0.01), np.array([128, 0], np.uint8)], {"axis": 0}),
    Case("QuantizeLinear", [TWO, f(0.02, 0.01, 0.03, 0.02), np.array([128, 0, 1, 2], np.uint8)]),
    Case("DequantizeLinear", [BYTES, f(0.02).reshape(()), np.array(128, np.uint16)]),
    Case("DequantizeLinear", [BYTES, In((), low=0.1), In((), "uint16", 0, 60000)]),
    Case("DequantizeLinear", [BYTES, In((), low=0.1), np.array(7, np.uint16)]),
    Case("DequantizeLinear", [BYTES, In((), low=0.1)]),
    # What changes the shape.
    Case("Identity", [IMAGE]),
    Case("Reshape", [IMAGE, i(-1, 8)]),
    Case("Reshape", [TWO, i(2, 2, -1)]),
    Case("Reshape", [In((1, 1)), i()]),
    Case("Squeeze", [IMAGE, i(0)]),
    Case("Unsqueeze", [FLAT, i(0, 1)]),
    Case("Unsqueeze", [NUMBER, i(0)]),
    Case("Flatten", [TWO], {"axis": 2}),
    Case("Shape", [IMAGE]),
    Case("Size", [FLAT]),
    Case("Expand", [In((4, 1, 8)), i(2, 4, 6, 8)]),
    Case("Expand", [In((1, 1, 8)), i(1, 6, 1)]),
    Case("Expand", [NUMBER, i(2, 3)]),
    Case("Tile", [IMAGE, i(1, 2, 1, 3)]),
    Case("Tile", [TWO, i(2, 1, 1, 1)]),
    Case("Transpose", [IMAGE], {"perm": [0, 2, 3, 1]}),
    Case("Transpose", [IMAGE], {"perm": [3, 2, 1, 0]}),
    Case("Transpose", [FLAT]),
    Case("Trilu", [FLAT], {"upper": 0}),
    # Along axes: behind the first, the first, all.
    *(
        Case(kind, [TWO], {"axis": axis})
        for kind in ("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "LpNormalization")
        for axis in (0, 1, -1)
    ),
    Case("ArgMin", [TWO], {"keepdims": 0}),
    *(
        Case("ReduceMean", [TWO, axes], {"keepdims": keep})
        for axes in (i(2, 3), i(0), i(-4, 1), None)
        for keep in (0, 1)
    ),
    *(Case(kind, [IMAGE, i(1)]) for kind in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")),
    Case("CumSum", [TWO, np.array(0, np.int64)]),
    Case("CumSum", [TWO, np.array(-1, np.int64)], {"reverse": 1}),
    Case("LayerNormalization", [IMAGE, w(8), w(8)]),
    Case("LayerNormalization", [TWO, w(2, 4, 6, 8)], {"axis": 0}),
    *(Case("Concat", [TWO, w(2, 4, 6, 8), TWO], {"axis": axis}) for axis in (0, 1, -1)),
    Case("Concat", [In((3,)), w(2)], {"axis": 0}),
    Case("Split", [TWO, i(1, 3)], {"axis": 1}, 2),
    Case("Split", [TWO], {"axis": 0, "num_outputs": 2}, 2),
    Case("Slice", [IMAGE, i(1, 2), i(4, 100), i(2, -1)]),
    Case("Slice", [TWO, i(-1), i(-10), i(0), i(-1)]),
    Case("Slice", [FLAT, np.array([2], np.int32), np.array([5], np.int32), np.array([0], np.int32)]),
    Case("Slice", [TWO, i(0, 1), i(1, 3)]),
    *(Case("Pad", [IMAGE, i(0, 0, 1, 2, 0, 0, 3, 0)], {"mode": mode}) for mode in ("constant", "reflect", "edge")),
    Case("Pad", [TWO, i(1, 1, 0, 2), f(3.0).reshape(()), i(0, -1)]),
    Case("TopK", [In((40,)), i(7)], {"axis": 0}, 2),
    Case("TopK", [TWO, i(3)], {"axis": 1, "largest": 0}, 2),
    Case("OneHot", [whole(5), np.array(6, np.int64), f(0.0, 1.0)]),
    Case("OneHot", [whole(2, 3), np.array(6, np.int64), f(0.0, 1.0)], {"axis": 0}),
    # With a batch axis of their own.
    *(Case("Conv", [x, w(3, 4, 3, 3), w(3)], {"pads": [1, 1, 1, 1]}) for x in (IMAGE, TWO)),
    Case("Conv", [In((1, 2, 9)), w(4, 1, 3)], {"group": 2}),
    Case("Conv", [In((1, 2, 4, 5, 6)), w(3, 2, 2, 3, 3)]),
    Case("ConvTranspose", [TWO, w(4, 3, 2, 2)], {"strides": [2, 2]}),
    Case("MaxPool", [TWO], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    Case("AveragePool", [IMAGE], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    Case("GlobalAveragePool", [TWO]),
    Case("GlobalMaxPool", [IMAGE]),
    Case("InstanceNormalization", [TWO, w(4), w(4)]),
    Case("GroupNormalization", [TWO, w(4), w(4)], {"num_groups": 2}),
    Case("BatchNormalization", [TWO, w(4), w(4), w(4), np.abs(w(4))]),
    Case("LRN", [IMAGE], {"size": 3}),
    Case("DepthToSpace", [IMAGE], {"blocksize": 2}),
    Case("SpaceToDepth", [TWO], {"blocksize": 2}),
    Case("GridSample", [IMAGE, In((1, 3, 3, 2), low=-1, high=1)]),
    Case("GridSample", [w(1, 4, 6, 8), In((1, 3, 3, 2), low=-1, high=1)]),
    Case("Resize", [TWO, None, f(1, 1, 2, 2)], {"mode": "nearest"}),
    Case("Resize", [TWO, None, None, i(2, 4, 9, 11)], {"mode": "linear"}),
    Case("Resize", [IMAGE, None, None, i(1, 4, 3, 5)], {"mode": "linear", "antialias": 1}),
    Case("Resize", [IMAGE, None, f(0.5, 2.0)], {"mode": "linear", "axes": [2, 3]}),
    Case("Resize", [TWO, None, None, i(3, 5)], {"mode": "linear", "axes": [-2, -1]}),
    Case("Resize", [FLAT, None, f(2, 1.5)], {"mode": "linear"}),
    Case("Resize", [FLAT, None, f(2, 1.5)], {"mode": "cubic"}),
    Case("Resize", [TWO, None, f(2, 1, 1, 2)], {"mode": "nearest"}),
    # From and to places.
    *(Case("Gather", [TWO, i(1, 0, 1)], {"axis": axis}) for axis in (0, 1, -1)),
    Case("Gather", [IMAGE, np.array(2, np.int64)], {"axis": 1}),
    *(Case("Gather", [w(6, 7, 8), whole(2, 3)], {"axis": axis}) for axis in (0, 1, 2)),
    *(Case("Gather", [In((6, 7, 8)), In((2, 3), "int64", -6, 6)], {"axis": axis}) for axis in (0, 1, 2)),
    Case("Gather", [In((9,)), whole(most=9)]),
    Case("GatherElements", [In((3, 5)), whole(3, 2, most=5)], {"axis": 1}),
    Case("GatherElements", [w(3, 5), whole(2, 5, most=3)], {"axis": 0}),
    Case("GatherND", [In((4, 5, 6)), whole(3, 2, most=4)]),
    Case("GatherND", [w(4, 5, 6), whole(3, 2, most=4)]),
    Case("GatherND", [In((4, 5, 6)), i(1, 2, 3, 0).reshape(4, 1)], {"batch_dims": 1}),
    Case("ScatterND", [In((4, 5)), i(1, 3).reshape(2, 1), In((2, 5))]),
    Case("ScatterND", [w(4, 5), i(1, 3).reshape(2, 1), In((2, 5))]),
    Case("ScatterND", [In((5, 4)), whole(1, 2, most=4), w(1)]),
    Case("ScatterElements", [In((4, 5)), i(1, 3, 0).reshape(1, 3), In((1, 3))], {"axis": 1}),
    # Matrices.
    Case("MatMul", [TWO, w(8, 3)]),
    Case("MatMul", [FLAT, w(8, 3)]),
    Case("MatMul", [FLAT, In((8, 3))]),
    Case("MatMul", [w(5, 6), FLAT]),
    Case("MatMul", [FLAT, w(2, 1, 8, 3)]),
    Case("MatMul", [In((8,)), w(8, 3)]),
    Case("MatMul", [In((8,)), In((4, 8, 3))]),
    Case("MatMul", [FLAT, In((8,))]),
    Case("MatMul", [In((8,)), w(8)]),
    Case("Gemm", [FLAT, w(8, 3), w(3)]),
    Case("Gemm", [In((1, 8)), w(3, 8), w(1, 3)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    Case("Gemm", [FLAT, w(8, 3), w(6, 1)], {"alpha": 0.5}),
    Case("Gemm", [FLAT, In((3, 8)), NUMBER], {"transB": 1, "beta": 0.5}),
    Case("Gemm", [In((8, 6)), w(8, 3)], {"transA": 1}),
    Case("Gemm", [w(5, 6), FLAT, In((5, 8))]),
    Case("Einsum", [FLAT, w(8, 3)], {"equation": "ij,jk->ik"}),
    Case("Einsum", [FLAT, FLAT], {"equation": "ab, ab -> a"}),
    # (time points, batch, features)
    Case("LSTM", [In((5, 2, 3)), w(1, 16, 3), w(1, 16, 4), w(1, 32)], {"hidden_size": 4}, 3),
    Case("LSTM", [In((5, 1, 3)), w(2, 16, 3), w(2, 16, 4), None, None, In((2, 1, 4)), w(2, 1, 4)],
         {"hidden_size": 4, "direction": "bidirectional"}, 3),
    Case("GRU", [In((5, 1, 3)), w(1, 12, 3), w(1, 12, 4)], {"hidden_size": 4}, 2),
    Case("RNN", [w(5, 1, 3), w(1, 4, 3), w(1, 4, 4), None, None, In((1, 1, 4))], {"hidden_size": 4}, 2),
]  # fmt: skip


@pytest.mark.parametrize("merged", [False, True], ids=["front", "merged"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_an_operator_takes_windows_apart(case: Case, merged: bool) -> None:
    assert compare(case.model(merged), case.inputs) < ROUNDED


def test_every_rule_has_a_case() -> None:
    plain = {"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Cos", "Cosh", "Elu"}
    plain |= {"Floor", "Gelu", "HardSigmoid", "HardSwish", "IsInf", "IsNaN", "Log", "Mish", "Reciprocal", "Selu"}
    plain |= {"Shrink", "Sign", "Sin", "Sinh", "Softsign", "Tan", "ThresholdedRelu"}  # as Abs
    pairs = {"BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "GreaterOrEqual", "Less", "LessOrEqual"}
    pairs |= {"Mean", "Min", "Mod", "Or", "Sum", "Xor"}  # as Add
    more = {"ConvInteger", "GlobalLpPool", "LpPool", "QLinearConv"}  # as Conv
    more |= {"ReduceL1", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}  # as ReduceSum
    assert set(RULES) == {case.kind for case in CASES} | plain | pairs | more


REFUSED: list[tuple[Case, str]] = [
    (Case("NonZero", [FLAT]), "differs from window to window"),
    (Case("DynamicQuantizeLinear", [FLAT], outputs=3), "differs from window to window"),
    (Case("Conv", [IMAGE, In((3, 4, 3, 3))]), "'a1' differs from window to window"),
    (Case("MaxPool", [IMAGE], {"kernel_shape": [2, 2]}, 2), "count through the whole batch"),
    (Case("ReduceMean", [FLAT, None], {"noop_with_empty_axes": 1}), "reduces no axis"),
    (Case("Resize", [TWO, None, f(2, 1, 1, 2)], {"mode": "linear"}), "mixes places along the first axis"),
    (Case("Resize", [TWO, None, f(2, 2)], {"mode": "nearest", "axes": [-4, -1]}), "the first of a window among them"),
    (Case("Einsum", [FLAT, FLAT], {"equation": "ij,jk"}), "equation"),
    (Case("Reshape", [FLAT, In((2,), "int64", 1, 2)]), "differs from window to window"),
    (Case("RandomNormalLike", [FLAT]), "other numbers each time"),
    (Case("Pad", [FLAT, In((4,), "int64", 1, 2)]), "no constant"),
    (Case("Slice", [FLAT, i(9), i(9), i(0)]), "empty"),
]


@pytest.mark.parametrize(("case", "why"), REFUSED, ids=lambda each: each.kind if isinstance(each, Case) else "")
def test_what_would_mix_windows_is_refused(case: Case, why: str) -> None:
    with pytest.raises(PipelineError, match=rf"found the operator {case.kind} of the node 'the node', .*{why}"):
        rewrite(case.model())


def test_operators_of_others_are_refused() -> None:
    node = helper.make_node("Gelu", ["a"], ["y"], domain="com.microsoft")
    model = graph_of([node], {"a": FLAT}, ["y"], [])
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(PipelineError, match=r"operator com\.microsoft\.Gelu"):
        rewrite(model)


def test_bodies_that_read_a_window_are_refused() -> None:
    """Also where they read it past their node's inputs."""
    body = helper.make_graph(
        [helper.make_node("Neg", ["a"], ["b"])], "body", [], [helper.make_empty_tensor_value_info("b")]
    )
    node = helper.make_node("If", ["yes"], ["y"], then_branch=body, else_branch=body)
    model = graph_of([node], {"a": FLAT}, ["y"], [helper.make_tensor("yes", 9, [], [True])])
    with pytest.raises(PipelineError, match="operator If"):
        rewrite(model)


def test_random_numbers_in_a_body_are_refused() -> None:
    """They read nothing of a window, but each run would draw its own."""
    inner = helper.make_node("RandomNormal", [], ["b"], shape=[2])
    body = helper.make_graph([inner], "body", [], [helper.make_tensor_value_info("b", 1, [2])])
    node = helper.make_node("If", ["yes"], ["y"], then_branch=body, else_branch=body)
    model = graph_of([node], {"a": FLAT}, ["y"], [helper.make_tensor("yes", 9, [], [True])])
    with pytest.raises(PipelineError, match=r"operator If .* other numbers each time"):
        rewrite(model)


def test_an_answer_that_is_the_same_for_all_windows_is_repeated() -> None:
    nodes = [helper.make_node("Neg", ["k"], ["y"]), helper.make_node("Neg", ["a"], ["z"])]
    constant = helper.make_tensor("k", 1, [2], [1.0, 2.0])
    assert compare(graph_of(nodes, {"a": FLAT}, ["y", "z", "k"], [constant]), [FLAT]) == 0


def test_an_answer_may_be_read_inside_and_be_an_input() -> None:
    """Names of answers are those of tensors of other sizes inside."""
    nodes = [helper.make_node("Neg", ["a"], ["y"]), helper.make_node("Abs", ["y"], ["z"])]
    assert compare(graph_of(nodes, {"a": FLAT}, ["y", "z"], []), [FLAT]) == 0
    model = graph_of(nodes, {"a": FLAT}, ["y", "z"], [])
    model.graph.output[0].CopyFrom(model.graph.input[0])
    assert compare(model, [FLAT]) == 0


def test_old_opsets_are_refused() -> None:
    model = graph_of([helper.make_node("Neg", ["a"], ["y"])], {"a": FLAT}, ["y"], [], opset=13)
    with pytest.raises(PipelineError, match="opset 13, expected 18"):
        rewrite(model)
