"""Packages that must not be opened: each refused in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onscope.runtime import Package, PackageError
from onscope.runtime.package import _weights as reader

Edit = Callable[[dict[str, Any]], object]
Make = Callable[..., Path]


def refused(ref: str | Path, words: str) -> None:
    with pytest.raises(PackageError, match=words) as caught:
        Package.load(ref)
    assert "\n" not in str(caught.value)


def assign(*path: str | int, value: Any) -> Edit:
    def edit(rdf: Any) -> None:
        for step in path[:-1]:
            rdf = rdf[step]
        rdf[path[-1]] = value

    return edit


def remove(*path: str | int) -> Edit:
    def edit(rdf: Any) -> None:
        for step in path[:-1]:
            rdf = rdf[step]
        del rdf[path[-1]]

    return edit


def test_nothing_there(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "found nothing at .*nowhere")
    refused(tmp_path, "found no rdf.yaml")
    refused("a\0b", "cannot be read|found nothing")
    refused("x" * 5000, "cannot be read|found nothing")


def test_an_unknown_file(tmp_path: Path) -> None:
    (tmp_path / "model.tar").write_bytes(b"tar")
    refused(tmp_path / "model.tar", "found model.tar, expected a package.s folder, .zip or rdf.yaml")


def test_an_unknown_shipped_name_names_those_that_are(tmp_path: Path) -> None:
    refused("zoo/no-such-network", "found no package 'no-such-network' in zoo, expected one of")
    refused("nobody/care-beads", "found nothing at nobody/care-beads")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2", "not YAML"),
        ("\x00\x01\x02", "not YAML"),
        ("- a list", "without named fields"),
        ("", "without named fields"),
        ("1: 2", "without named fields"),
        ("a: !!python/object/apply:os.system [ls]", "not YAML"),
        ("a: 1\na: 2", "not YAML"),
        ("a: &a [*a]", "alias .* that holds itself"),
        ("a: *b", "not YAML|alias"),
        ("[" * 60 + "]" * 60, "nested deeper than 40"),
        ("a: " + "9" * 5000, "not YAML"),
        ("a: 2024-99-99", "not YAML|type None"),
        (
            "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
            "unfolding",
        ),
        ("name: x", "type None, expected 'model'"),
        ("#" * (256 * 1024 + 1), "more than 262144 bytes"),
    ],
)
def test_bad_yaml(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "rdf.yaml").write_text(text, encoding="utf-8")
    refused(tmp_path, words)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (assign("type", value="dataset"), "type 'dataset', expected 'model'"),
        (assign("format_version", value="0.3.6"), "format 0.3.6, expected 0.4 or 0.5: convert it"),
        (assign("format_version", value="0.4.10"), "breaks the BioImage.IO format"),
        (assign("format_version", value="0.6.0"), "format 0.6.0.*newer onscope"),
        (assign("format_version", value=0.5), "format version 0.5, expected 0.4 or 0.5 of"),
        (remove("weights", "onnx"), "no ONNX weights|breaks the BioImage.IO format"),
        (
            assign("weights", value={"torchscript": {"source": "weights.onnx", "pytorch_version": "2.0"}}),
            r"no ONNX weights \(weights there: torchscript\)",
        ),
        (
            assign("weights", "onnx", "sha256", value="0" * 64),
            r"weights.onnx with sha256 \w{12}…, expected 000000000000…",
        ),
        (assign("inputs", 0, "test_tensor", "sha256", value="1" * 64), "test_raw.npy with sha256"),
        (assign("weights", "onnx", "sha256", value="none"), "breaks the BioImage.IO format|64 hexadecimal"),
        (
            assign("weights", "onnx", "source", value="../package/weights.onnx"),
            "expected one inside the package's folder",
        ),
        (assign("weights", "onnx", "source", value="/etc/passwd"), "inside the package's folder|BioImage.IO format"),
        (
            assign("weights", "onnx", "source", value="C:\\weights.onnx"),
            "inside the package's folder|BioImage.IO format",
        ),
        (assign("weights", "onnx", "source", value="https://example.org/w.onnx"), "found the URL https://example.org"),
        (assign("inputs", 0, "test_tensor", "source", value="https://example.org/t.npy"), "found the URL"),
        (assign("weights", "onnx", "source", value="missing.onnx"), "no file 'missing.onnx'"),
        (assign("documentation", "source", value="../README.md"), "inside the package's folder|BioImage.IO format"),
        (
            assign("weights", "onnx", "external_data", value={"source": "weights.data"}),
            "no file 'weights.data', expected the external data",
        ),
        (assign("inputs", 0, "axes", 2, "size", "min", value=10**9), "a size of 1000000000"),
        (assign("inputs", 0, "axes", 2, "size", "min", value=-1), "breaks the BioImage.IO format"),
        (
            assign("inputs", 0, "data", "type", value="float32"),
            "described as float32 when it reaches the network, but uint16 in the ONNX file",
        ),
        (
            assign("inputs", 0, "output_of", value="another/model"),
            "the output of another/model, expected a package that",
        ),
        (remove("inputs", 0, "axes", 1), "described with 3 axes, but 4 in the ONNX file"),
        (assign("outputs", 0, "axes", 3, "size", "axis_id", value="z"), "breaks the BioImage.IO format"),
        (assign("config", "onscope", value=["decode"]), "holds no named settings"),
        (assign("config", "onscope", "decode", value="magic"), "decode 'magic', expected one of image, points"),
        (assign("config", "onscope", value={"decode": "points"}), "no config.onscope.columns"),
        (assign("config", "onscope", "columns", value="yx"), "expected a list of names"),
        (assign("config", "onscope", "threshold", value="high"), "threshold 'high', expected a finite number"),
        (assign("config", "onscope", "scale", value=-2), "scale -2, expected a finite number"),
    ],
)
def test_a_description_that_is_wrong(make_package: Make, edit: Edit, words: str) -> None:
    refused(make_package(edit), words)


def test_more_inputs_than_the_graph_has(make_package: Make) -> None:
    def twice(rdf: dict[str, Any]) -> None:
        rdf["inputs"].append({**rdf["inputs"][0], "id": "other"})

    refused(make_package(twice), "found 1 inputs in the ONNX file, expected 2 as described")


def test_a_link_out_of_the_package(make_package: Make, tmp_path: Path) -> None:
    folder = make_package()
    (folder / "weights.onnx").rename(tmp_path / "elsewhere.onnx")
    (folder / "weights.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    refused(folder, "leading out of the package")


def test_a_file_that_is_too_large(make_package: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_WEIGHTS_BYTES", 100)
    refused(make_package(), "ONNX weights of .* bytes, expected at most 100")


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x0a\x12\xff\xff\xff\xff\x0f", b"\x00" * 64])
def test_a_corrupt_onnx_file(make_package: Make, data: bytes) -> None:
    refused(make_package(model=data), "no ONNX file|without any operator|not valid ONNX")


def network(*nodes: onnx.NodeProto, elem_type: int = TensorProto.UINT16, weights: Any = ()) -> onnx.ModelProto:
    shape: list[str | int | None] = [1, 1, "y", "x"]
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("raw", elem_type, shape)],
        [helper.make_tensor_value_info("image", elem_type, shape)],
        list(weights),
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("evil", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def test_an_operator_that_does_not_exist(make_package: Make) -> None:
    refused(make_package(model=network(helper.make_node("NoSuch", ["raw"], ["image"]))), "not valid ONNX .*NoSuch")


def test_a_custom_operator(make_package: Make) -> None:
    refused(
        make_package(model=network(helper.make_node("Run", ["raw"], ["image"], domain="evil"))), "operator evil.Run"
    )


def test_a_custom_operator_inside_a_branch(make_package: Make) -> None:
    branch = helper.make_graph(
        [helper.make_node("Run", ["raw"], ["out"], domain="evil")],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.UINT16, [1, 1, "y", "x"])],
    )
    condition = numpy_helper.from_array(np.array(True), "yes")
    node = helper.make_node("If", ["yes"], ["image"], then_branch=branch, else_branch=branch)
    refused(make_package(model=network(node, weights=[condition])), "operator evil.Run")


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret", "weights.data"])
def test_weights_outside_of_the_file(make_package: Make, location: str) -> None:
    one = TensorProto(name="one", data_type=TensorProto.UINT16, dims=[1], data_location=TensorProto.EXTERNAL)
    one.external_data.add(key="location", value=location)
    model = network(helper.make_node("Add", ["raw", "one"], ["image"]), weights=[one])
    refused(make_package(model=model), "found weights outside of weights.onnx")


@pytest.mark.parametrize("kind", ["DOUBLE", "INT64", "FLOAT16", "STRING"])
def test_another_dtype_than_described(make_package: Make, kind: str) -> None:
    model = network(helper.make_node("Identity", ["raw"], ["image"]), elem_type=getattr(TensorProto, kind))
    refused(make_package(model=model), "described as uint16 when it reaches the network, but")


@pytest.mark.parametrize("bad", ["pickle", "truncated", "huge", "text", "dtype", "axes"])
def test_test_tensors_that_are_not(make_package: Make, bad: str) -> None:
    folder = make_package(remove("inputs", 0, "test_tensor", "sha256"))
    path = folder / "test_raw.npy"
    if bad == "pickle":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif bad == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif bad == "huge":
        path.write_bytes(path.read_bytes().replace(b"(1, 1, 8, 10)", b"(9, 99999999)"))
    elif bad == "text":
        path.write_text("1 2 3", encoding="ascii")
    elif bad == "dtype":
        np.save(path, np.zeros((1, 1, 8, 10)))
    else:
        np.save(path, np.zeros((8, 10), np.uint16))
    package = Package.load(folder)
    with pytest.raises(PackageError, match=r"no NumPy array file|expected uint16 with 4 for"):
        package.load_test_inputs()
