"""A network that onnx brought to another opset answers what it answered before, or it is refused with the numbers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, version_converter

from onscope.runtime import PackageError
from onscope.runtime.graph import StageRequest, compile_group
from onscope.runtime.graph._converted import difference
from onscope.runtime.package import AxisSize

from .run import opened
from .written import RAW, stage

FLOATS = replace(RAW, dtype="float32")
Convert = Callable[[onnx.ModelProto, int], onnx.ModelProto]


def old(folder: Path) -> StageRequest:
    """image * 3, then softmax along the rows: which opset 13 understands otherwise than 12."""
    nodes = [
        helper.make_node("Mul", ["image", "three"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["answer"], axis=3),
    ]
    return stage(folder, nodes, {"three": np.float32(3)}, opset=12, ir=7)


def wrong(monkeypatch: pytest.MonkeyPatch, factor: float, opsets: tuple[int, ...] = (21,)) -> None:
    """onnx's converter, with an error in the adapters to these opsets."""
    right: Convert = version_converter.convert_version

    def convert(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
        made = right(model, opset)
        weight = next(tensor for tensor in made.graph.initializer if tensor.name == "three")
        if opset in opsets:
            weight.CopyFrom(onnx.numpy_helper.from_array(np.array(3 * factor, np.float32), "three"))
        return made

    monkeypatch.setattr(version_converter, "convert_version", convert)


def test_a_right_conversion_says_nothing(tmp_path: Path) -> None:
    compiled = compile_group([old(tmp_path)], FLOATS, cache=tmp_path)
    assert compiled.opset == 21
    assert not [note for note in compiled.notes if note.kind == "warning"]


def test_a_wrong_conversion_is_refused_with_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong(monkeypatch, 1.01, (21, 20, 19, 18))
    with pytest.raises(PackageError, match=r"brought to opset 21 by onnx, differs in 'answer'.*: by \S+, (\S+) of its"):
        compile_group([old(tmp_path)], FLOATS, cache=tmp_path)
    assert not list(tmp_path.glob("*.json"))


def test_a_right_one_to_an_older_opset_is_taken_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong(monkeypatch, 1.01, (21, 20))
    assert compile_group([old(tmp_path)], FLOATS, cache=tmp_path).opset == 19


def test_a_network_of_one_size_is_compared_at_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = old(tmp_path)
    (image,) = asked.inputs
    fixed = [replace(axis, size=AxisSize(fixed=16)) if axis.kind == "space" else axis for axis in image.described]
    asked = replace(asked, inputs=(replace(image, described=tuple(fixed)),))
    wrong(monkeypatch, 1.01, (21, 20, 19, 18))
    with pytest.raises(PackageError, match="differs in 'answer'"):
        compile_group([asked], replace(FLOATS, shape=(16, 16)), cache=tmp_path)


def test_what_cannot_be_compared_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = [
        helper.make_node("RandomNormalLike", ["image"], ["noise"]),
        helper.make_node("Add", ["image", "noise"], ["answer"]),
    ]
    compiled = compile_group([stage(tmp_path, noisy, opset=12, ir=7)], FLOATS, cache=tmp_path)
    (note,) = [note for note in compiled.notes if note.kind == "warning"]
    assert (note.what, note.why) == (
        "brought from opset 12 to 21 by onnx, its answers not compared",
        "it answers otherwise each time",
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    compiled = compile_group([old(tmp_path)], FLOATS, cache=tmp_path)
    (note,) = [note for note in compiled.notes if note.kind == "warning"]
    assert note.why == "ONNX Runtime is not installed"


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(("kind", "opset"), [("Upsample", 9), ("Resize", 10)])
def test_old_enlargement_counts_from_the_corner(tmp_path: Path, kind: str, opset: int, mode: str) -> None:
    """Which onnx's converter forgets: with half pixels, the default since opset 11, a ramp is shifted."""
    nodes = [
        helper.make_node(kind, ["image", "scales"], ["large"], mode=mode),
        helper.make_node("MaxPool", ["large"], ["answer"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    asked = stage(tmp_path, nodes, {"scales": np.array([1, 1, 2, 2], np.float32)}, opset=opset, ir=4)
    run = opened([asked], replace(FLOATS, shape=(6, 8)), tmp_path)
    frame = np.arange(48, dtype=np.float32).reshape(6, 8)
    found = run.run([frame])["stage.answer"][0, 0]
    between = np.minimum(np.arange(8) + 0.5, 7) + 8 * np.minimum(np.arange(6) + 0.5, 5)[:, None]
    assert np.allclose(found, frame if mode == "nearest" else between)


def test_weights_that_are_inputs_of_old_files(tmp_path: Path) -> None:
    nodes = [helper.make_node("Mul", ["image", "three"], ["answer"])]
    asked = stage(tmp_path, nodes, {"three": np.float32(3)}, opset=9, ir=3, weights_are_inputs=True)
    frame = np.ones(RAW.shape, np.float32)
    assert np.array_equal(opened([asked], FLOATS, tmp_path).run([frame])["stage.answer"][0, 0], 3 * frame)


@pytest.mark.parametrize(
    ("have", "words"),
    [
        ([0.0, 1.0, 2.000019], ""),
        ([0.0, 1.0, 2.00003], r"by 3e-05, 1.5e-05 of its range 2"),
        ([0.0, 1.0, np.nan], "NaN or infinities elsewhere"),
        ([0.0, 1.0], r"\(2,\) float64 instead of \(3,\) float64"),
    ],
)
def test_differences_are_relative_to_the_range(have: list[float], words: str) -> None:
    found = difference(np.array([0.0, 1.0, 2.0]), np.array(have))
    assert re.match(words, found) if words else not found


def test_what_is_not_finite_has_to_stay_where_it_is() -> None:
    want = np.array([1.0, np.nan, np.inf, -np.inf])
    assert not difference(want, want.copy())
    assert difference(want, want[[0, 1, 3, 2]])
    assert difference(np.array([True, False]), np.array([True, True]))
    assert not difference(np.full(3, 7.0), np.full(3, 7.00001))
