"""The packages that are measured: one convolution, and U-Nets with random weights, normalised by percentiles."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper
from ruamel.yaml import YAML

from onscope.runtime import Package

LOW, HIGH = 1.0, 99.8
"""Percentiles that become 0 and 1: what CARE, StarDist and most published packages ask for."""
GAIN, MOST = 4000.0, 65535.0
"""Counts per unit of the network's answer, and the most that uint16 holds."""
LEVELS = 3


def one_convolution(folder: Path) -> Package:
    """A 3x3 mean, the least that is still a network: uint16 -> percentiles to 0 and 1 -> mean -> counts, uint16."""
    network = _Network(0)
    return _write(folder, network, network.conv("x", np.full((1, 1, 3, 3), 1 / 9)), counts=True)


def unet(folder: Path, features: int, *, counts: bool = True) -> Package:
    """A residual U-Net of three levels; float32 as the network gives it unless `counts` brings it back to uint16."""
    network = _Network(features)
    x, width, skips = "x", 1, []
    for level in range(LEVELS):
        wide = features << level
        x = network.block(network.block(x, width, wide), wide, wide)
        width = wide
        if level < LEVELS - 1:
            skips.append((x, wide))
            x = network.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    for skip, wide in reversed(skips):
        x = network.op("Resize", x, "", network.hold([1, 1, 2, 2]), mode="nearest")
        x = network.op("Concat", x, skip, axis=1)
        x = network.block(network.block(x, width + wide, wide), wide, wide)
        width = wide
    x = network.conv(x, network.random.normal(0, 0.01, (1, width, 1, 1)))
    return _write(folder, network, network.op("Add", x, "x"), counts=counts)


class _Network:
    """Nodes and weights as they are written."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.random = np.random.default_rng(seed)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def hold(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def conv(self, x: str, weights: Any) -> str:
        side = weights.shape[-1] // 2
        return self.op("Conv", x, self.hold(weights), pads=[side] * 4)

    def block(self, x: str, before: int, after: int) -> str:
        weights = self.random.normal(0, (2 / (9 * before)) ** 0.5, (after, before, 3, 3))
        return self.op("Relu", self.conv(x, weights))


def _write(folder: Path, network: _Network, answer: str, *, counts: bool) -> Package:
    """A BioImage.IO 0.5 package that reads uint16 frames and normalises them by percentiles."""
    folder.mkdir(parents=True, exist_ok=True)
    free = [1, 1, None, None]
    graph = helper.make_graph(
        [*network.nodes, helper.make_node("Identity", [answer], ["y"])],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, free)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, free)],
        network.weights,
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), folder / "weights.onnx"
    )
    np.save(folder / "input.npy", np.zeros((1, 1, 64, 64), np.uint16))
    np.save(folder / "output.npy", np.zeros((1, 1, 64, 64), np.uint16 if counts else np.float32))
    (folder / "README.md").write_text("# A network for benchmarks\n\nIts weights are random.\n")
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(_description(folder, counts), file)
    return Package.load(folder)


def _description(folder: Path, counts: bool) -> dict[str, Any]:
    def described(name: str) -> dict[str, str]:
        return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    back = [
        {"id": "scale_linear", "kwargs": {"gain": GAIN, "offset": 0.0}},
        {"id": "clip", "kwargs": {"min": 0.0, "max": MOST}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "uint16"}},
    ]
    return {
        "type": "model",
        "format_version": "0.5.12",
        "name": f"benchmark {folder.name}",
        "description": "A network for benchmarks.",
        "license": "BSD-3-Clause",
        "authors": [{"name": "The onscope developers"}],
        "cite": [{"text": "None", "doi": "10.1234/none"}],
        "documentation": described("README.md"),
        "inputs": [
            {
                "id": "x",
                "axes": _axes({"min": 16, "step": 4}),
                "test_tensor": described("input.npy"),
                "data": {"type": "uint16"},
                "preprocessing": [
                    {"id": "scale_range", "kwargs": {"min_percentile": LOW, "max_percentile": HIGH}},
                    {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
                ],
            }
        ],
        "outputs": [
            {
                "id": "y",
                "axes": _axes(None),
                "test_tensor": described("output.npy"),
                "data": {"type": "uint16" if counts else "float32"},
                "postprocessing": back if counts else [],
            }
        ],
        "weights": {"onnx": {**described("weights.onnx"), "opset_version": 20}},
        "config": {"onscope": {"decode": "image"}},
    }


def _axes(size: dict[str, int] | None) -> list[dict[str, Any]]:
    """batch, channel, y, x of a size; None: of the input's."""
    space: list[dict[str, Any]] = [
        {"type": "space", "id": name, "size": size or {"tensor_id": "x", "axis_id": name}} for name in ("y", "x")
    ]
    return [{"type": "batch", "size": 1}, {"type": "channel", "id": "channel", "channel_names": ["grey"]}, *space]
