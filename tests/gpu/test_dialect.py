"""Graphs for the CUDA provider: bit for bit the same answers, in operators that it has kernels for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from benchmarks.graphs._packages import one_convolution
from onnx import TensorProto, helper, numpy_helper

from onscope.runtime.engines.cuda._dialect import for_cuda
from onscope.runtime.engines.tensorrt import kinds_of
from onscope.runtime.graph import HostScalars, Raw, compile_group

from ..graph.run import request
from ..tensorrt.test_dialect import RECIPES, answers, compiled_with_arrays, graph

ALL = "bool float float16 int32 int64 uint8 uint16"
FLOATS = "float float16 int32 int64"
KERNELS = {
    **dict.fromkeys(
        ("Cast", "Concat", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"), ALL
    ),
    **dict.fromkeys(("Add", "Mul", "Sub"), "float float16 int32 int64 uint8 uint16"),
    **dict.fromkeys(("Max", "Min", "Greater"), FLOATS),
    **dict.fromkeys(("Conv", "Reciprocal", "Relu", "Sigmoid", "Tanh", "Floor"), "float float16"),
    "Clip": "float float16 int64 uint8",
    "Equal": f"bool {FLOATS}",
    "Where": "float float16 int32 int64 uint8",
}
"""What ONNX Runtime's docs/OperatorKernels.md (main, 2026) lists for the CUDA provider, for what graphs here use."""
NAMES = {"FLOAT": "float", "FLOAT16": "float16", "BOOL": "bool"}


def lacking(model: Any) -> set[str]:
    """Operators of a graph with a type that the provider has no kernel for."""
    kinds = kinds_of(model)
    found = set()
    for node in model.graph.node:
        name = TensorProto.DataType.Name(kinds[node.input[0 if node.op_type != "Where" else 1]])
        if NAMES.get(name, name.lower()) not in KERNELS.get(node.op_type, "").split():
            found.add(f"{node.op_type} {name}")
    return found


@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
def test_networks_that_are_normalised_in_one_pass_are_whole_on_the_gpu(dtype: str, tmp_path: Path) -> None:
    raw = Raw((24, 32), dtype)
    compiled = compile_group([request(one_convolution(tmp_path / "one"))], raw, cache=tmp_path / "cache")
    frame = np.random.default_rng(1).integers(0, 250, raw.shape).astype(dtype)
    model = onnx.load(compiled.path)
    assert "DequantizeLinear" in {node.op_type for node in model.graph.node}
    made = for_cuda(model)
    assert lacking(made) <= ({"DequantizeLinear uint8"} if dtype == "uint8" else set())
    arrays = [frame, *HostScalars(compiled.scalars, raw).values([frame])]
    feeds = dict(zip([each.name for each in model.graph.input], arrays, strict=True))
    for found, wanted in zip(answers(made, feeds), answers(model, feeds), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("dtype", ["uint16", "uint8", "float32"])
def test_compiled_graphs_are_whole_on_the_gpu_and_give_the_same_answers(name: str, dtype: str, tmp_path: Path) -> None:
    model, arrays = compiled_with_arrays(RECIPES[name], dtype, tmp_path)
    changed = for_cuda(model)
    onnx.checker.check_model(changed, full_check=True)
    assert not lacking(changed)
    feeds = dict(zip([each.name for each in model.graph.input], arrays, strict=True))
    for found, wanted in zip(answers(changed, feeds), answers(model, feeds), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_what_the_provider_can_do_is_left_as_it_is() -> None:
    model = graph(
        [helper.make_node("Transpose", ["in"], ["turned"]), helper.make_node("Add", ["turned", "turned"], ["out"])],
        {"in": (TensorProto.UINT16, [3, 4])},
        {"out": (TensorProto.UINT16, [4, 3])},
    )
    assert for_cuda(model) is model


def test_counts_that_are_compared_are_carried_in_float() -> None:
    nodes = [
        helper.make_node("Max", ["in", "least"], ["raised"]),
        helper.make_node("Greater", ["raised", "least"], ["above"]),
        helper.make_node("Where", ["above", "raised", "most"], ["out"]),
    ]
    model = graph(
        nodes,
        {"in": (TensorProto.UINT16, [3, 4])},
        {"out": (TensorProto.UINT16, [3, 4])},
        {"least": np.uint16(400), "most": np.uint16(65535)},
    )
    assert lacking(model) == {"Max UINT16", "Greater UINT16", "Where UINT16"}
    changed = for_cuda(model)
    assert not lacking(changed)
    array = np.random.default_rng(0).integers(0, 65536, (3, 4)).astype(np.uint16)
    wanted = np.where(array > 400, array, 65535).astype(np.uint16)  # the CPU provider cannot run it either
    np.testing.assert_array_equal(answers(changed, {"in": array})[0], wanted)


@pytest.mark.parametrize("bounds", [("low", "high"), ("low",), ("", "high"), ()])
def test_whole_numbers_are_cut_by_max_and_min(bounds: tuple[str, ...]) -> None:
    held = {name: np.array(value, np.int32) for name, value in (("low", -3), ("high", 9)) if name in bounds}
    model = graph(
        [helper.make_node("Clip", ["in", *bounds], ["out"])],
        {"in": (TensorProto.INT32, [40])},
        {"out": (TensorProto.INT32, [40])},
        held,
    )
    changed = for_cuda(model)
    assert not lacking(changed)
    array = np.arange(-20, 20, dtype=np.int32)
    np.testing.assert_array_equal(answers(changed, {"in": array})[0], answers(model, {"in": array})[0])


def test_what_cannot_be_said_otherwise_is_left_to_onnxruntime() -> None:
    model = graph(
        [helper.make_node("Mod", ["in", "two"], ["out"])],
        {"in": (TensorProto.UINT16, [4])},
        {"out": (TensorProto.UINT16, [4])},
        {"two": np.uint16(2)},
    )
    assert [node.op_type for node in for_cuda(model).graph.node] == ["Mod"]
    assert numpy_helper.to_array(for_cuda(model).graph.initializer[0]).dtype == np.uint16
