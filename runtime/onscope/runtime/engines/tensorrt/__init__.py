"""TensorRT: engines built ahead for one GPU, natively by the `tensorrt` package or through ONNX Runtime's provider."""

from ._engine import TensorRtEngine
from ._through_onnxruntime import TensorRtThroughOnnxRuntime

__all__ = ["TensorRtEngine", "TensorRtThroughOnnxRuntime"]
