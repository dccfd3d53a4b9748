"""Weights: in one file or two, of which operator set, and what else stands under the name of one."""

from __future__ import annotations

import io
import pickle
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onscope.runtime import Package, PackageError
from onscope.runtime.engines import open_session
from onscope.runtime.package import _onnx, _weights

from .conftest import plus_one, sha256

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


def refused(folder: Path, words: str) -> str:
    with pytest.raises(PackageError, match=words) as caught:
        Package.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def network(
    *nodes: onnx.NodeProto, weights: Any = (), opset: int = 20, shape: Any = (1, 1, "y", "x")
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("raw", TensorProto.UINT16, list(shape))],
        [helper.make_tensor_value_info("image", TensorProto.UINT16, list(shape))],
        list(weights),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def outside(**stated: str) -> TensorProto:
    one = TensorProto(name="one", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in ({"location": "weights.onnx.data"} | stated).items():
        one.external_data.add(key=key, value=value)
    return one


ONES = b"abcd" + np.ones(2, np.float32).tobytes()


def split(make_package: Make, tmp_path: Path, tensor: TensorProto, data: bytes = ONES) -> Path:
    """The small package with its one weight in a file of its own, of two equal values."""
    model = plus_one()
    model.graph.initializer[0].CopyFrom(tensor)
    keep = numpy_helper.from_array(np.array([0], np.int64), "first")
    model.graph.initializer.append(keep)
    model.graph.node.insert(0, helper.make_node("Gather", ["one", "first"], ["picked"]))
    model.graph.node[2].input[1] = "picked"

    def describe(rdf: dict[str, Any]) -> None:
        beside = tmp_path / "package" / "weights.onnx.data"
        beside.write_bytes(data)
        rdf["weights"]["onnx"]["external_data"] = {"source": beside.name, "sha256": sha256(beside)}

    return make_package(describe, model=model)


def test_external_data_becomes_one_file(make_package: Make, tmp_path: Path, cache: Path) -> None:
    folder = split(make_package, tmp_path, outside(offset="4", length="8"))
    package = Package.load(folder)
    assert package.weights.parent.parent == cache
    assert package.weights.name == "weights.onnx"
    assert package.weights_sha256 == sha256(package.weights)
    written = package.weights.stat().st_mtime_ns
    (raw,) = package.load_test_inputs()
    assert np.array_equal(open_session(package.weights, "cpu", 1).run([raw])[0], raw + np.uint16(1))
    assert Package.load(folder).weights.stat().st_mtime_ns == written


def test_other_data_is_another_package(make_package: Make, tmp_path: Path) -> None:
    folder = split(make_package, tmp_path, outside(offset="4", length="8"))
    first = Package.load(folder)
    (folder / "weights.onnx.data").write_bytes(b"abcd" + np.full(2, 2, np.float32).tobytes())
    refused(folder, "weights.onnx.data with sha256")
    rdf = (folder / "rdf.yaml").read_text(encoding="utf-8")
    old = sha256_of(ONES)
    (folder / "rdf.yaml").write_text(rdf.replace(old, sha256(folder / "weights.onnx.data")), encoding="utf-8")
    assert Package.load(folder).weights_sha256 != first.weights_sha256


def sha256_of(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"location": "../secret"}, "in '../secret', expected it in the external data that the rdf.yaml names"),
        ({"location": "/etc/passwd"}, "in '/etc/passwd', expected it in the external data"),
        ({"location": "rdf.yaml"}, "in 'rdf.yaml', expected it in the external data"),
        ({"basepath": "/etc"}, "expected it in the external data"),
        ({"unknown": "1"}, "expected it in the external data"),
        ({"offset": "8"}, "lies outside of weights.onnx.data, or is not as long"),
        ({"offset": "-4"}, "lies outside of"),
        ({"offset": "9" * 30}, "lies outside of"),
        ({"offset": "four"}, "lies outside of"),
        ({"length": "4"}, "is not as long as its sizes say"),
    ],
)
def test_external_data_elsewhere(make_package: Make, tmp_path: Path, stated: dict[str, str], words: str) -> None:
    refused(split(make_package, tmp_path, outside(**stated)), words)


