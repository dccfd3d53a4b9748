"""Networks and descriptions of any axes, for tests that only open packages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper
from ruamel.yaml import YAML

Tensor = tuple[str, str, int]
"""Name in the graph, NumPy dtype, number of axes."""


def graph(inputs: Sequence[Tensor], outputs: Sequence[Tensor], opset: int = 20, ir: int = 10) -> onnx.ModelProto:
    """Every output is the first input, cast and reshaped as need be; it is valid, and that is all."""
    nodes = []
    for number, (name, dtype, _) in enumerate(outputs):
        nodes.append(helper.make_node("Cast", [inputs[0][0]], [f"cast{number}"], to=onnx_type(dtype)))
        nodes.append(helper.make_node("Reshape", [f"cast{number}", f"shape{number}"], [name]))
    shapes = [
        helper.make_tensor(f"shape{number}", onnx.TensorProto.INT64, [rank], [*[1] * (rank - 1), -1])
        for number, (_, _, rank) in enumerate(outputs)
    ]
    made = helper.make_graph(
        nodes, "network", [port(*tensor) for tensor in inputs], [port(*tensor) for tensor in outputs], shapes
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def port(name: str, dtype: str, rank: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type(dtype), [None] * rank)


def onnx_type(dtype: str) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def write(folder: Path, content: dict[str, Any], model: onnx.ModelProto) -> Path:
    """A package without test tensors or hashes; `content` is what is not the same in all."""
    folder.mkdir()
    (folder / "weights.onnx").write_bytes(model.SerializeToString())
    (folder / "README.md").write_text("# a network\n", encoding="utf-8")
    common = {
        "type": "model",
        "name": "a network",
        "description": "For tests.",
        "license": "BSD-3-Clause",
        "authors": [{"name": "A. Author"}],
        "cite": [{"text": "Nobody, nowhere", "doi": "10.1234/abc"}],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 20}},
    }
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(common | content, file)
    return folder


def new(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Content of format 0.5."""
    return {"format_version": "0.5.12", "documentation": {"source": "README.md"}, "inputs": inputs, "outputs": outputs}


def old(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Content of format 0.4; the test tensors are there."""
    return {
        "format_version": "0.4.10",
        "documentation": "README.md",
        "timestamp": "2024-01-01T00:00:00",
        "inputs": inputs,
        "outputs": outputs,
        "test_inputs": [f"in{number}.npy" for number in range(len(inputs))],
        "test_outputs": [f"out{number}.npy" for number in range(len(outputs))],
    }


def write_old(folder: Path, content: dict[str, Any], model: onnx.ModelProto) -> Path:
    write(folder, content, model)
    for name in (*content["test_inputs"], *content["test_outputs"]):
        np.save(folder / name, np.zeros((1, 1, 8, 8), np.float32))
    return folder
