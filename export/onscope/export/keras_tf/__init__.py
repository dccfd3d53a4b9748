"""Keras and TensorFlow, imported when they are used: networks that run and convert themselves."""

from ._door import quiet, require_keras
from ._network import KerasNetwork

__all__ = ["KerasNetwork", "quiet", "require_keras"]
