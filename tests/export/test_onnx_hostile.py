"""ONNX files that would take the machine's memory or time, and nasty ones that must end in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onscope.export import Choices, export_original
from onscope.export.onnxfile import _session
from onscope.export.routes import load
from onscope.runtime import ExportError

from .onnx_files import Sizes, written

SIZES: Sizes = ("n", 1, "h", "w")
MEAN = helper.make_node("ReduceMean", ["large"], ["mean"], keepdims=0)
ADD = helper.make_node("Add", ["x", "mean"], ["y"])


def exported(path: Path) -> Any:
    return export_original(load(path), path.parent / "package", Choices(name="a network"))


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has little memory left: a thousandth of what this one has, some 10 or 100 MB."""
    monkeypatch.setattr(_session, "SHARE", 1e-3)


def grows(path: Path) -> Path:
    """Each pixel becomes 1024 of them in between: 268 MB for 256x256 pixels, 17 MB for 64x64."""
    nodes = [
        helper.make_node("Tile", ["x", "repeats"], ["large"]),
        helper.make_node("ReduceMean", ["large"], ["y"], axes=[1], keepdims=1),
    ]
    return written(path, nodes, SIZES, 13, {"repeats": np.array([1, 1 << 10, 1, 1])})


def test_a_run_that_takes_more_than_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = grows(tmp_path / "grows.onnx")
    small(monkeypatch)
    with pytest.raises(ExportError, match=r"takes more than \d+ MB on a 1x1x256x256 float32 input, expected less"):
        exported(path)


def test_constants_that_only_a_run_works_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their size depends on values, so that nothing tells it before: 3 GB."""
    nodes = [
        helper.make_node("NonZero", ["few"], ["places"]),
        helper.make_node("Shape", ["places"], ["count"]),
        helper.make_node("Mul", ["count", "times"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        MEAN,
        ADD,
    ]
    weights = {"few": np.ones(750, np.float32), "times": np.array([1 << 20, 1000])}
    path = written(tmp_path / "hidden.onnx", nodes, SIZES, 13, weights)
    small(monkeypatch)
    with pytest.raises(ExportError, match=r"takes more than \d+ MB on a"):
        exported(path)


def test_constants_of_absurd_size(tmp_path: Path) -> None:
    """Each operator makes what is allowed of what it is given; together they make 1 TB."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["one"]),
        helper.make_node("Tile", ["one", "repeats"], ["large"]),
        MEAN,
        ADD,
    ]
    weights = {"shape": np.array([1, 1, 1024, 1024]), "repeats": np.array([1, 1 << 18, 1, 1])}
    path = written(tmp_path / "constants.onnx", nodes, SIZES, 13, weights)
    with pytest.raises(ExportError, match=r"constants.onnx computes constants of 1099516 MB, expected at most 1074"):
        load(path)


def test_a_run_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = {name: helper.make_tensor_value_info(name, kind, []) for name, kind in (("i", 7), ("on", 9), ("still", 9))}
    before, after = (helper.make_tensor_value_info(name, 1, None) for name in ("before", "after"))
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["still"]), helper.make_node("Sin", ["before"], ["after"])],
        "body", [ports["i"], ports["on"], before], [ports["still"], after],
    )  # fmt: skip
    loop = helper.make_node("Loop", ["times", "true", "x"], ["y"], body=body)
    path = written(tmp_path / "loop.onnx", [loop], SIZES, 13, {"times": np.array(1 << 62), "true": np.array(True)})
    monkeypatch.setattr(_session, "MOST_S", 0.5)
    with pytest.raises(ExportError, match=r"does not end within 0.5 s on a 1x1x64x65 float32 input"):
        load(path)


def as_output(path: Path, value: Any) -> Path:
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.append(value)
    onnx.save(model, path)
    return path


def of_kind(kind: str, path: Path) -> Path:
    relu = helper.make_node("Relu", ["x"], ["y"])
    if kind == "sequence":
        split = helper.make_node("SplitToSequence", ["x"], ["y"], axis=1)
        value = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None)
        return as_output(written(path, [split], SIZES, 13), value)
    if kind == "optional":
        value = helper.make_value_info("y", helper.make_optional_type_proto(helper.make_tensor_type_proto(1, None)))
        return as_output(written(path, [helper.make_node("Optional", ["x"], ["y"])], SIZES, 17), value)
    if kind == "bfloat16":
        cast = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.BFLOAT16)
        value = helper.make_tensor_value_info("y", TensorProto.BFLOAT16, [None] * 4)
        return as_output(written(path, [cast], SIZES, 13), value)
    if kind == "words":
        cast = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.STRING)
        value = helper.make_tensor_value_info("y", TensorProto.STRING, [None] * 4)
        return as_output(written(path, [cast], SIZES, 13), value)
    if kind == "six axes":
        return written(path, [relu], [1, 1, 1, 1, None, None], 13)
    if kind == "no axes":
        return written(path, [relu], [], 13)
    if kind == "its input unused":
        return written(path, [helper.make_node("Relu", ["k"], ["y"])], SIZES, 13, {"k": np.ones((1, 1, 4, 4), "f")})
    if kind == "a newer operator":
        node = helper.make_node("Swish", ["x"], ["y"], alpha=1.0)
        return written(path, [node], SIZES, 24)
    assert kind == "random"
    nodes = [helper.make_node("RandomNormalLike", ["x"], ["r"]), helper.make_node("Add", ["x", "r"], ["y"])]
    return written(path, nodes, SIZES, 13)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("sequence", "the output y of bad.onnx is unknown, expected a tensor of numbers"),
        ("optional", "the output y of bad.onnx is unknown, expected a tensor of numbers"),
        ("bfloat16", "the output y of bad.onnx is bfloat16, expected a tensor of numbers"),
        ("words", "the output y of bad.onnx is object, expected a tensor of numbers"),
        ("six axes", "Got: 4 Expected: 6 .*give the sizes and axes"),
        ("no axes", r"takes float32 of 0 axes \(x\), expected numbers .* y and x among them"),
        ("its input unused", "bad.onnx does not use its input x, expected a network"),
        ("a newer operator", r"cannot take back to 20 \(.*Swish.*: export it again in opset 20$"),
        ("random", "gives another 'image' for the same input each time"),
    ],
)
def test_what_ends_in_a_sentence(tmp_path: Path, kind: str, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence) as caught:
        exported(of_kind(kind, tmp_path / "bad.onnx"))
    assert "\n" not in str(caught.value)
