"""Small networks for crops, whose answers can be told beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from onscope.runtime.graph import StageRequest
from onscope.runtime.package import Axis, AxisSize, TensorDescription, make_step

NUMBERS = ("mean", "largest", "middle")
OBJECTS = np.dtype([("label", np.int32), ("y", np.float32), ("x", np.float32)])


def objects(places: Any, labels: Sequence[int] | None = None) -> np.ndarray:
    """A table as measured objects are."""
    table = np.zeros(len(places), OBJECTS)
    if len(places):
        table["y"], table["x"] = np.asarray(places, np.float32).T
    table["label"] = np.arange(1, len(places) + 1) if labels is None else labels
    return table


def numbers(
    folder: Path,
    side: int = 8,
    dtype: str = "float32",
    *,
    channels: int = 1,
    steps: Sequence[tuple[str, Mapping[str, Any]]] = (),
    batch: AxisSize | None = None,
    settings: Mapping[str, Any] | None = None,
    **more: Any,
) -> StageRequest:
    """Answers with mean, largest and middle (side // 2) value of each crop's last channel, float32 (batch, 3)."""
    middle = [[0, side // 2, side // 2], [1, side // 2 + 1, side // 2 + 1]]
    nodes = [
        helper.make_node("Cast", ["crop"], ["all"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["all", "last", "end", "channel"], ["f"]),
        helper.make_node("ReduceMean", ["f", "yx"], ["mean"], keepdims=0),
        helper.make_node("ReduceMax", ["f", "yx"], ["largest"], keepdims=0),
        helper.make_node("Slice", ["f", "from", "to", "yx"], ["at"]),
        helper.make_node("ReduceMean", ["at", "yx"], ["middle"], keepdims=0),
        helper.make_node("Concat", ["mean", "largest", "middle"], ["answer"], axis=1),
    ]
    constants = {
        "last": np.array([-1]),
        "end": np.array([channels]),
        "channel": np.array([1]),
        "yx": np.array([2, 3]),
        "from": np.array(middle[0][1:]),
        "to": np.array(middle[1][1:]),
    }
    path = save(folder, nodes, constants, dtype, channels, 3)
    return request(
        path, side, dtype, channels=channels, values=3, steps=steps, batch=batch,
        settings={"decode": "vectors", "columns": NUMBERS, **(settings or {})}, **more,
    )  # fmt: skip


def save(
    folder: Path, nodes: Sequence[NodeProto], constants: Mapping[str, Any], dtype: str, channels: int, values: int
) -> Path:
    """An ONNX file from "crop" (batch, channels, y, x) to "answer" float32 (batch, values)."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("crop", kind, [None, channels, None, None])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, values])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "weights.onnx")
    return folder / "weights.onnx"


def request(
    weights: Path,
    side: int | None,
    dtype: str,
    *,
    values: int,
    channels: int = 1,
    steps: Sequence[tuple[str, Mapping[str, Any]]] = (),
    batch: AxisSize | None = None,
    settings: Mapping[str, Any] | None = None,
    **more: Any,
) -> StageRequest:
    """A stage that runs such a file on crops; `side` None: of any size."""
    first = Axis("batch", "batch", batch or AxisSize())
    sides = [Axis(id, "space", AxisSize(fixed=side) if side else AxisSize(minimum=4)) for id in ("y", "x")]
    given = TensorDescription(
        "crop",
        "crop",
        (first, Axis("channel", "channel", AxisSize(fixed=channels)), *sides),
        dtype,
        tuple(make_step(*step) for step in steps),
    )
    names = tuple(f"c{number}" for number in range(values))
    made = TensorDescription(
        "answer", "answer", (first, Axis("channel", "channel", AxisSize(fixed=values), channels=names)), "float32"
    )
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    defaults: dict[str, Any] = {"normalise": "per_crop"}
    return StageRequest(
        name="phase",
        weights=weights,
        weights_sha256=sha256,
        package_sha256=sha256,
        inputs=(given,),
        outputs=(made,),
        settings=MappingProxyType(dict(settings or {})),
        **{**defaults, **more},
    )
