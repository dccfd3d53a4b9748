"""The least that a network can take on a card: its arithmetic at the card's peak, or its bytes at its bandwidth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import numpy_helper, shape_inference


@dataclass(frozen=True)
class Card:
    """Dense peaks of a data sheet in TFLOP/s by precision (without sparsity), and GB/s of its memory."""

    tflops: dict[str, float]
    gb_s: float


# NVIDIA's data sheets (H200, H100 SXM, RTX 4090, L4, AGX Orin 64 GB); float32 is that of the vector units, not TF32.
CARDS = {
    "H200": Card({"float32": 67, "fp16": 989, "int8": 1979}, 4800),
    "H100": Card({"float32": 67, "fp16": 989, "int8": 1979}, 3350),
    "RTX 4090": Card({"float32": 82.6, "fp16": 165, "int8": 661}, 1008),
    "L4": Card({"float32": 30.3, "fp16": 121, "int8": 242}, 300),
    "Orin": Card({"float32": 5.3, "fp16": 42.5, "int8": 85}, 204.8),
}


@dataclass(frozen=True)
class Work:
    """Of one run: multiplications and additions of its convolutions in GFLOP, MB of weights, frames and answers."""

    gflop: float
    mb: float


def work_of(graph: Path) -> Work:
    """Of an ONNX file whose sizes are fixed."""
    model = shape_inference.infer_shapes(onnx.load(graph))
    shapes = {
        value.name: [each.dim_value for each in value.type.tensor_type.shape.dim]
        for value in (*model.graph.value_info, *model.graph.input, *model.graph.output)
    }
    weights = {each.name: each for each in model.graph.initializer}
    flop = 0.0
    for node in model.graph.node:
        if node.op_type == "Conv" and shapes.get(node.output[0]):
            name = node.input[1]
            kernel = list(weights[name].dims) if name in weights else shapes.get(name, [])
            flop += 2 * math.prod(kernel[1:]) * math.prod(shapes[node.output[0]]) if kernel else 0
    nbytes = sum(numpy_helper.to_array(each).nbytes for each in weights.values())
    for value in (*model.graph.input, *model.graph.output):
        kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        nbytes += math.prod(shapes[value.name]) * kind.itemsize
    return Work(flop / 1e9, nbytes / 1e6)


def floor_ms(work: Work, card: str, precision: str) -> float | None:
    """Milliseconds; None for a card that is not listed."""
    for name, known in CARDS.items():
        if name in card:
            return max(work.gflop / known.tflops[precision], work.mb / known.gb_s)
    return None
