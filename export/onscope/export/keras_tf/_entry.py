"""The way into a graph of TensorFlow: images, and switches that are set as after training.

Graphs of TensorFlow 1 take such switches beside the image: is_training, keep_prob of a dropout, Keras' learning phase.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TRAINING = re.compile(r"train|phase|drop|augment", re.IGNORECASE)
USING = re.compile(r"infer|test|eval|predict|frozen", re.IGNORECASE)
KEPT = re.compile(r"keep_?prob|keep_?rate|\bkeep\b", re.IGNORECASE)
DROPPED = re.compile(r"drop", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """Names of what takes images, and of switches with the values at which nothing is trained."""

    images: tuple[str, ...]
    switches: Mapping[str, bool | float] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, in sentences."""
        return tuple(f"the input {name!r} of the graph was set to {value}: nothing is trained or dropped here"
                     for name, value in self.switches.items())  # fmt: skip


def entry_of(inputs: Iterable[tuple[str, int, Any]], optional: Iterable[tuple[str, int, Any]] = ()) -> Entry:
    """Which of the (name, DataType, TensorShapeProto) are images, and which switches.

    `optional` have values of their own, which are kept where they are no switches by their names.
    """
    images, switches = [], dict[str, bool | float]()
    for name, dtype, shape in inputs:
        value = _setting(name, dtype, shape)
        if value is None:
            images.append(name)
        else:
            switches[name] = value
    for name, dtype, shape in optional:
        value = _setting(name, dtype, shape)
        if value is not None:
            switches[name] = value
    return Entry(tuple(images), switches)


def _setting(name: str, dtype: int, shape: Any) -> bool | float | None:
    """What a switch of this name is set to; None: it is none."""
    from tensorflow.core.framework import types_pb2

    if len(shape.dim) > 0:
        return None
    own = name.rpartition("/")[2]
    if dtype == types_pb2.DT_BOOL:
        return False if TRAINING.search(own) else True if USING.search(own) else None
    if dtype in (types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE, types_pb2.DT_HALF):
        return 1.0 if KEPT.search(own) else 0.0 if DROPPED.search(own) else None
    return None


def set_switches(graph: Any, switches: Mapping[str, bool | float]) -> None:
    """Make constants of them in a GraphDef, so that what they choose is settled before anything is traced."""
    import numpy as np
    import tensorflow as tf

    for node in graph.node:
        if node.name in switches:
            dtype = tf.as_dtype(node.attr["dtype"].type)
            value = tf.make_tensor_proto(np.asarray(switches[node.name], dtype.as_numpy_dtype))
            node.op = "Const"
            del node.input[:]
            for name in [name for name in node.attr if name != "dtype"]:
                del node.attr[name]
            node.attr["dtype"].type = dtype.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(value)
