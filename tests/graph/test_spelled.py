"""GroupNormalization, which onnx knows no sizes behind, is written as operators whose sizes follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from onscope.runtime import PackageError
from onscope.runtime.graph import Raw, compile_group, spell_out

from .run import opened
from .written import FRAME, RAW, stage

Array = np.ndarray[Any, Any]
FLOAT_RAW: Raw = replace(RAW, dtype="float32")


def normalised(image: Array, groups: int, scale: Array, bias: Array, epsilon: float = 1e-5) -> Array:
    """As ONNX defines it, in float64: `image` (batch, channels, ...)."""
    image, channels = image.astype(np.float64), image.shape[1]
    parts = image.reshape(len(image), groups, -1)
    parts = (parts - parts.mean(2, keepdims=True)) / np.sqrt(parts.var(2, keepdims=True) + epsilon)
    each = [np.repeat(side, channels // len(side)).reshape(-1, *[1] * (image.ndim - 2)) for side in (scale, bias)]
    return np.asarray(parts.reshape(image.shape) * each[0] + each[1])


def model_of(opset: int, scale: Array, bias: Array, image: Array, groups: int, **more: Any) -> ModelProto:
    dtype = helper.np_dtype_to_tensor_dtype(image.dtype)
    nodes = [
        helper.make_node("GroupNormalization", ["x", "scale", "bias"], ["spelled_1"], "n", num_groups=groups, **more),
        helper.make_node("Neg", ["spelled_1"], ["y"]),
    ]
    sizes = [None] * image.ndim
    sizes[1] = image.shape[1]
    held = [numpy_helper.from_array(side, name) for side, name in ((scale, "scale"), (bias, "bias"))]
    inputs, outputs = ([helper.make_tensor_value_info(name, dtype, sizes)] for name in "xy")
    graph = helper.make_graph(nodes, "g", inputs, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def run(model: ModelProto, image: Array) -> Array:
    return np.asarray(onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": image})[0])


@settings(max_examples=40, deadline=None)
@given(
    opset=st.sampled_from((18, 20, 21, 23)),
    groups=st.integers(1, 4),
    per_group=st.integers(1, 3),
    spatial=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    batch=st.integers(1, 2),
    half=st.booleans(),
    epsilon=st.sampled_from((1e-5, 1e-2)),
    seed=st.integers(0, 99),
)
def test_it_is_what_onnx_defines(
    opset: int, groups: int, per_group: int, spatial: list[int], batch: int, half: bool, epsilon: float, seed: int
) -> None:
    chance, channels = np.random.default_rng(seed), groups * per_group
    dtype = np.float16 if half else np.float32
    image = chance.normal(3, 2, (batch, channels, *spatial)).astype(dtype)
    scale, bias = (chance.normal(1, 0.5, channels if opset >= 21 else groups).astype(dtype) for _ in range(2))
    model = model_of(opset, scale, bias, image, groups, epsilon=epsilon)
    assert spell_out(model) == 1
    assert spell_out(model) == 0
    onnx.checker.check_model(model, full_check=True)
    found = run(model, image)
    assert found.dtype == dtype
    tolerance = 2e-2 if half else 1e-4
    assert np.allclose(-found.astype(np.float64), normalised(image, groups, scale, bias, epsilon), tolerance, tolerance)


def test_sizes_behind_it_are_known(tmp_path: Path) -> None:
    """Of a package of others, whose file has it still: its answers are those of the definition."""
    chance = np.random.default_rng(0)
    weights = {
        "w": chance.normal(0, 0.3, (4, 1, 3, 3)).astype(np.float32),
        "back": chance.normal(0, 0.3, (1, 4, 1, 1)).astype(np.float32),
        "scale": np.linspace(0.5, 2, 4).astype(np.float32),
        "bias": np.linspace(-1, 1, 4).astype(np.float32),
    }
    before = [helper.make_node("Conv", ["image", "w"], ["c"], pads=[1] * 4)]
    norm = helper.make_node("GroupNormalization", ["c", "scale", "bias"], ["n"], num_groups=2)
    after = [helper.make_node("Relu", ["n"], ["r"]), helper.make_node("Conv", ["r", "back"], ["answer"])]
    request = stage(tmp_path, [*before, norm, *after], weights, opset=21)
    compiled = compile_group([request], FLOAT_RAW, cache=tmp_path)
    (answer,) = compiled.answers
    assert answer.shape[-2:] == FRAME.shape
    image = FRAME.astype(np.float32) / 4096
    (found,) = opened([request], FLOAT_RAW, tmp_path).run([image]).values()
    padded = np.pad(image, 1)
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    inner = np.einsum("yxij,cij->cyx", views, weights["w"][:, 0])
    wanted = np.maximum(normalised(inner[None], 2, weights["scale"], weights["bias"])[0], 0)
    assert np.allclose(np.squeeze(found), np.einsum("cyx,c->yx", wanted, weights["back"][0, :, 0, 0]), atol=1e-4)


def test_in_the_branch_of_a_condition_and_with_a_scale_that_is_reckoned() -> None:
    image = np.random.default_rng(1).normal(size=(1, 4, 6, 5)).astype(np.float32)
    side = np.arange(1, 5, dtype=np.float32)
    some = helper.make_tensor_value_info("o", TensorProto.FLOAT, None)
    doubled = helper.make_node("Add", ["side", "side"], ["scale"])
    norm = helper.make_node("GroupNormalization", ["x", "scale", "side"], ["o"], num_groups=2)
    ways = [
        helper.make_graph([doubled, norm], "then", [], [some]),
        helper.make_graph([helper.make_node("Neg", ["x"], ["o"])], "else", [], [some]),
    ]
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "zero"], ["some"]),
        helper.make_node("If", ["some"], ["y"], then_branch=ways[0], else_branch=ways[1]),
    ]
    held = [numpy_helper.from_array(side, "side"), numpy_helper.from_array(np.zeros((), np.float32), "zero")]
    inputs, outputs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, None, None])] for name in "xy")
    graph = helper.make_graph(nodes, "g", inputs, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    assert spell_out(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert np.allclose(run(model, image), normalised(image, 2, 2 * side, side), atol=1e-4)
    assert np.array_equal(run(model, -np.abs(image)), np.abs(image))


def test_one_without_groups_is_refused() -> None:
    image, side = np.zeros((1, 2, 3, 3), np.float32), np.ones(2, np.float32)
    model = model_of(21, side, side, image, 2)
    del model.graph.node[0].attribute[:]
    with pytest.raises(PackageError, match="num_groups"):
        spell_out(model)