def test_external_data_without_any(make_package: Make, tmp_path: Path) -> None:
    refused(split(make_package, tmp_path, outside(), b""), "weights.onnx.data, which cannot be put into one file")


def test_external_data_of_absurd_size(make_package: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = outside()
    tensor.dims[:] = [1 << 40, 1 << 20]
    refused(split(make_package, tmp_path, tensor), "lies outside of")
    monkeypatch.setattr("onscope.runtime.package._external.MAX_WEIGHTS_BYTES", 100)
    refused(tmp_path / "package", "and its data of .* expected at most 100")


@pytest.mark.parametrize("opset", [9, 13, 20, 21])
def test_opsets_that_are_taken(make_package: Make, opset: int) -> None:
    model = network(helper.make_node("Identity", ["raw"], ["image"]), opset=opset)
    assert Package.load(make_package(model=model)).inputs[0].dtype == "uint16"


def test_an_opset_that_is_too_old(make_package: Make) -> None:
    model = network(helper.make_node("Identity", ["raw"], ["image"]), opset=8)
    refused(make_package(model=model), "operator set 8 in weights.onnx, expected 9 or newer")


def test_the_newest_opset_is_the_one_that_onnx_runtime_takes(make_package: Make, tmp_path: Path) -> None:
    taken = [opset for opset in range(22, onnx.defs.onnx_opset_version() + 3) if _onnx._runs(opset)]
    assert taken == list(range(22, max(taken) + 1))
    for opset in (max(taken), max(taken) + 1):
        model = network(helper.make_node("Identity", ["raw"], ["image"]), opset=opset)
        folder = make_package(model=model, folder=tmp_path / f"opset{opset}")
        if opset == max(taken):
            assert open_session(Package.load(folder).weights, "cpu", 1).inputs[0].name == "raw"
        else:
            refused(folder, f"operator set {opset} in weights.onnx, which is newer than ONNX Runtime here takes")


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    return held.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pickle.dumps({"weights": [1, 2]}), "which is a pickle, which can run any code"),
        (pickle.dumps({"weights": [1, 2]}, protocol=2), "which is a pickle"),
        (pickle.dumps({"weights": [1, 2]}, protocol=0), "no ONNX file|without any operator"),
        (zipped(), "which is a .zip archive, as PyTorch writes them"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "which is an HDF5 file, as Keras writes them"),
    ],
)
def test_other_files_under_the_name(make_package: Make, data: bytes, words: str) -> None:
    refused(make_package(model=data), words)


def test_a_tensor_that_claims_more_than_it_holds(make_package: Make) -> None:
    one = TensorProto(name="one", data_type=TensorProto.UINT16, dims=[1 << 40], raw_data=b"1234")
    model = network(helper.make_node("Add", ["raw", "one"], ["image"]), weights=[one])
    refused(make_package(model=model), "tensor 'one' in weights.onnx that claims 1099511627776 values and holds fewer")


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("ConstantOfShape", ["huge"], ["image"]),
        helper.make_node("Expand", ["raw", "huge"], ["image"]),
        helper.make_node("Tile", ["raw", "huge"], ["image"]),
        helper.make_node("RandomNormal", [], ["image"], shape=[1 << 20, 1 << 20]),
    ],
)
def test_operators_that_make_absurd_sizes(make_package: Make, node: onnx.NodeProto) -> None:
    huge = numpy_helper.from_array(np.array([1, 1, 1 << 20, 1 << 20]), "huge")
    refused(make_package(model=network(node, weights=[huge])), "found 1099511627776 values in .*expected at most")


