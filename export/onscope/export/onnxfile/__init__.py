"""ONNX files as originals: inspected as untrusted input, run as they are, brought to another opset and free sizes."""

from ._network import OnnxNetwork, forms_of, guessed, size_notes
from ._open import open_onnx

__all__ = ["OnnxNetwork", "forms_of", "guessed", "open_onnx", "size_notes"]
