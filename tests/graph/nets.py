"""Networks of one image input `x` (1, c, y, x) and one output `y`, written with a Draft, their free sizes left free."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper

from onscope.runtime.graph._draft import IR_VERSION, OPSET, Draft

Body = Callable[["Net", str], str]


class Net(Draft):
    """A draft with random positive weights, whole numbers or not."""

    def __init__(self, seed: int = 0, whole: bool = False) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.whole = whole

    def weights(self, *shape: int) -> str:
        if self.whole:
            return self.constant(self.random.integers(-1, 2, shape), "float32")
        return self.constant(self.random.uniform(0.5, 1.0, shape) / np.prod(shape[1:]), "float32")

    def conv(self, x: str, into: int, out: int, kernel: int = 3, pad: int | None = None, **more: Any) -> str:
        if "auto_pad" not in more:
            more["pads"] = [kernel // 2 * more.get("dilations", [1])[0] if pad is None else pad] * 4
        return str(self.node("Conv", [x, self.weights(out, into, kernel, kernel)], **more))

    def scaled(self, x: str, scale: float, mode: str = "nearest", coordinates: str = "half_pixel", **more: Any) -> str:
        scales = self.constant([1, 1, scale, scale], "float32")
        return str(self.node("Resize", [x, "", scales], mode=mode, coordinate_transformation_mode=coordinates, **more))

    def model(self, output: str, channels: int = 1, opset: int = OPSET, shape: Any = None) -> ModelProto:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape or ["b", channels, "h", "w"])
        self.nodes.append(helper.make_node("Identity", [output], ["y"]))
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "net", [x], [y], self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION)


def net(body: Body, channels: int = 1, opset: int = OPSET, **more: Any) -> ModelProto:
    written = Net(**more)
    return written.model(body(written, "x"), channels, opset)


def unet(written: Net, x: str, levels: int = 3, features: int = 2, convolutions: int = 2) -> str:
    """`levels` halvings and as many doublings, with skip connections; 3x3 convolutions padded with zeros."""

    def block(image: str, into: int) -> str:
        for place in range(convolutions):
            image = written.node("Relu", [written.conv(image, features if place else into, features)])
        return image

    skips, into = [], 1
    for _ in range(levels):
        x, into = block(x, into), features
        skips.append(x)
        x = written.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = block(x, features)
    for skip in reversed(skips):
        x = written.node("Concat", [written.scaled(x, 2, coordinates="asymmetric", nearest_mode="floor"), skip], axis=1)
        x = block(x, 2 * features)
    return written.conv(x, features, 1, 1)


def session(model: ModelProto, threads: int = 1) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def answer(model: ModelProto, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return session(model).run(None, {"x": image})[0]  # type: ignore[no-any-return]


def saved(model: ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path
