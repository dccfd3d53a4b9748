"""The benchmark's U-Net in PyTorch, from its ONNX file: what people would write, copies from pinned memory included.

Eager, and as `torch.compile(mode="reduce-overhead")`, which records CUDA graphs. TF32 is off, as in our engines.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from onnx import numpy_helper

from onscope.runtime._frame import Pixels

from ..graphs._packages import GAIN, MOST

TYPES = {"float32": torch.float32, "fp16": torch.float16}


class Net(torch.nn.Module):
    """Runs the operators of the U-Net's file, in their order."""

    def __init__(self, weights: Path, low: float, high: float) -> None:
        super().__init__()
        graph = onnx.load(weights).graph
        self._held = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        for name, value in self._held.items():
            self.register_buffer(name, torch.from_numpy(value.copy()))
        self._nodes = [(node.op_type, tuple(node.input), node.output[0], _settings(node)) for node in graph.node]
        self._answer = graph.output[0].name
        self._low, self._scale = low, 1 / (high - low)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        """uint16 counts (as int16 bits) -> uint16 counts (as int16 bits), (y, x)."""
        counts = frame.to(torch.int32) & 0xFFFF
        known: dict[str, Any] = {"x": ((counts.to(torch.float32) - self._low) * self._scale)[None, None].to(self._type)}
        for kind, names, output, settings in self._nodes:
            known[output] = self._one(kind, [known.get(n, n) for n in names], settings)
        answer: torch.Tensor = known[self._answer][0, 0].to(torch.float32) * GAIN
        return answer.clamp(0, MOST).to(torch.int32).to(torch.int16)

    @property
    def _type(self) -> torch.dtype:
        return next(iter(self.buffers())).dtype

    def _one(self, kind: str, inputs: list[Any], settings: dict[str, Any]) -> torch.Tensor:
        if kind == "Conv":
            kernel = self.get_buffer(inputs[1])
            return functional.conv2d(inputs[0], kernel, padding=settings["pads"][0])
        if kind == "Relu":
            return torch.relu(inputs[0])
        if kind == "MaxPool":
            return functional.max_pool2d(inputs[0], 2)
        if kind == "Resize":
            return functional.interpolate(inputs[0], scale_factor=2, mode="nearest")
        if kind == "Concat":
            return torch.cat(inputs, 1)
        if kind == "Add":
            return torch.add(*inputs)
        if kind == "Identity":
            return torch.as_tensor(inputs[0])
        raise ValueError(f"found the operator {kind}, expected those of the benchmark's U-Net")


def player(net: Net, size: int, precision: str, device: str, compiled: bool) -> Callable[[Pixels], Pixels]:
    """From a frame in the host's memory to its answer there, as fast as PyTorch is asked to be."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    pinned = device == "cuda"
    network: Any = net.to(device).to(TYPES[precision]).eval()
    network = network.to(memory_format=torch.channels_last)
    if compiled:
        network = torch.compile(network, mode="reduce-overhead")
    there = torch.empty((size, size), dtype=torch.int16, device=device)
    here, back = (torch.empty((size, size), dtype=torch.int16, pin_memory=pinned) for _ in range(2))
    given, answer = here.numpy().view(np.uint16), back.numpy().view(np.uint16)

    @torch.inference_mode()
    def play(frame: Pixels) -> Pixels:
        np.copyto(given, frame)
        there.copy_(here, non_blocking=True)
        back.copy_(network(there), non_blocking=True)
        if pinned:
            torch.cuda.synchronize()
        return answer

    return play


def _settings(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
