"""`cuda`: ONNX Runtime's CUDA provider, which opens graphs as they are: nothing has to be built for it."""

from ._engine import CudaEngine

__all__ = ["CudaEngine"]
