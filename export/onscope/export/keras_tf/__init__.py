"""Keras and TensorFlow, imported when they are used: networks that run and convert themselves."""

from ._door import failures, quiet, require_keras
from ._files import inspected
from ._function import FunctionNetwork, of_graph, of_saved_model
from ._graphs import frozen_graph, saved_signature
from ._network import KerasNetwork
from ._shapes import stated_by

__all__ = [
    "FunctionNetwork",
    "KerasNetwork",
    "failures",
    "frozen_graph",
    "inspected",
    "of_graph",
    "of_saved_model",
    "quiet",
    "require_keras",
    "saved_signature",
    "stated_by",
]
