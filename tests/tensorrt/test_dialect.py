"""Graphs in TensorRT's types: bit for bit the same answers, and refusals where that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from benchmarks.graphs._packages import one_convolution
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onscope.runtime import Package, ProviderError
from onscope.runtime.engines.tensorrt._dialect import Translated, translated
from onscope.runtime.graph import HostScalars, Raw, compile_group

from ..graph import generated
from ..graph.generated import Recipe
from ..graph.run import request

PLAIN = ("scale_linear", {"gain": 0.5, "offset": 3.0})
PERCENTILES = ("scale_range", {"axes": ["y", "x"], "min_percentile": 1.0, "max_percentile": 99.0})
VARIANCE = ("zero_mean_unit_variance", {"axes": ["y", "x"]})
RECIPES = {
    "conv": Recipe(pre=(PLAIN,), described="uint16", answered="uint16", post=(("scale_linear", {"gain": 9.0}),)),
    "bytes": Recipe(pre=(PLAIN,), described="uint8", answered="uint8", post=(("scale_linear", {"gain": 9.0}),)),
    "percentiles": Recipe(pre=(PERCENTILES, ("clip", {"min": 0.0, "max": 1.0})), described="uint16"),
    "variance": Recipe(pre=(VARIANCE,), described="uint16"),
    "binary": Recipe(pre=(PLAIN,), described="uint16", post=(("binarize", {"threshold": 0.5}),)),
    "two outputs": Recipe(network="two_outputs", described="uint16"),
    "recurrent": Recipe(recurrent=True, described="uint16"),
    "stack": Recipe(layout="bczyx", described="uint16", frames=3),
}


def answers(model: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, feeds))


def through_bytes(read: Translated, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """What a caller of an engine does: bytes in, bytes out."""
    feeds = {
        port.name: array[..., np.newaxis].view(np.uint8) if port.as_bytes else array
        for port, array in zip(read.inputs, arrays, strict=True)
    }
    found = answers(read.model, feeds)
    return [
        array.view(np.uint16)[..., 0] if port.as_bytes else array
        for port, array in zip(read.outputs, found, strict=True)
    ]


def compiled_with_arrays(recipe: Recipe, dtype: str, folder: Path) -> tuple[Any, list[np.ndarray]]:
    """The compiled graph of a recipe's package, and arrays for its inputs."""
    package = Package.load(generated.write(folder / "package", recipe))
    frames = recipe.frames if "z" in recipe.layout else 1
    raw = Raw(recipe.side, dtype, length=frames, letter="z" if frames > 1 else "t")
    compiled = compile_group([request(package)], raw, cache=folder / "cache")
    random = np.random.default_rng(3)
    window = [(random.random(recipe.side) * 250).astype(dtype) for _ in range(frames)]
    states = [np.zeros(state.shape, state.dtype) for state in compiled.states]
    arrays = [*window[: compiled.frames], *HostScalars(compiled.scalars, raw).values(window), *states]
    return onnx.load(compiled.path), arrays


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("dtype", ["uint16", "uint8", "float32"])
def test_compiled_graphs_give_the_same_answers(name: str, dtype: str, tmp_path: Path) -> None:
    model, arrays = compiled_with_arrays(RECIPES[name], dtype, tmp_path)
    read = translated(model)
    onnx.checker.check_model(read.model, full_check=True)
    wanted = answers(model, dict(zip([each.name for each in model.graph.input], arrays, strict=True)))
    for port, found, expected in zip(read.outputs, through_bytes(read, arrays), wanted, strict=True):
        assert (str(found.dtype), found.shape) == (port.dtype, port.shape) == (str(expected.dtype), expected.shape)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scale", [np.float32(0.37), np.float16(0.37)])
