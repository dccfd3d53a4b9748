"""TensorRT: engines built ahead for one GPU, natively by the `tensorrt` package or through ONNX Runtime's providers."""

from ._dialect import COUNTS, STANDARD, carry_in_float, kinds_of
from ._engine import TensorRtEngine
from ._rtx import TensorRtRtxEngine
from ._spelled import spell_out
from ._through_onnxruntime import TensorRtThroughOnnxRuntime

__all__ = [
    "COUNTS",
    "STANDARD",
    "TensorRtEngine",
    "TensorRtRtxEngine",
    "TensorRtThroughOnnxRuntime",
    "carry_in_float",
    "kinds_of",
    "spell_out",
]
