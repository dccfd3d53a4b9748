"""Bare ONNX files: run as they are, brought to one opset with free sizes, refused when they are no plain network."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export import Choices
from onscope.export.routes import Asked, load
from onscope.runtime import ExportError, Package

from .onnx_files import (
    ChannelsLast,
    Ladder,
    Three,
    answers_of,
    by_torch,
    close,
    convolution,
    exported,
    package_answers,
    pixels,
    written,
)

FREE = {0: "n", 2: "h", 3: "w"}


@pytest.mark.parametrize("opset", [9, 11, 13, 17])
def test_free_sizes_of_torch(tmp_path: Path, opset: int) -> None:
    path = by_torch(Ladder(), (1, 1, 32, 32), tmp_path / "ladder.onnx", opset, FREE)
    original = load(path)
    assert (original.stated.axes, original.stated.output_axes) == ("bcyx", ("bcyx",))
    assert (original.stated.minimum, original.stated.step) == (16, 4)
    assert original.parameters >= sum(weights.numel() for weights in Ladder().parameters())
    report = exported(path)
    assert report.exporter == f"onnx.version_converter from opset {opset}"
    assert "two at once" in [one.where for one in report.parity]
    assert any("Upsample is deprecated since opset 10" in note for note in report.notes) == (opset == 9)
    frames = pixels(2, 1, 44, 20)
    (found,) = package_answers(report.folder, frames)
    assert close(found, answers_of(path, frames)[0])
    with torch.no_grad():
        assert close(found, Ladder().eval()(torch.from_numpy(frames)).numpy())


@pytest.mark.parametrize("opset", [9, 10, 11, 13, 17, 21])
def test_by_hand_in_every_opset(tmp_path: Path, opset: int) -> None:
    pads = [0, 0, 1, 1, 0, 0, 1, 1]
    pad = helper.make_node("Pad", ["x"], ["p"], mode="reflect", pads=pads)
    weights = {"w": convolution(), "low": np.float32(0.1)}
    if opset > 10:
        pad = helper.make_node("Pad", ["x", "pads"], ["p"], mode="reflect")
        weights["pads"] = np.array(pads)
    clip = helper.make_node("Clip", ["c"], ["k"], min=0.1)
    if opset > 10:
        clip = helper.make_node("Clip", ["c", "low"], ["k"])
    else:
        del weights["low"]
    conv = helper.make_node("Conv", ["p", "w"], ["c"])
    soft = helper.make_node("Softmax", ["k"], ["y"], axis=1 if opset >= 13 else 3)
    path = written(tmp_path / "hand.onnx", [pad, conv, clip, soft], ["n", 1, "h", "w"], opset, weights)
    report = exported(path)
    assert any(size[0] % 2 and size[1] % 2 for size in (one.size for one in report.parity))
    frames = pixels(2, 1, 31, 17)
    assert close(package_answers(report.folder, frames)[0], answers_of(path, frames)[0])
    if opset > 20:
        assert any("written in opset 21, labelled as opset 20" in note for note in report.notes)


def test_a_file_whose_data_lies_beside_it(tmp_path: Path) -> None:
    path = by_torch(Ladder(), (1, 1, 32, 32), tmp_path / "two.onnx", 13, FREE)
    alone = load(path)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="two.data", size_threshold=0)
    original = load(path)
    assert original.source_sha256 != alone.source_sha256
    assert original.parameters == alone.parameters
    frames = pixels(1, 1, 20, 24)
    assert close(package_answers(exported(path).folder, frames)[0], alone.run(frames)[0])


def test_fixed_sizes_that_can_be_free(tmp_path: Path) -> None:
    path = by_torch(Ladder(), (1, 1, 36, 44), tmp_path / "fixed.onnx", 12)
    report = exported(path)
    assert (Package.load(report.folder).inputs[0].described[2].size.at_least(0)) == 16
    assert any("the file fixes 36x44 pixels; its operators take others" in note for note in report.notes)
    assert [one.size for one in report.parity][:2] == [(36, 44), (16, 20)]
    own, other = pixels(1, 1, 36, 44), pixels(2, 1, 20, 28)
    assert close(package_answers(report.folder, own)[0], answers_of(path, own)[0])
    with torch.no_grad():
        assert close(package_answers(report.folder, other)[0], Ladder().eval()(torch.from_numpy(other)).numpy())


def test_fixed_sizes_that_stay(tmp_path: Path) -> None:
    weights = {"w": pixels(24 * 20, 24 * 20), "flat": np.array([1, 480]), "image": np.array([1, 1, 24, 20])}
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["g"]),
        helper.make_node("Reshape", ["g", "image"], ["y"]),
    ]
    path = written(tmp_path / "dense.onnx", nodes, [1, 1, 24, 20], 13, weights)
    report = exported(path)
    assert {one.size for one in report.parity} == {(24, 20)}
    assert any("height and width stay 24x20 as the file fixes them: with others" in note for note in report.notes)
    frame = pixels(1, 1, 24, 20)
    assert close(package_answers(report.folder, frame)[0], answers_of(path, frame)[0])
    with pytest.raises(ExportError, match=r"with free sizes|fails on a 1x1x16x17"):
        exported(path, Choices(name="a network", fixed=False, overwrite=True))


def test_a_mean_that_counts_on_the_size(tmp_path: Path) -> None:
    weights = {"axes": np.array([2, 3]), "pixels": np.array(24 * 20, np.float32)}
    nodes = [
        helper.make_node("ReduceSum", ["x", "axes"], ["s"], keepdims=1),
        helper.make_node("Div", ["s", "pixels"], ["m"]),
        helper.make_node("Sub", ["x", "m"], ["y"]),
    ]
    report = exported(written(tmp_path / "mean.onnx", nodes, [1, 1, 24, 20], 13, weights))
    assert {one.size for one in report.parity} == {(24, 20)}
    assert any("its sums over pixels may be wrong" in note for note in report.notes)
    weights["axes"] = np.array([1])
    assert load(written(tmp_path / "channels.onnx", nodes, [1, 2, 24, 20], 13, weights)).stated.fixed is False


@pytest.mark.parametrize("free", [{}, FREE])
def test_an_answer_of_one_size(tmp_path: Path, free: dict[int, str]) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3, padding=1), torch.nn.Upsample(size=(48, 48)))
    path = by_torch(network, (1, 1, 24, 24), tmp_path / "one.onnx", 13, free)
    if free:
        with pytest.raises(ExportError, match=r"expected .* times the input's size"):
            exported(path)
        return
    report = exported(path)
    assert Package.load(report.folder).outputs[0].axes == ("batch", "channel", "y", "x")
    assert {one.size for one in report.parity} == {(24, 24)}
    assert np.load(report.folder / "test_image.npy").shape == (1, 1, 48, 48)


def test_half_precision(tmp_path: Path) -> None:
    weights = {"w": convolution().astype(np.float16)}
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Tanh", ["c"], ["y"])]
    path = written(tmp_path / "half.onnx", nodes, ["n", 1, "h", "w"], 13, weights, dtype=TensorProto.FLOAT16)
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    onnx.save(model, path)
    report = exported(path)
    package = Package.load(report.folder)
    assert (package.inputs[0].dtype, package.outputs[0].dtype) == ("float32", "float32")
    assert any("its input is float16, to which float32 is cast" in note for note in report.notes)
    frames = pixels(1, 1, 20, 24)
    wanted = answers_of(path, frames.astype(np.float16))[0]
    assert np.abs(package_answers(report.folder, frames)[0] - wanted).max() < 2e-3


def test_channels_last(tmp_path: Path) -> None:
    path = by_torch(ChannelsLast(Ladder(3, 2)), (1, 32, 32, 3), tmp_path / "last.onnx", 12, {0: "n"})
    report = exported(path)
    package = Package.load(report.folder)
    assert package.inputs[0].axes == ("batch", "y", "x", "channel")
    frames = pixels(1, 24, 40, 3)
    with torch.no_grad():
        wanted = ChannelsLast(Ladder(3, 2)).eval()(torch.from_numpy(frames)).numpy()
    assert close(package_answers(report.folder, frames)[0], wanted)


def test_channels_last_by_size_alone(tmp_path: Path) -> None:
    nodes = [helper.make_node("Mul", ["x", "gains"], ["y"])]
    path = written(tmp_path / "gains.onnx", nodes, ["n", "h", "w", 3], 13, {"gains": np.array([1, 2, 3], np.float32)})
    assert load(path).stated.axes == "byxc"
    assert exported(path).passed


def test_the_user_knows_better(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    path = written(tmp_path / "relu.onnx", nodes, [None, None, None, None], 13)
    report = exported(path, Choices(name="a network", axes="byxc", output_axes=["byxc"]))
    assert Package.load(report.folder).inputs[0].axes[-1] == "channel"


def test_volumes(tmp_path: Path) -> None:
    free = {0: "n", 3: "h", 4: "w"}
    path = by_torch(Ladder(1, 2, 1, deep=True), (1, 1, 6, 32, 32), tmp_path / "deep.onnx", 13, free)
    report = exported(path, Choices(name="a network", sizes=[(18, 34)], example=pixels(1, 1, 6, 32, 26)))
    assert Package.load(report.folder).inputs[0].axes == ("batch", "channel", "z", "y", "x")
    frames = pixels(2, 1, 6, 20, 22)
    assert close(package_answers(report.folder, frames)[0], answers_of(path, frames)[0])


def test_three_outputs(tmp_path: Path) -> None:
    path = by_torch(Three(), (1, 1, 32, 32), tmp_path / "three.onnx", 13, FREE)
    original = load(path)
    assert original.stated.output_axes == ("bcyx", "bcyx", "bc")
    assert original.stated.step == 2
    report = exported(path)
    assert len(Package.load(report.folder).outputs) == 3
    frames = pixels(2, 1, 26, 34)
    for found, wanted in zip(package_answers(report.folder, frames), answers_of(path, frames), strict=True):
        assert close(found, wanted)


RESIZED = {
    "upsample 9 nearest": (9, "Upsample", {"mode": "nearest"}, "Upsample is deprecated", "asymmetric"),
    "upsample 9 linear": (9, "Upsample", {"mode": "linear"}, "Upsample is deprecated", "asymmetric"),
    "resize 10 linear": (10, "Resize", {"mode": "linear"}, "Resize of opset 10 does not say", "asymmetric"),
    "half pixels": (
        *(11, "Resize", {"mode": "nearest", "coordinate_transformation_mode": "tf_half_pixel_for_nn"}),
        *("tf_half_pixel_for_nn is deprecated since opset 13: it was replaced by half_pixel", "half_pixel"),
    ),
    "half pixels in between": (
        *(11, "Resize", {"mode": "linear", "coordinate_transformation_mode": "tf_half_pixel_for_nn"}),
        *("tf_half_pixel_for_nn is deprecated since opset 13: it was kept in linear mode", "tf_half_pixel_for_nn"),
    ),
}


@pytest.mark.parametrize("case", RESIZED)
@pytest.mark.parametrize("scale", [2.0, 3.0])
def test_old_ways_to_enlarge(tmp_path: Path, case: str, scale: float) -> None:
    opset, kind, attributes, said, mode = RESIZED[case]
    if attributes["mode"] == "nearest" and kind == "Resize":
        attributes = {**attributes, "nearest_mode": "floor"}
    weights = {"scales": np.array([1, 1, scale, scale], np.float32), "w": convolution(), "roi": np.zeros(0, np.float32)}
    inputs = ["c", "scales"] if opset < 11 else ["c", "roi", "scales"]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(kind, inputs, ["y"], **attributes),
    ]
    path = written(tmp_path / "up.onnx", nodes, ["n", 1, "h", "w"], opset, weights)
    report = exported(path)
    assert sum(said in note for note in report.notes) == 1, report.notes
    assert Package.load(report.folder).outputs[0].scale == scale
    resize = next(node for node in onnx.load(report.folder / "weights.onnx").graph.node if node.op_type == "Resize")
    modes = [each.s.decode() for each in resize.attribute if each.name == "coordinate_transformation_mode"]
    assert (modes or ["half_pixel"]) == [mode]
    frames = pixels(1, 1, 17, 23)
    assert close(package_answers(report.folder, frames)[0], answers_of(path, frames)[0])


def test_names_that_are_taken(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["image"]),
        helper.make_node("Add", ["image", "raw"], ["y"]),
    ]
    path = written(tmp_path / "names.onnx", nodes, ["n", 1, "h", "w"], 17, outputs=("y", "raw"))
    report = exported(path)
    assert [output.name for output in Package.load(report.folder).outputs] == ["y", "output_raw"]
    frames = pixels(1, 1, 19, 16)
    for found, wanted in zip(package_answers(report.folder, frames), answers_of(path, frames), strict=True):
        assert close(found, wanted)


def test_names_that_become_the_same(tmp_path: Path) -> None:
    names = ("a", "a.", "a_1")
    nodes = [helper.make_node(kind, ["x"], [name]) for kind, name in zip(("Relu", "Neg", "Abs"), names, strict=True)]
    path = written(tmp_path / "names.onnx", nodes, ["n", 1, "h", "w"], 17, outputs=names)
    report = exported(path)
    assert [output.name for output in Package.load(report.folder).outputs] == ["output_0", "output_1", "output_2"]
    frames = pixels(1, 1, 19, 16)
    for found, wanted in zip(package_answers(report.folder, frames), answers_of(path, frames), strict=True):
        assert close(found, wanted)


def test_counts_in_whole_numbers(tmp_path: Path) -> None:
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=1), helper.make_node("Sqrt", ["f"], ["y"])]
    path = written(tmp_path / "counts.onnx", nodes, ["n", 1, "h", "w"], 13, dtype=TensorProto.INT32)
    report = exported(path)
    assert Package.load(report.folder).inputs[0].dtype == "uint16"
    assert any("its input is int32" in note for note in report.notes)


def test_on_the_command_line(tmp_path: Path) -> None:
    path = by_torch(Ladder(), (1, 1, 32, 32), tmp_path / "ladder.onnx", 11, FREE)
    out = tmp_path / "ladder-test"
    words = ["export", path, "-o", out, "--dtype", "uint16", "--normalise", "scale:0.001", "--json"]
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["passed"]
    assert any("guessed" in note for note in report["notes"])
    assert np.load(out / "test_raw.npy").dtype == np.uint16
    assert "scale_linear" in [step.id for step in Package.load(out).inputs[0].steps]


def test_a_shape_alone_is_of_the_pixels_and_axes_that_the_file_takes(tmp_path: Path) -> None:
    path = written(tmp_path / "relu.onnx", [RELU], ["n", "h", "w", 3], 13)
    words = ["export", path, "-o", tmp_path / "package", "--example-shape", "1x24x40x3"]
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    example = np.load(tmp_path / "package" / "test_raw.npy")
    assert (example.shape, example.dtype) == ((1, 24, 40, 3), np.float32)


RELU = helper.make_node("Relu", ["x"], ["y"])


def made(folder: Path, kind: str) -> Path:
    path = folder / "bad.onnx"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"weights": [1.0]}))
    elif kind == "hdf5":
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    elif kind == "zip":
        path.write_bytes(b"PK\x03\x04" + bytes(64))
    elif kind == "truncated":
        whole = by_torch(Ladder(), (1, 1, 32, 32), path)
        path.write_bytes(whole.read_bytes()[:-700])
    elif kind == "outside":
        conv = helper.make_node("Conv", ["x", "w"], ["y"])
        written(path, [conv], ["n", 1, "h", "w"], 13, {"w": convolution(1, 1)})
        (folder.parent / "secret.bin").write_bytes(bytes(1000))
        model = onnx.load(path)
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../secret.bin")
        path.write_bytes(model.SerializeToString())
    elif kind == "domain":
        node = helper.make_node("Crystal", ["x"], ["y"], domain="com.example")
        written(path, [node], ["n", 1, "h", "w"], 13, domain="com.example")
    elif kind == "words":
        written(path, [helper.make_node("Cast", ["x"], ["y"], to=1)], ["n", 1, "h", "w"], 13, dtype=TensorProto.STRING)
    elif kind == "old":
        written(path, [RELU], ["n", 1, "h", "w"], 8)
    elif kind == "huge":
        written(path, [RELU], [1, 1, 50_000, 50_000], 13)
    return path


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("pickle", "which is a pickle, which can run any code, expected weights in ONNX"),
        ("hdf5", "which is an HDF5 file"),
        ("zip", "which is a .zip archive"),
        ("truncated", "found bad.onnx, which is no"),
        ("outside", r"found the path '../secret.bin' for the external data, expected one inside"),
        ("domain", "found the operator com.example.Crystal in bad.onnx, expected standard"),
        ("words", r"takes object of 4 axes \(x\), expected numbers such as float32"),
        ("old", "found ONNX operator set 8"),
        ("huge", "expected at most"),
    ],
)
def test_what_is_refused(tmp_path: Path, kind: str, sentence: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(ExportError, match=sentence):
        load(made(folder, kind), Asked())


def test_frames_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "relu.onnx", [RELU], ["n", 1, "h", "w"], 13)
    with pytest.raises(ExportError, match=r"found uint16 before the network, expected float32, .*--normalise"):
        exported(path, Choices(name="a network", dtype="uint16"))
