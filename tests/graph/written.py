"""Stages of hand-written networks, and what every compiled graph must be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from onscope.runtime.graph import Compiled, Raw, StageRequest
from onscope.runtime.package import Axis, AxisSize, SizeReference, TensorDescription

RAW = Raw((48, 64), "uint16")
RANGE = (("scale_range", {"min_percentile": 1.0, "max_percentile": 99.0}),)
FRAME = np.random.default_rng(0).integers(120, 4000, (48, 64)).astype(np.uint16)


def described(name: str, channels: int = 1, follows: str = "") -> TensorDescription:
    """batch, channel, y, x; of free sizes, or as large as the input `follows`."""
    axes = [Axis("batch", "batch", AxisSize(fixed=1)), Axis("channel", "channel", AxisSize(fixed=channels))]
    for id in ("y", "x"):
        axes.append(Axis(id, "space", AxisSize(follows=SizeReference(follows, id)) if follows else AxisSize()))
    return TensorDescription(name, name, tuple(axes), "float32")


def stage(
    folder: Path,
    nodes: Sequence[NodeProto],
    weights: dict[str, Any] | None = None,
    *,
    opset: int = 20,
    ir: int = 9,
    inputs: Sequence[str] = ("image",),
    settings: dict[str, Any] | None = None,
    functions: Sequence[onnx.FunctionProto] = (),
    weights_are_inputs: bool = False,
) -> StageRequest:
    """A stage of a hand-written network that makes `answer` of float32 images."""
    shape = [1, 1, None, None]
    takes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in inputs]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()]
    if weights_are_inputs:
        takes += [helper.make_tensor_value_info(each.name, each.data_type, each.dims) for each in held]
    gives = [helper.make_tensor_value_info("answer", TensorProto.FLOAT, shape)]
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(each.domain, 1) for each in functions)]
    graph = helper.make_graph(list(nodes), "test", takes, gives, held)
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir, functions=list(functions))
    onnx.checker.check_model(model)
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(model.SerializeToString()).hexdigest()[:8]}.onnx"
    onnx.save(model, path)
    return StageRequest(
        name="stage",
        weights=path,
        weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        package_sha256="0" * 64,
        inputs=tuple(described(name) for name in inputs),
        outputs=(described("answer", follows=inputs[0]),),
        settings=MappingProxyType(settings or {}),
    )


def checked(compiled: Compiled) -> onnx.ModelProto:
    """The file, which must be valid and of known sizes throughout."""
    model = onnx.load(compiled.path)
    onnx.checker.check_model(model, full_check=True)
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        assert all(dim.HasField("dim_value") for dim in dims), value.name
    named = [node.name for node in model.graph.node]
    assert len(set(named)) == len(named)
    return model
