"""Small packages for tests of the live path: real ONNX graphs with answers that can be told beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper
from ruamel.yaml import YAML

from onscope.runtime import Frame, FrameId, FrameSpec, Package, Pipeline, Stage

SPEC = FrameSpec((48, 64), "uint16", camera="cam")


def frame(seq: int, value: int | None = None, spec: FrameSpec = SPEC, segment: int = 0, **more: Any) -> Frame:
    """A frame whose pixels all have one value (default: its number + 100)."""
    pixels = np.full(spec.shape, seq + 100 if value is None else value, spec.dtype)
    return Frame(FrameId("run", spec.camera, segment, seq), pixels, spec.axes, **more)


def pipeline(folder: Path, window: int = 1) -> Pipeline:
    """plus (adds 1) -> double (2x as large, by repeating), found (one row per pixel above 1000, at most 8)."""
    if window > 1:
        return Pipeline([Stage("mean", window_mean(folder / f"mean{window}", window))], window)
    plus = plus_one(folder / "plus")
    return Pipeline(
        [
            Stage("plus", plus),
            Stage("double", double(folder / "double"), reads="plus"),
            Stage("found", brightest(folder / "found"), reads="plus"),
        ]
    )


def plus_one(folder: Path, dtype: str = "uint16") -> Package:
    """image = frame + 1, in the frame's dtype."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "one"], ["g"]),
        helper.make_node("Cast", ["g"], ["image"], to=kind),
    ]
    constants = {"one": np.float32(1)}
    return write(folder, nodes, constants, dtype, ("image", dtype, image_axes(reference=True)))


def plus(folder: Path, number: int) -> Package:
    """image = frame + number, uint16."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "more"], ["g"]),
        helper.make_node("Cast", ["g"], ["image"], to=TensorProto.UINT16),
    ]
    output = ("image", "uint16", image_axes(reference=True))
    return write(folder, nodes, {"more": np.float32(number)}, "uint16", output)


def plus_rgb(folder: Path) -> Package:
    """image = frame + 1 for three uint8 channels."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "one"], ["g"]),
        helper.make_node("Cast", ["g"], ["image"], to=TensorProto.UINT8),
    ]
    output = ("image", "uint8", image_axes(3, reference=True))
    return write(folder, nodes, {"one": np.float32(1)}, "uint8", output, channels=3)


def root(folder: Path) -> Package:
    """image = sqrt(frame), float32: negative values answer NaN."""
    nodes = [helper.make_node("Sqrt", ["frame"], ["image"])]
    return write(folder, nodes, {}, "float32", ("image", "float32", image_axes(reference=True)))


def double(folder: Path) -> Package:
    """Every pixel four times."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node(
            "Resize", ["f", "", "scales"], ["g"], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        ),
        helper.make_node("Cast", ["g"], ["image"], to=TensorProto.UINT16),
    ]  # fmt: skip
    constants = {"scales": np.array([1, 1, 2, 2], np.float32)}
    return write(folder, nodes, constants, "uint16", ("image", "uint16", image_axes(reference=True, scale=2)))


def brightest(folder: Path) -> Package:
    """The 8 brightest pixels as (y=0, x=index, score=counts); those under 1000 counts are below the threshold."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["f", "flat"], ["g"]),
        helper.make_node("TopK", ["g", "k"], ["score", "where"], axis=0),
        helper.make_node("Cast", ["where"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "zero"], ["y"]),
        helper.make_node("Concat", ["y", "x", "score"], ["points"], axis=1),
    ]
    constants = {"flat": np.array([-1, 1]), "k": np.array([8]), "zero": np.float32(0)}
    axes: list[dict[str, Any]] = [
        {"type": "index", "id": "index", "size": 8},
        {"type": "channel", "id": "channel", "channel_names": ["y", "x", "score"]},
    ]
    settings = {"decode": "points", "columns": ["y", "x", "score"], "threshold": 1000.0}
    return write(folder, nodes, constants, "uint16", ("points", "float32", axes), settings=settings)