@pytest.mark.parametrize("zero", [None, 0, 40000])
def test_a_scale_that_is_measured_is_spelled_out(scale: Any, zero: int | None) -> None:
    """As frames are normalised by their own statistics: TensorRT wants the scales of these nodes to be constants."""
    kind = helper.np_dtype_to_tensor_dtype(scale.dtype)
    given = {"in": (TensorProto.UINT16, [5, 7]), "scale": (kind, []), "zero": (TensorProto.UINT16, [])}
    names = ["in", "scale"] + ["zero"] * (zero is not None)
    inputs = {name: given[name] for name in names}
    model = graph([helper.make_node("DequantizeLinear", names, ["out"])], inputs, {"out": (kind, [5, 7])})
    counts = np.random.default_rng(0).integers(0, 65536, (5, 7)).astype(np.uint16)
    arrays = [counts, np.asarray(scale), np.asarray(zero or 0, np.uint16)][: len(names)]
    read = translated(model)
    assert "DequantizeLinear" not in {node.op_type for node in read.model.graph.node}
    (found,), (wanted,) = through_bytes(read, arrays), answers(model, dict(zip(names, arrays, strict=True)))
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
def test_networks_that_are_normalised_in_one_pass_give_the_same_answers(dtype: str, tmp_path: Path) -> None:
    package = one_convolution(tmp_path / "one")
    raw = Raw((24, 32), dtype)
    compiled = compile_group([request(package)], raw, cache=tmp_path / "cache")
    model = onnx.load(compiled.path)
    assert "DequantizeLinear" in {node.op_type for node in model.graph.node}
    frame = np.random.default_rng(1).integers(0, 250, raw.shape).astype(dtype)
    arrays = [frame, *HostScalars(compiled.scalars, raw).values([frame])]
    wanted = answers(model, dict(zip([each.name for each in model.graph.input], arrays, strict=True)))
    for found, expected in zip(through_bytes(translated(model), arrays), wanted, strict=True):
        np.testing.assert_array_equal(found, expected)


def graph(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], constants: dict[str, Any] | None = None
) -> Any:
    """A model of opset 21; inputs and outputs are (type, shape)."""
    ins, outs = (
        [helper.make_tensor_value_info(name, *kind) for name, kind in each.items()] for each in (inputs, outputs)
    )
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    model = helper.make_graph(nodes, "graph", ins, outs, held)
    return helper.make_model(model, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 65535), min_size=1, max_size=30))
