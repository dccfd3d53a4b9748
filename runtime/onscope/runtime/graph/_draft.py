"""A graph being written: nodes, constants and inputs under fresh names, with the dtype and axes of every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from onnx import NodeProto, TensorProto, ValueInfoProto

OPSET, IR_VERSION = 21, 10
"""What is written unless a network needs a newer opset: ONNX Runtime, OpenVINO and TensorRT all take it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in a draft: its name there, NumPy dtype, and the ids of its axes with their sizes (None: varies)."""

    name: str
    dtype: str
    axes: tuple[str, ...]
    shape: tuple[int | None, ...]


class Draft:
    """Collects what `onnx.helper.make_graph` needs; every name begins with `prefix`, and none is given twice.

    `opset` is the one that it will be written in.
    """

    def __init__(self, prefix: str = "", opset: int = OPSET) -> None:
        self.opset = opset
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []
        self.made: dict[Any, Any] = {}
        """What has been written already and may be wanted again, under keys of those who wrote it."""
        self._prefix = prefix
        self._count = 0
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._casts: dict[str, Value] = {}

    def fresh(self, hint: str) -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"{self._prefix}{hint}_{self._count}"

    def constant(self, array: npt.ArrayLike, dtype: str | None = None) -> str:
        """The name of an initializer; equal ones are stored once."""
        from onnx import numpy_helper

        held = np.ascontiguousarray(np.asarray(array, dtype)).reshape(np.shape(array))
        key = (held.dtype.name, held.shape, held.tobytes())
        if key not in self._constants:
            self._constants[key] = self.fresh("constant")
            self.initializers.append(numpy_helper.from_array(held, self._constants[key]))
        return self._constants[key]

    def node(self, kind: str, inputs: Sequence[str], hint: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Add an operator of the default domain; the name of its output, or a list of names for several."""
        from onnx import helper

        names = [self.fresh(hint or kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=self.fresh(f"node_{kind}"), **attributes))
        return names[0] if outputs == 1 else names

    def input(self, name: str, dtype: str, shape: Sequence[int | None]) -> str:
        """Declare an input of the graph under exactly this name."""
        self.inputs.append(_info(name, dtype, shape))
        return name

    def output(self, value: Value, name: str) -> str:
        """Declare an output of the graph under exactly this name."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value.name], [name], name=self.fresh("node_output")))
        self.outputs.append(_info(name, value.dtype, value.shape))
        return name

    def cast(self, value: Value, dtype: str) -> Value:
        """The value in another dtype; as it is when it has that already."""
        from onnx import helper

        if value.dtype == dtype:
            return value
        to = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        made = Value(self.node("Cast", [value.name], to=to), dtype, value.axes, value.shape)
        self._casts[made.name] = value
        return made

    def before_cast(self, value: Value) -> Value:
        """What the value was cast from; itself where it was not."""
        return self._casts.get(value.name, value)


def _info(name: str, dtype: str, shape: Sequence[int | None]) -> ValueInfoProto:
    from onnx import helper

    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
