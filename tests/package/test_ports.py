"""Described tensors and the graph's: the order decides, dtypes and numbers of axes must agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from onscope.runtime import Package, PackageError

from .networks import Tensor, graph, new, write

AXES = [{"type": "space", "id": "y", "size": 8}, {"type": "space", "id": "x", "size": 8}]
F32 = "float32"


def tensor(id: str, dtype: str = F32, **more: Any) -> dict[str, Any]:
    return {"id": id, "axes": AXES, "data": {"type": dtype}, **more}


def load(folder: Path, inputs: list[Any], outputs: list[Any], takes: list[Tensor], gives: list[Tensor]) -> Package:
    return Package.load(write(folder / "package", new(inputs, outputs), graph(takes, gives)))


def test_by_position_whatever_the_names(tmp_path: Path) -> None:
    takes = [("b", F32, 2), ("a", F32, 2)]
    package = load(tmp_path, [tensor("a"), tensor("b")], [tensor("c")], takes, [("b_out", F32, 2)])
    assert [(one.name, one.graph_name) for one in package.inputs] == [("a", "b"), ("b", "a")]


def test_further_outputs_are_left_alone(tmp_path: Path) -> None:
    gives = [("one", F32, 2), ("two", F32, 3)]
    package = load(tmp_path, [tensor("a")], [tensor("c")], [("a", F32, 2)], gives)
    assert [one.graph_name for one in package.outputs] == ["one"]


def test_an_optional_input_without_a_place_is_left_out(tmp_path: Path) -> None:
    inputs = [tensor("a"), tensor("hint", optional=True)]
    package = load(tmp_path, inputs, [tensor("c")], [("a", F32, 2)], [("one", F32, 2)])
    assert [(one.name, one.optional) for one in package.inputs] == [("a", False)]


def test_an_optional_input_that_the_graph_needs(tmp_path: Path) -> None:
    inputs = [tensor("a"), tensor("hint", optional=True)]
    package = load(tmp_path, inputs, [tensor("c")], [("a", F32, 2), ("b", F32, 2)], [("one", F32, 2)])
    assert [(one.graph_name, one.optional) for one in package.inputs] == [("a", False), ("b", False)]


def test_an_optional_input_that_the_graph_has_a_value_for(tmp_path: Path) -> None:
    model = graph([("hint", F32, 2), ("a", F32, 2)], [("one", F32, 2)])
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((8, 8), np.float32), "hint"))
    content = new([tensor("a"), tensor("hint", optional=True)], [tensor("c")])
    package = Package.load(write(tmp_path / "package", content, model))
    assert [(one.graph_name, one.optional) for one in package.inputs] == [("a", False), ("hint", True)]


def test_weights_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    """So do graphs of before IR version 4 have it."""
    model = graph([("a", F32, 2), ("weight", F32, 2)], [("one", F32, 2)], opset=9, ir=3)
    shape = next(each for each in model.graph.initializer if each.name == "shape0")
    model.graph.input.append(onnx.helper.make_tensor_value_info(shape.name, shape.data_type, shape.dims))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((8, 8), np.float32), "weight"))
    package = Package.load(write(tmp_path / "package", new([tensor("a")], [tensor("c")]), model))
    assert [one.graph_name for one in package.inputs] == ["a"]


def test_what_the_steps_end_with_reaches_the_network(tmp_path: Path) -> None:
    """Counts of uint16 are described, float32 goes in; float32 comes out, uint8 is described."""
    scale = {"id": "scale_linear", "kwargs": {"gain": 0.5}}
    cast = {"id": "ensure_dtype", "kwargs": {"dtype": F32}}
    inputs = [tensor("a", "uint16", preprocessing=[scale, cast])]
    package = load(tmp_path, inputs, [tensor("c", "uint8")], [("a", F32, 2)], [("one", F32, 2)])
    (given,), (got,) = package.inputs, package.outputs
    assert (given.dtype, given.processing) == (F32, ("ensure_dtype", "scale_linear", "ensure_dtype"))
    assert dict(given.steps[0].arguments) == {"dtype": "uint16"}
    assert (got.dtype, got.processing, dict(got.steps[0].arguments)) == (F32, ("ensure_dtype",), {"dtype": "uint8"})


@pytest.mark.parametrize(
    ("takes", "gives", "words"),
    [
        ([("a", F32, 2), ("b", F32, 2)], [("c", F32, 2)], "found 2 inputs in the ONNX file, expected 1 as described"),
        ([("a", F32, 2)], [], "found 0 outputs in the ONNX file, expected 1|not valid ONNX|without any operator"),
        ([("a", "float64", 2)], [("c", F32, 2)], "described as float32 when it reaches the network, but float64"),
        ([("a", F32, 3)], [("c", F32, 2)], "described with 2 axes, but 3 in the ONNX file"),
        ([("a", F32, 2)], [("c", F32, 4)], "output 'c' described with 2 axes, but 4 in the ONNX file"),
        ([("a", F32, 2)], [("c", "complex64", 2)], "output 'c' of complex64, expected numbers"),
    ],
)
def test_a_graph_that_is_not_the_described_one(
    tmp_path: Path, takes: list[Tensor], gives: list[Tensor], words: str
) -> None:
    with pytest.raises(PackageError, match=words):
        load(tmp_path, [tensor("a")], [tensor("c")], takes, gives)


@pytest.mark.parametrize("dtype", ["float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_every_dtype_of_the_format_reaches_the_network(tmp_path: Path, dtype: str) -> None:
    from onscope.runtime.engines import open_session

    package = load(tmp_path, [tensor("a", dtype)], [tensor("c", dtype)], [("a", dtype, 2)], [("c", dtype, 2)])
    session = open_session(package.weights, "cpu", 1)
    assert (session.inputs[0].dtype, session.outputs[0].dtype) == (dtype, dtype)
