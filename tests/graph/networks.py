"""Small ONNX networks of the kinds that microscopy has, in the opset that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper


class Nodes:
    """Nodes and weights as they are written, each operator in the form that `opset` knows."""

    def __init__(self, opset: int, seed: int = 0) -> None:
        self.opset = opset
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.random = np.random.default_rng(seed)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One operator with one output; its name."""
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=f"node_{name}", **attributes))
        return name

    def hold(self, array: npt.ArrayLike, dtype: Any = np.float32) -> str:
        """A weight or constant; its name."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def unsqueeze(self, x: str, axes: Sequence[int]) -> str:
        if self.opset >= 13:
            return self.op("Unsqueeze", x, self.hold(axes, np.int64))
        return self.op("Unsqueeze", x, axes=list(axes))

    def squeeze(self, x: str, axes: Sequence[int]) -> str:
        if self.opset >= 13:
            return self.op("Squeeze", x, self.hold(axes, np.int64))
        return self.op("Squeeze", x, axes=list(axes))

    def part(self, x: str, start: int, end: int) -> str:
        """Some of a vector."""
        if self.opset >= 10:
            return self.op("Slice", x, *(self.hold([each], np.int64) for each in (start, end, 0)))
        return self.op("Slice", x, starts=[start], ends=[end], axes=[0])

    def mean(self, x: str, axes: Sequence[int]) -> str:
        if self.opset >= 18:
            return self.op("ReduceMean", x, self.hold(axes, np.int64), keepdims=1)
        return self.op("ReduceMean", x, axes=list(axes), keepdims=1)

    def clip(self, x: str, low: float, high: float) -> str:
        if self.opset >= 11:
            return self.op("Clip", x, self.hold(low), self.hold(high))
        return self.op("Clip", x, min=low, max=high)

    def reflect(self, x: str, width: int, dims: int) -> str:
        """`width` pixels of reflection at either end of the last `dims` axes."""
        pads = ([0, 0] + [width] * dims) * 2
        if self.opset >= 11:
            return self.op("Pad", x, self.hold(pads, np.int64), mode="reflect")
        return self.op("Pad", x, pads=pads, mode="reflect")

    def twice(self, x: str, dims: int) -> str:
        """Every pixel twice along y and x."""
        scales = self.hold([1.0, 1.0] + [1.0] * (dims - 2) + [2.0, 2.0])
        if self.opset == 9:
            return self.op("Upsample", x, scales, mode="nearest")
        if self.opset == 10:
            return self.op("Resize", x, scales, mode="nearest")
        asked = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.op("Resize", x, self.hold(np.zeros(0)), scales, mode="nearest", **asked)

    def conv(
        self, x: str, cin: int, cout: int, dims: int, size: int = 3, pad: int | None = None, stride: int = 1
    ) -> str:
        """A convolution along y and x (and, with `dims` 3, a 3-pixel one along the first), "same" unless `pad` says."""
        deep = [min(size, 3)] * (dims - 2)
        kernel = [*deep, size, size]
        limit = 1.5 / np.sqrt(cin * np.prod(kernel))
        weight = self.random.uniform(-limit, limit, [cout, cin, *kernel]) + limit / 3
        inner = size // 2 if pad is None else pad
        pads = [each // 2 for each in deep] + [inner, inner]
        strides = [1] * (dims - 2) + [stride, stride]
        bias = self.hold(self.random.uniform(-0.05, 0.05, cout))
        return self.op("Conv", x, self.hold(weight), bias, kernel_shape=kernel, pads=pads * 2, strides=strides)


@dataclass(frozen=True)
class Kind:
    """What a network does to sizes: output = input * `scale` + `offset` along y and x, inputs `least` + n * `step`."""

    build: Callable[[Nodes, str, int, int, int], list[str]]
    least: int = 4
    step: int = 1
    scale: float = 1.0
    offset: int = 0
    outputs: int = 1


def _pointwise(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    return [net.conv(x, cin, cout, dims, size=1)]


def _conv(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    return [net.conv(net.op("Relu", net.conv(x, cin, 4, dims)), 4, cout, dims)]


def _unet(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    half = {"kernel_shape": [1] * (dims - 2) + [2, 2], "strides": [1] * (dims - 2) + [2, 2]}
    first = net.op("Relu", net.conv(x, cin, 4, dims))
    second = net.op("Relu", net.conv(net.op("MaxPool", first, **half), 4, 6, dims))
    low = net.op("Relu", net.conv(net.op("MaxPool", second, **half), 6, 6, dims))
    up = net.op("Concat", net.twice(low, dims), second, axis=1)
    up = net.op("Relu", net.conv(up, 12, 4, dims))
    up = net.op("Concat", net.twice(up, dims), first, axis=1)
    return [net.conv(up, 8, cout, dims)]


def _upsample(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    return [net.conv(net.twice(net.conv(x, cin, 4, dims), dims), 4, cout, dims)]


def _downsample(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    return [net.conv(net.op("Relu", net.conv(x, cin, 4, dims, stride=2)), 4, cout, dims)]


def _valid(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    return [net.conv(net.op("Relu", net.conv(x, cin, 4, dims, pad=0)), 4, cout, dims, pad=0)]


def _instance_norm(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    inner = net.conv(x, cin, 4, dims)
    normal = net.op("InstanceNormalization", inner, net.hold([1.0] * 4), net.hold([0.1] * 4), epsilon=1e-5)
    return [net.conv(net.op("Relu", normal), 4, cout, dims)]


def _two_outputs(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    inner = net.op("Relu", net.conv(x, cin, 4, dims))
    return [net.conv(inner, 4, cout, dims), net.op("Sigmoid", net.conv(inner, 4, cout, dims))]


def _old_forms(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    """Operators whose form changed between opset 9 and the newest: what an upgrade has to keep."""
    inner = net.conv(net.reflect(x, 1, dims), cin, 4, dims, pad=0)
    weights = [net.hold(net.random.uniform(0.5, 1.5, 4)) for _ in range(4)]
    inner = net.op("BatchNormalization", inner, *weights, epsilon=1e-3)
    inner = net.op("Sub", inner, net.mean(inner, [2, 3]))
    inner = net.squeeze(net.unsqueeze(net.clip(inner, -500.0, 500.0), [0]), [0])
    inner = net.op("LeakyRelu", net.op("Dropout", inner), alpha=0.1)
    inner = net.op("Add", inner, net.op("Softmax", inner, axis=1))
    half = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return [net.conv(net.twice(net.op("AveragePool", inner, **half), dims), 4, cout, dims)]


def _shapes(net: Nodes, x: str, cin: int, cout: int, dims: int) -> list[str]:
    """Sizes worked out in the graph, as exporters write it: attention over channels, and Resize to computed sizes."""
    inner = net.conv(x, cin, 4, dims)
    shape = net.op("Shape", inner)
    flat = net.op("Reshape", inner, net.op("Concat", net.part(shape, 0, 2), net.hold([-1], np.int64), axis=0))
    weights = net.op("Softmax", net.op("MatMul", flat, net.op("Transpose", flat, perm=[0, 2, 1])), axis=2)
    inner = net.op("Reshape", net.op("MatMul", weights, flat), shape)
    if net.opset < 11:
        return [net.conv(net.twice(inner, dims), 4, cout, dims)]
    doubled = net.op("Mul", net.part(shape, dims, dims + 2), net.hold([2, 2], np.int64))
    sizes = net.op("Concat", net.part(shape, 0, dims), doubled, axis=0)
    asked = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    empty = net.hold(np.zeros(0))
    return [net.conv(net.op("Resize", inner, empty, empty, sizes, mode="nearest", **asked), 4, cout, dims)]


KINDS: dict[str, Kind] = {
    "pointwise": Kind(_pointwise),
    "conv": Kind(_conv),
    "unet": Kind(_unet, least=16, step=4),
    "upsample": Kind(_upsample, scale=2.0),
    "downsample": Kind(_downsample, least=8, step=2, scale=0.5),
    "valid": Kind(_valid, least=8, offset=-4),
    "instance_norm": Kind(_instance_norm),
    "two_outputs": Kind(_two_outputs, outputs=2),
    "shapes": Kind(_shapes, scale=2.0),
    "old_forms": Kind(_old_forms, least=8, step=2),
}
