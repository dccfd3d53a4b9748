"""The receptive field of a graph: which input pixels an output pixel depends on, followed node by node."""

from ._receptive import AxisField, Field, difference, field_of, receptive_field, trace_of
from ._trace import Trace

__all__ = [
    "AxisField",
    "Field",
    "Trace",
    "difference",
    "field_of",
    "receptive_field",
    "trace_of",
]
