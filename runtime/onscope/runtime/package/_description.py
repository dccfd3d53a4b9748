"""What a package says of its tensors, as frozen plain values: axes with their sizes, and the steps beside the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

AxisKind = Literal["batch", "channel", "index", "time", "space"]
PadMode = Literal["", "symmetric", "reflect", "edge", "constant"]
"""How a tensor is padded, in NumPy's words; "" where the package does not say."""


@dataclass(frozen=True, slots=True)
class SizeReference:
    """A size that follows another axis: size of `axis` of `tensor` * `factor` + `offset` pixels, rounded down.

    `factor` is the reference's scale over the own one (BioImage.IO 0.5: SizeReference).
    """

    tensor: str
    axis: str
    factor: float = 1.0
    offset: float = 0

    def size(self, reference: int) -> int:
        """The size where the reference's is `reference`."""
        # Factors such as 1/3 are not exact: 96 pixels stay 32, not 31.
        return math.floor(reference * self.factor + self.offset + 1e-6)


@dataclass(frozen=True, slots=True)
class AxisSize:
    """Sizes an axis can have: `fixed`; or `minimum + n * step` up to `maximum` (None: without an end); or `follows`.

    Outputs that follow an input by a whole number of pixels have `follows`; sizes known only after the run have a
    `minimum` and perhaps a `maximum`.
    """

    fixed: int | None = None
    minimum: int = 1
    step: int = 1
    maximum: int | None = None
    follows: SizeReference | None = None

    def fits(self, size: int) -> bool:
        """Whether an axis of `size` is one of them, as far as can be said without the axis that it follows."""
        if self.fixed is not None:
            return size == self.fixed
        if size < self.minimum or (self.maximum is not None and size > self.maximum):
            return False
        return (size - self.minimum) % self.step == 0

    def at_least(self, size: int) -> int:
        """The smallest size that is one of them and not below `size`; a `fixed` one as it is."""
        if self.fixed is not None:
            return self.fixed
        return self.minimum + max(0, -(-(size - self.minimum) // self.step)) * self.step


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a tensor. `scale` is the size of a pixel in `unit` ("" : none stated), `halo` the pixels at either
    end of an output that are not to be trusted, `channels` the channels' names."""

    id: str
    kind: AxisKind
    size: AxisSize = AxisSize()
    scale: float = 1.0
    unit: str = ""
    halo: int = 0
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step beside the graph: BioImage.IO's id, and its keyword arguments with all defaults written out."""

    id: str
    arguments: Mapping[str, Any] = field(hash=False)

    def __reduce__(self) -> tuple[Any, ...]:  # read-only mappings cannot be pickled
        return make_step, (self.id, _thawed(self.arguments))


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """One input or output of a package's network.

    `name` is the description's, `graph_name` the one in the ONNX graph; `dtype` a NumPy name, of the tensor in the
    graph; `steps` are carried out before (inputs) or after the graph (outputs), in this order, an `ensure_dtype` to
    the graph's dtype last among those of an input. `optional`: the graph runs without it. `pad` says how an input is
    padded (format 0.5), `pad_value` with which value, before all steps, where that is "constant".
    """

    name: str
    graph_name: str
    described: tuple[Axis, ...]
    dtype: str
    steps: tuple[Step, ...] = ()
    optional: bool = False
    pad: PadMode = ""
    pad_value: float = 0.0

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes' ids, such as ("batch", "channel", "y", "x")."""
        return tuple(axis.id for axis in self.described)

    @property
    def kinds(self) -> tuple[AxisKind, ...]:
        return tuple(axis.kind for axis in self.described)

    @property
    def sizes(self) -> tuple[AxisSize, ...]:
        return tuple(axis.size for axis in self.described)

    @property
    def scale(self) -> float | None:
        """Pixels along y and x per pixel of the input that they follow; None: not stated, or not the same."""
        factors = {
            axis.id: axis.size.follows.factor if axis.size.follows else None
            for axis in self.described
            if axis.id in ("y", "x")
        }
        return factors["y"] if len(factors) == 2 and factors["y"] == factors["x"] else None

    @property
    def processing(self) -> tuple[str, ...]:
        """Ids of the steps."""
        return tuple(step.id for step in self.steps)

    @property
    def channels(self) -> int | None:
        """Number of channels (None: no such axis, or not fixed)."""
        return next((axis.size.fixed for axis in self.described if axis.kind == "channel"), None)

    def axis(self, id: str) -> Axis | None:
        """The axis of that id, if there is one."""
        return next((axis for axis in self.described if axis.id == id), None)


def tensor_message(tensor: TensorDescription) -> dict[str, Any]:
    """A tensor as plain values that JSON can hold; `tensor_from` reads them back."""
    plain = {
        "name": tensor.name,
        "graph_name": tensor.graph_name,
        "described": [asdict(axis) for axis in tensor.described],
        "dtype": tensor.dtype,
        "steps": [{"id": step.id, "arguments": _thawed(step.arguments)} for step in tensor.steps],
        "optional": tensor.optional,
        "pad": tensor.pad,
        "pad_value": tensor.pad_value,
    }
    return plain


def tensor_from(message: Mapping[str, Any]) -> TensorDescription:
    """What `tensor_message` wrote."""
    return TensorDescription(
        name=message["name"],
        graph_name=message["graph_name"],
        described=tuple(_axis(axis) for axis in message["described"]),
        dtype=message["dtype"],
        steps=tuple(make_step(step["id"], step["arguments"]) for step in message["steps"]),
        optional=message["optional"],
        pad=message["pad"],
        pad_value=message["pad_value"],
    )


def make_step(id: str, arguments: Mapping[str, Any]) -> Step:
    """A step with frozen arguments: lists become tuples, mappings read-only ones."""
    return Step(id, _frozen(arguments))


def _axis(message: Mapping[str, Any]) -> Axis:
    size = dict(message["size"])
    follows = size.pop("follows")
    return Axis(
        **{
            **message,
            "size": AxisSize(**size, follows=SizeReference(**follows) if follows else None),
            "channels": tuple(message["channels"]),
        }
    )


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(inner) for key, inner in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _thawed(inner) for key, inner in value.items()}
    return list(map(_thawed, value)) if isinstance(value, tuple) else value