def top_of_floats(folder: Path) -> Package:
    """The whole float32 frame as points (y=0, x=0, score=pixel); what is NaN stays NaN."""
    nodes = [
        helper.make_node("Reshape", ["frame", "flat"], ["score"]),
        helper.make_node("Slice", ["score", "from", "to"], ["s"]),
        helper.make_node("Mul", ["s", "zero"], ["y"]),
        helper.make_node("Concat", ["y", "y", "s"], ["points"], axis=1),
    ]
    constants = {"flat": np.array([-1, 1]), "from": np.array([0]), "to": np.array([8]), "zero": np.float32(0)}
    axes: list[dict[str, Any]] = [
        {"type": "index", "id": "index", "size": 8},
        {"type": "channel", "id": "channel", "channel_names": ["y", "x", "score"]},
    ]
    settings = {"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.5}
    return write(folder, nodes, constants, "float32", ("points", "float32", axes), settings=settings)


def window_mean(folder: Path, length: int) -> Package:
    """The mean of `length` frames, given as channels."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f", "axis"], ["g"], keepdims=1),
        helper.make_node("Cast", ["g"], ["image"], to=TensorProto.UINT16),
    ]
    constants = {"axis": np.array([1])}
    return write(folder, nodes, constants, "uint16", ("image", "uint16", image_axes(reference=True)), channels=length)


def image_axes(channels: int = 1, *, reference: bool = False, scale: int = 1) -> list[dict[str, Any]]:
    """batch, channel, y, x; an output's follow the input's."""
    axes: list[dict[str, Any]] = [
        {"type": "batch", "id": "batch", "size": 1},
        {"type": "channel", "id": "channel", "channel_names": [f"c{n}" for n in range(channels)]},
    ]
    for name in ("y", "x"):
        size: Any = {"tensor_id": "frame", "axis_id": name} if reference else {"min": 8, "step": 1}
        axes.append(
            {"type": "space", "id": name, "size": size, "scale": 1 / scale}
            if reference
            else {"type": "space", "id": name, "size": size}
        )
    return axes


def write(
    folder: Path,
    nodes: Sequence[NodeProto],
    constants: dict[str, Any],
    dtype: str,
    output: tuple[str, str, list[dict[str, Any]]],
    *,
    channels: int = 1,
    settings: dict[str, Any] | None = None,
) -> Package:
    """Write a BioImage.IO 0.5 package with one input `frame` (1, channels, y, x) and open it."""
    if (folder / "rdf.yaml").exists():
        return Package.load(folder)
    folder.mkdir(parents=True)
    name, output_dtype, axes = output
    kinds = [helper.np_dtype_to_tensor_dtype(np.dtype(each)) for each in (dtype, output_dtype)]
    sizes = {"space": None, "batch": 1, "index": 8}
    shape = [len(axis["channel_names"]) if axis["type"] == "channel" else sizes[axis["type"]] for axis in axes]
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("frame", kinds[0], [1, channels, None, None])],
        [helper.make_tensor_value_info(name, kinds[1], shape)],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, folder / "weights.onnx")
    test = np.zeros((1, channels, 16, 16), dtype)
    session = onnxruntime.InferenceSession(folder / "weights.onnx", providers=["CPUExecutionProvider"])
    np.save(folder / "input.npy", test)
    np.save(folder / "output.npy", session.run(None, {"frame": test})[0])
    (folder / "README.md").write_text("# A network for tests\n\nIt answers what can be told beforehand.\n")

    def described(file: str) -> dict[str, str]:
        return {"source": file, "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest()}

    content = {
        "type": "model",
        "format_version": "0.5.12",
        "name": f"test {folder.name}",
        "description": "A network for tests.",
        "license": "BSD-3-Clause",
        "authors": [{"name": "The onscope developers"}],
        "cite": [{"text": "None", "doi": "10.1234/none"}],
        "documentation": described("README.md"),
        "inputs": [
            {
                "id": "frame",
                "axes": image_axes(channels),
                "test_tensor": described("input.npy"),
                "data": {"type": dtype},
            }
        ],
        "outputs": [{"id": name, "axes": axes, "test_tensor": described("output.npy"), "data": {"type": output_dtype}}],
        "weights": {"onnx": {**described("weights.onnx"), "opset_version": 20}},
        "config": {"onscope": settings or {"decode": "image"}},
    }
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return Package.load(folder)


def beside(folder: Path, side: str, steps: Sequence[dict[str, Any]]) -> Path:
    """Describe `steps` beside the graph of a package: before it (side "inputs") or after it ("outputs")."""
    rdf = folder / "rdf.yaml"
    content = YAML(typ="safe", pure=True).load(rdf.read_text(encoding="utf-8"))
    content[side][0]["preprocessing" if side == "inputs" else "postprocessing"] = list(steps)
    with rdf.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return folder
