"""Keras and TensorFlow, imported when they are used: networks that run and convert themselves."""

from ._door import failures, quiet, require_keras
from ._files import inspected
from ._network import KerasNetwork
from ._shapes import stated_by

__all__ = ["KerasNetwork", "failures", "inspected", "quiet", "require_keras", "stated_by"]
