"""A small package written by hand: a network that adds one count to a uint16 image, as BioImage.IO 0.5."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from ruamel.yaml import YAML


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plus_one(elem_type: int = TensorProto.UINT16) -> onnx.ModelProto:
    """y = x + 1 over float32, for images (1, 1, y, x)."""
    cast = helper.make_node("Cast", ["raw"], ["float"], to=TensorProto.FLOAT)
    add = helper.make_node("Add", ["float", "one"], ["sum"])
    back = helper.make_node("Cast", ["sum"], ["image"], to=elem_type)
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    shape: list[Any] = [1, 1, "y", "x"]
    graph = helper.make_graph(
        [cast, add, back],
        "plus_one",
        [helper.make_tensor_value_info("raw", elem_type, shape)],
        [helper.make_tensor_value_info("image", elem_type, shape)],
        [one],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def write_rdf(folder: Path, content: dict[str, Any]) -> None:
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        yaml = YAML(typ="safe")
        yaml.dump(content, file)


def space(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "space", "id": name, **more}


@pytest.fixture
def rdf() -> dict[str, Any]:
    """The description of the small package, without hashes; `make_package` adds them."""
    channel = {"type": "channel", "channel_names": ["image"]}
    data = {"type": "uint16"}
    free = {"min": 4, "step": 2}
    return {
        "type": "model",
        "format_version": "0.5.12",
        "name": "plus one",
        "description": "Adds one count.",
        "license": "BSD-3-Clause",
        "authors": [{"name": "A. Author"}],
        "cite": [{"text": "Nobody, nowhere", "doi": "10.1234/abc"}],
        "documentation": {"source": "README.md"},
        "inputs": [
            {
                "id": "raw",
                "axes": [{"type": "batch", "size": 1}, channel, space("y", size=free), space("x", size=free)],
                "data": data,
                "test_tensor": {"source": "test_raw.npy"},
            }
        ],
        "outputs": [
            {
                "id": "image",
                "axes": [
                    {"type": "batch", "size": 1},
                    channel,
                    space("y", size={"tensor_id": "raw", "axis_id": "y"}),
                    space("x", size={"tensor_id": "raw", "axis_id": "x"}),
                ],
                "data": data,
                "test_tensor": {"source": "test_image.npy"},
            }
        ],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 20}},
        "config": {
            "onscope": {"decode": "image", "columns": ["a", "b"], "threshold": 0.5},
            "bioimageio": {"reproducibility_tolerance": [{"relative_tolerance": 1e-4, "absolute_tolerance": 0.0}]},
        },
    }


@pytest.fixture
def make_package(tmp_path: Path, rdf: dict[str, Any]) -> Callable[..., Path]:
    """Write the small package; `change` may edit the description last, `model` replaces the network."""

    def make(
        change: Callable[[dict[str, Any]], object] | None = None,
        model: onnx.ModelProto | bytes | None = None,
        folder: Path = tmp_path / "package",
    ) -> Path:
        folder.mkdir()
        network = plus_one() if model is None else model
        (folder / "weights.onnx").write_bytes(network if isinstance(network, bytes) else network.SerializeToString())
        raw = np.arange(80, dtype=np.uint16).reshape(1, 1, 8, 10)
        np.save(folder / "test_raw.npy", raw)
        np.save(folder / "test_image.npy", raw + np.uint16(1))
        (folder / "README.md").write_text("# plus one\n\n## Validation\n", encoding="utf-8")
        rdf["weights"]["onnx"]["sha256"] = sha256(folder / "weights.onnx")
        for tensor in (rdf["inputs"][0], rdf["outputs"][0]):
            tensor["test_tensor"]["sha256"] = sha256(folder / tensor["test_tensor"]["source"])
        if change is not None:
            change(rdf)
        write_rdf(folder, rdf)
        return folder

    return make
