"""Shapes that ONNX files come in: functions, sequences, branches, weights as inputs, operator sets old and new."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onscope.export.routes import load
from onscope.runtime import Package

from .onnx_files import answers_of, close, convolution, exported, package_answers, pixels, written

SIZES = ("n", 1, "h", "w")
MOST = np.float32(0.1)
CONV = helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1])


def functions(path: Path) -> Path:
    """A function that calls another one, each in a domain of its own."""
    opsets = [helper.make_opsetid("", 17)]
    inner = helper.make_function("inner", "Half", ["a"], ["b"], [helper.make_node("Sigmoid", ["a"], ["b"])], opsets)
    nodes = [helper.make_node("Half", ["a"], ["m"], domain="inner"), helper.make_node("Neg", ["m"], ["b"])]
    outer = helper.make_function("outer", "Both", ["a"], ["b"], nodes, [*opsets, helper.make_opsetid("inner", 1)])
    call = helper.make_node("Both", ["c"], ["y"], domain="outer")
    written(path, [CONV], SIZES, 17, {"w": convolution()}, outputs=("c",))
    model = onnx.load(path)
    model.graph.node.append(call)
    model.graph.output[0].name = "y"
    model.opset_import.extend([helper.make_opsetid("outer", 1), helper.make_opsetid("inner", 1)])
    model.functions.extend([outer, inner])
    onnx.save(model, path)
    return path


def sequences(path: Path) -> Path:
    nodes = [
        CONV,
        helper.make_node("SplitToSequence", ["c"], ["s"], axis=1),
        helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=1),
    ]
    return written(path, nodes, SIZES, 13, {"w": convolution()}, rank=4)


def branches(path: Path) -> Path:
    """Which way is taken depends on the pixels, and both read what lies around them."""
    answer = helper.make_tensor_value_info("o", TensorProto.FLOAT, None)
    ways = [helper.make_graph([helper.make_node(kind, ["c"], ["o"])], kind, [], [answer]) for kind in ("Relu", "Neg")]
    nodes = [
        CONV,
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "most"], ["bright"]),
        helper.make_node("If", ["bright"], ["y"], then_branch=ways[0], else_branch=ways[1]),
    ]
    return written(path, nodes, SIZES, 17, {"w": convolution(), "most": np.float32(1.2)})


def weights_as_inputs(path: Path) -> Path:
    """As files before IR 4 are."""
    written(path, [CONV], SIZES, 9, {"w": convolution()}, outputs=("c",))
    model = onnx.load(path)
    model.ir_version = 3
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, (2, 1, 3, 3)))
    onnx.save(model, path)
    return path


def whole_numbers(path: Path) -> Path:
    """The class of each pixel."""
    nodes = [CONV, helper.make_node("ArgMax", ["c"], ["y"], axis=1)]
    written(path, nodes, SIZES, 13, {"w": convolution()})
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.save(model, path)
    return path


def true_and_false(path: Path) -> Path:
    """A mask."""
    written(
        path, [CONV, helper.make_node("Greater", ["c", "most"], ["y"])], SIZES, 13, {"w": convolution(), "most": MOST}
    )
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.BOOL
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("make", [functions, sequences, branches, weights_as_inputs, whole_numbers, true_and_false])
def test_forms(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path / "form.onnx")
    report = exported(path)
    for gain in (1, 2):  # the second is brighter, and takes the other branch
        frames = gain * pixels(1, 1, 23, 31)
        (found,), (wanted,) = package_answers(report.folder, frames), answers_of(path, frames)
        assert found.dtype == wanted.dtype
        assert close(found.astype(np.float64), wanted.astype(np.float64))


@pytest.mark.parametrize("opset", [21, 23])
@pytest.mark.parametrize("chained", [1, 3])
def test_group_normalisation(tmp_path: Path, opset: int, chained: int) -> None:
    """onnx knows no sizes behind it, and cannot bring it from one opset to another."""
    side = np.array([0.5, 1.5], np.float32)
    names = ["c", *(f"n{n}" for n in range(1, chained)), "y"]
    norms = [
        helper.make_node("GroupNormalization", [a, "side", "side"], [b], num_groups=2)
        for a, b in itertools.pairwise(names)
    ]
    path = written(tmp_path / "groups.onnx", [CONV, *norms], SIZES, opset, {"w": convolution(), "side": side})
    report = exported(path)
    assert any("GroupNormalization became" in note for note in report.notes)
    frames = pixels(1, 1, 23, 31)
    assert close(package_answers(report.folder, frames)[0], answers_of(path, frames)[0])


@pytest.mark.parametrize("opset", [22, 23, 24, 25, 26])
def test_operator_sets_that_are_newer(tmp_path: Path, opset: int) -> None:
    nodes = [
        CONV,
        helper.make_node("Resize", ["c", "", "scales"], ["r"], mode="linear"),
        helper.make_node("Softmax", ["r"], ["y"], axis=1),
    ]
    weights = {"w": convolution(), "scales": np.array([1, 1, 2, 2], np.float32)}
    path = written(tmp_path / "new.onnx", nodes, SIZES, opset, weights)
    report = exported(path)
    assert any(f"written in opset {opset}, labelled as opset 20" in note for note in report.notes)
    package = Package.load(report.folder)
    assert package.outputs[0].scale == 2
    frames = pixels(2, 1, 17, 30)
    assert close(package_answers(report.folder, frames)[0], answers_of(path, frames)[0])


@pytest.mark.parametrize(
    ("sizes", "axes", "fixed"),
    [
        (("n", 1, "h", "w"), "bcyx", False),
        (("s", "s", "s", "s"), "bcyx", False),
        ((-5, 1, -5, -5), "bcyx", False),
        ((4, 1, 32, 32), "bcyx", False),
        ((3, None, None), "cyx", False),
        ((None, None), "yx", False),
        ((1, 1, 5, None, None), "bczyx", False),
        ((None, None, None, 3), "byxc", False),
    ],
)
def test_stated_sizes(tmp_path: Path, sizes: Any, axes: str, fixed: bool) -> None:
    """Names that claim to be equal, and sizes that are none, bind nobody; the batch of a file does not either."""
    path = written(tmp_path / "sizes.onnx", [helper.make_node("Tanh", ["x"], ["y"])], sizes, 13)
    stated = load(path).stated
    assert (stated.axes, stated.output_axes, stated.fixed) == (axes, (axes,), fixed)
    assert exported(path).passed


PADS = np.array([0, 0, 3, 3, 0, 0, 3, 3])
UNPADDED = helper.make_node("Conv", ["x", "w"], ["c"])
CROPS: dict[str, tuple[list[Any], float, int, int]] = {
    "unpadded": ([helper.make_node("Conv", ["x", "w"], ["y"])], 1, -2, 1),
    "enlarged": ([UNPADDED, helper.make_node("Resize", ["c", "", "scales"], ["y"], mode="nearest")], 2, -4, 1),
    "pooled": ([UNPADDED, helper.make_node("MaxPool", ["c"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], 0.5, -1, 2),
    "padded": ([UNPADDED, helper.make_node("Pad", ["c", "pads"], ["y"], mode="edge")], 1, 4, 1),
}


@pytest.mark.parametrize("sizes", [SIZES, (1, 1, 40, 56)])
@pytest.mark.parametrize("case", CROPS)
def test_answers_that_are_some_pixels_smaller_or_larger(tmp_path: Path, case: str, sizes: Any) -> None:
    nodes, scale, offset, step = CROPS[case]
    weights = {"w": convolution(), "pads": PADS, "scales": np.array([1, 1, 2, 2], np.float32)}
    used = {name for node in nodes for name in node.input}
    path = written(tmp_path / "crop.onnx", nodes, sizes, 13, {name: weights[name] for name in weights.keys() & used})
    stated = load(path).stated
    assert (stated.fixed, stated.step) == (False, step)
    assert [dict(form.offset) for form in stated.forms] == [{"y": offset, "x": offset}]
    report = exported(path)
    output = Package.load(report.folder).outputs[0]
    follows = output.described[2].size.follows
    assert follows is not None
    assert (output.scale, follows.offset) == (scale, offset)
    if sizes is SIZES:
        frames = pixels(2, 1, 26, 38)
        assert close(package_answers(report.folder, frames)[0], answers_of(path, frames)[0])


def test_a_crop_along_one_side_is_none_of_them(tmp_path: Path) -> None:
    node = helper.make_node("Pad", ["x", "pads"], ["y"], mode="edge")
    path = written(tmp_path / "side.onnx", [node], SIZES, 13, {"pads": np.array([0, 0, 3, 0, 0, 0, 3, 0])})
    assert load(path).stated.axes == ""
