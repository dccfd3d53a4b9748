"""Which rule writes which operator. What is not here is refused: mixed windows would be wrong in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from . import _along, _elementwise, _gather, _matrix, _recurrent, _stacked
from ._writer import Writer

if TYPE_CHECKING:
    from onnx import NodeProto

Rule = Callable[[Writer, "NodeProto"], None]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **dict.fromkeys(_elementwise.UNARY, _elementwise.unary),
        **dict.fromkeys(_elementwise.BROADCAST, _elementwise.broadcast),
        "Clip": _elementwise.clip,
        "DequantizeLinear": _elementwise.dequantize,
        "Dropout": _elementwise.dropout,
        "PRelu": _elementwise.prelu,
        "QuantizeLinear": _elementwise.quantize,
        **dict.fromkeys(("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"), _along.reshaped),
        **dict.fromkeys(("Shape", "Size"), _along.shape_of),
        **dict.fromkeys(
            ("ArgMax", "ArgMin", "Hardmax", "LogSoftmax", "LpNormalization", "Softmax", "Split"), _along.along_axis
        ),
        **dict.fromkeys(_along.REDUCES, _along.reduce),
        "Concat": _along.concat,
        "CumSum": _along.cumsum,
        "Expand": _along.expand,
        "LayerNormalization": _along.layer_norm,
        "OneHot": _along.one_hot,
        "Pad": _along.pad,
        "Slice": _along.slice_,
        "Tile": _along.tile,
        "TopK": _along.topk,
        "Transpose": _along.transpose,
        "Trilu": _along.trilu,
        **dict.fromkeys(_stacked.STACKED, _stacked.stacked),
        "BatchNormalization": _stacked.batch_norm,
        "GridSample": _stacked.grid_sample,
        "MaxPool": _stacked.max_pool,
        "Resize": _stacked.resize,
        "Gather": _gather.gather,
        "GatherND": _gather.gather_nd,
        **dict.fromkeys(("GatherElements", "ScatterElements"), _gather.gather_elements),
        "ScatterND": _gather.scatter_nd,
        "Einsum": _matrix.einsum,
        "Gemm": _matrix.gemm,
        "MatMul": _matrix.matmul,
        **dict.fromkeys(_recurrent.KINDS, _recurrent.recurrent),
    }
)
"""Of the standard operators, by their names."""

RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
"""Refused even where they read nothing of a window: each run draws anew."""
