"""Keras and TensorFlow, imported when they are used: networks that run and convert themselves."""

from ._config import describes
from ._door import failures, quiet, require_keras
from ._files import Inspected, inspected
from ._function import FunctionNetwork, of_graph, of_saved_model
from ._graphs import frozen_graph, saved_signature
from ._limits import at_most
from ._network import KerasNetwork
from ._shapes import stated_by
from .keras2 import of_hdf5, of_zip

__all__ = [
    "FunctionNetwork",
    "Inspected",
    "KerasNetwork",
    "at_most",
    "describes",
    "failures",
    "frozen_graph",
    "inspected",
    "of_graph",
    "of_hdf5",
    "of_saved_model",
    "of_zip",
    "quiet",
    "require_keras",
    "saved_signature",
    "stated_by",
]