def test_absurd_sizes_in_a_branch(make_package: Make) -> None:
    huge = helper.make_node("Constant", [], ["huge"], value=numpy_helper.from_array(np.array([1 << 20, 1 << 20])))
    branch = helper.make_graph(
        [huge, helper.make_node("ConstantOfShape", ["huge"], ["out"])],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.UINT16, [None, None])],
    )
    yes = numpy_helper.from_array(np.array(True), "yes")
    node = helper.make_node("If", ["yes"], ["image"], then_branch=branch, else_branch=branch)
    refused(make_package(model=network(node, weights=[yes])), "found 1099511627776 values")


def test_a_declared_size_that_no_memory_has(make_package: Make) -> None:
    model = network(helper.make_node("Identity", ["raw"], ["image"]), shape=(1, 1, 1 << 20, 1 << 20))
    refused(make_package(model=model), "found 1099511627776 values in 'raw'")


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (
            {"torchscript": {"source": "my net.pt", "pytorch_version": "2.0"}},
            r"expected some: `onscope export \S+package --out FOLDER` makes a package with ONNX weights of it",
        ),
        (
            {
                "pytorch_state_dict": {
                    "source": "w.pt",
                    "pytorch_version": "2.0",
                    "architecture": {"import_from": "monai.networks.nets", "callable": "UNet"},
                }
            },
            r"`onscope export \S+package --trust-code --out FOLDER` .* of it, running the architecture's code",
        ),
        (
            {"torchscript": {"source": "https://example.org/net.pt", "pytorch_version": "2.0"}},
            r"download https://example.org/net.pt into it and name that file as source, then `onscope export ",
        ),
        (
            {"keras_hdf5": {"source": "w.h5", "tensorflow_version": "2.9"}},
            r"\(weights there: keras_hdf5\), expected some: `onscope export \S+package --out FOLDER`",
        ),
        (
            {"tensorflow_js": {"source": "w.zip", "tensorflow_version": "2.9"}},
            r"\(weights there: tensorflow_js\), expected some: onscope has no way from these to ONNX",
        ),
    ],
)
def test_weights_of_another_kind(
    make_package: Make, monkeypatch: pytest.MonkeyPatch, weights: dict[str, Any], words: str, there: bool
) -> None:
    monkeypatch.setattr(_weights.importlib.util, "find_spec", lambda name: object() if there else None)  # type: ignore[attr-defined]
    said = refused(make_package(lambda rdf: rdf.update(weights=weights)), words)
    if "FOLDER" in said:
        extra = "onscope[keras]" if "keras" in next(iter(weights)) else "onscope[export]"
        assert (f"is there (pip install '{extra}')" in said) is not there


def test_the_line_that_is_told_works(make_package: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sentence says makes a package that can be opened, and gives what the first one says of itself."""
    torch = pytest.importorskip("torch")
    from onscope.cli import main

    def described(rdf: dict[str, Any]) -> None:
        rdf["weights"] = {"torchscript": {"source": "net.pt", "pytorch_version": "2.0"}}
        rdf["inputs"][0]["preprocessing"] = [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
        rdf["outputs"][0]["postprocessing"] = [{"id": "ensure_dtype", "kwargs": {"dtype": "uint16"}}]

    folder = make_package(described, folder=tmp_path / "a package")
    network = torch.nn.Conv2d(1, 1, 1)
    with torch.no_grad():
        network.weight.fill_(1.0)
        network.bias.fill_(1.0)
    torch.jit.save(torch.jit.script(network), folder / "net.pt")
    said = refused(folder, "onscope export")
    words = shlex.split(said.split("`")[1].replace("FOLDER", str(tmp_path / "out")))
    assert words[:1] == ["onscope"]
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert not ended.value.code
    package = Package.load(tmp_path / "out")
    assert (package.name, package.inputs[0].sizes[2].step) == ("plus one", 2)
    assert np.array_equal(package.load_test_outputs()[0], package.load_test_inputs()[0] + np.uint16(1))