def test_every_count_comes_through_as_it_was(counts: list[int]) -> None:
    shape = [len(counts)]
    model = graph(
        [
            helper.make_node("Cast", ["in"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["f"], ["out"], to=TensorProto.UINT16),
        ],
        {"in": (TensorProto.UINT16, shape)},
        {"out": (TensorProto.UINT16, shape)},
    )
    array = np.array(counts, np.uint16)
    (found,) = through_bytes(translated(model), [array])
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("value", [0.0, 0.99, 1.0, 254.5, 255.99, 256.0, 65535.0])
def test_fractions_are_cut_off_as_a_conversion_does(value: float) -> None:
    model = graph(
        [helper.make_node("Cast", ["in"], ["out"], to=TensorProto.UINT16)],
        {"in": (TensorProto.FLOAT, [1])},
        {"out": (TensorProto.UINT16, [1])},
    )
    array = np.array([value], np.float32)
    assert through_bytes(translated(model), [array]) == answers(model, {"in": array})


def test_counts_may_be_moved_about_and_compared_between() -> None:
    """As they are: chosen from, turned, put together, the larger taken."""
    nodes = [
        helper.make_node("Transpose", ["in"], ["turned"], perm=[1, 0]),
        helper.make_node("Concat", ["turned", "turned"], ["both"], axis=0),
        helper.make_node("Max", ["both", "least"], ["raised"]),
        helper.make_node("Greater", ["raised", "least"], ["above"]),
        helper.make_node("Where", ["above", "raised", "most"], ["out"]),
    ]
    model = graph(
        nodes,
        {"in": (TensorProto.UINT16, [3, 4])},
        {"out": (TensorProto.UINT16, [8, 3])},
        {"least": np.uint16(400), "most": np.uint16(65535)},
    )
    array = np.random.default_rng(0).integers(0, 65536, (3, 4)).astype(np.uint16)
    array[0, 0] = 399
    raised = np.maximum(np.concatenate([array.T, array.T]), 400)
    wanted = np.where(raised > 400, raised, 65535).astype(np.uint16)
    np.testing.assert_array_equal(through_bytes(translated(model), [array])[0], wanted)


REFUSED = {
    "TensorRT cannot do": lambda: graph(
        [helper.make_node("Add", ["in", "in"], ["out"])],
        {"in": (TensorProto.UINT16, [4])},
        {"out": (TensorProto.UINT16, [4])},
    ),
    "wraps around": lambda: graph(
        [helper.make_node("Cast", ["in"], ["out"], to=TensorProto.UINT8)],
        {"in": (TensorProto.UINT16, [4])},
        {"out": (TensorProto.UINT8, [4])},
    ),
    "not fixed": lambda: graph(
        [helper.make_node("Identity", ["in"], ["out"])],
        {"in": (TensorProto.FLOAT, ["n"])},
        {"out": (TensorProto.FLOAT, ["n"])},
    ),
    "in float64, expected": lambda: graph(
        [helper.make_node("Identity", ["in"], ["out"])],
        {"in": (TensorProto.DOUBLE, [4])},
        {"out": (TensorProto.DOUBLE, [4])},
    ),
    "whose scale is no constant": lambda: graph(
        [
            helper.make_node("QuantizeLinear", ["in", "scale"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "scale"], ["out"]),
        ],
        {"in": (TensorProto.FLOAT, [4]), "scale": (TensorProto.FLOAT, [])},
        {"out": (TensorProto.FLOAT, [4])},
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_said_is_refused(words: str) -> None:
    with pytest.raises(ProviderError, match=words):
        translated(REFUSED[words]())


@pytest.mark.parametrize("zero", [np.uint8(0), np.uint8(37), np.uint8(128), np.uint8(255), np.int8(-128), np.int8(9)])
def test_skewed_scales_become_symmetric_ones_that_cut_off_the_same(zero: Any) -> None:
    """Within half a step of the new scale: and never beyond what the 8 bits could hold."""
    scale = np.float32(0.05)
    model = graph(
        [
            helper.make_node("QuantizeLinear", ["in", "scale", "zero"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["out"]),
        ],
        {"in": (TensorProto.FLOAT, [600])},
        {"out": (TensorProto.FLOAT, [600])},
        {"scale": scale, "zero": zero},
    )
    array = np.linspace(-30, 30, 600, dtype=np.float32)
    (wanted,) = answers(model, {"in": array})
    (found,) = through_bytes(translated(model), [array])
    low, high = np.iinfo(zero.dtype).min - int(zero), np.iinfo(zero.dtype).max - int(zero)
    step = scale * max(-low, high) / 127
    assert np.abs(found - wanted).max() <= (step + scale) / 2 + 1e-5
    assert found.min() >= low * scale - step / 2 - 1e-5
    assert found.max() <= high * scale + step / 2 + 1e-5


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT8])
def test_without_a_zero_point_it_is_0_of_the_type_that_is_stated(kind: int) -> None:
    model = graph(
        [
            helper.make_node("QuantizeLinear", ["in", "scale"], ["q"], output_dtype=kind),
            helper.make_node("DequantizeLinear", ["q", "scale"], ["out"]),
        ],
        {"in": (TensorProto.FLOAT, [100])},
        {"out": (TensorProto.FLOAT, [100])},
        {"scale": np.float32(0.1)},
    )
    array = np.linspace(-9, 9, 100, dtype=np.float32)
    (found,), (wanted,) = through_bytes(translated(model), [array]), answers(model, {"in": array})
    assert np.abs(found - wanted).max() <= 0.15 + 1e-5
    assert (found.min() < -1) == (kind == TensorProto.INT8)


def test_biases_in_32_bits_become_what_they_stood_for() -> None:
    model = graph(
        [
            helper.make_node("DequantizeLinear", ["bias", "scale", "zero"], ["b"]),
            helper.make_node("Add", ["in", "b"], ["out"]),
        ],
        {"in": (TensorProto.FLOAT, [3])},
        {"out": (TensorProto.FLOAT, [3])},
        {
            "bias": np.array([-70000, 5, 123456], np.int32),
            "scale": np.array([0.1, 0.2, 0.3], np.float32),
            "zero": np.zeros(3, np.int32),
        },
    )
    model.graph.node[0].attribute.extend([helper.make_attribute("axis", 0)])
    read = translated(model)
    assert not [node for node in read.model.graph.node if node.op_type == "DequantizeLinear"]
    array = np.zeros(3, np.float32)
    np.testing.assert_allclose(through_bytes(read, [array])[0], answers(model, {"in": array})[0], rtol=1e-6)
