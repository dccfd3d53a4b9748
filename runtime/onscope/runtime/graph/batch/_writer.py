"""A graph for many windows being written: which tensors differ from window to window, and how they lie in memory.

A tensor of the shape (a, b, c) lies for n windows either in front, as (n, a, b, c), or merged, as (n * a, b, c): what
convolutions take, and the same bytes. So a tensor that has one of the two has the other for a Reshape, which copies
nothing, and what only changes a shape (Unsqueeze, Reshape, ...) writes no node at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy.typing as npt

from .._draft import Draft

if TYPE_CHECKING:
    from onnx import NodeProto

Form = Literal["front", "merged"]
Shape = tuple[int, ...]
Array = npt.NDArray[Any]
WINDOWS = "windows"
"""The name of the free axis."""


class NotBatched(Exception):
    """Why a node cannot be written for many windows, in words that follow "found ... ,"."""


@dataclass
class Batched:
    """A tensor that differs from window to window: its shape in one window, and the names that hold it.

    `views` has them by the sizes behind the first axis; tensors of the same bytes share it.
    """

    shape: Shape
    views: dict[Shape, str]

    @property
    def form(self) -> Form:
        """The one that costs no further node, or may lead to fewer."""
        if not self.shape:
            return "front"
        if self.shape[1:] in self.views:
            return "merged"
        return "front" if self.shape in self.views or self.shape[0] != 1 else "merged"


class Writer:
    """What rules write with. `shapes` and `dtypes` are those of one window's tensors, `constants` the known values."""

    def __init__(
        self, draft: Draft, shapes: Mapping[str, Shape], dtypes: Mapping[str, int], constants: Mapping[str, Array]
    ) -> None:
        self.draft, self.dtypes = draft, dtypes
        self.batched: dict[str, Batched] = {}
        self._shapes, self._constants = shapes, dict(constants)
        self._spread: dict[str, Batched] = {}
        self._first = ""
        self._count = ""

    def begin(self, name: str, shape: Shape) -> None:
        """An input of the graph: in front."""
        self.batched[name] = Batched(shape, {shape: name})
        self._first = self._first or name

    def shape(self, name: str) -> Shape:
        """A tensor's shape in one window; raises NotBatched when it is known only after a run."""
        known = self._shapes.get(name)
        if known is None:
            raise NotBatched(f"whose tensor {name!r} has a size that is known only after a run")
        if 0 in known:
            raise NotBatched(f"whose tensor {name!r} is empty")
        return known

    def value(self, name: str) -> Array:
        """A constant's value; raises NotBatched when it is none."""
        if name not in self._constants:
            raise NotBatched(f"whose {name!r} is no constant")
        return self._constants[name]

    def learn(self, name: str, value: Array) -> None:
        """A tensor that turned out to be a constant."""
        self._constants[name] = value

    def numbers(self, node: NodeProto, at: int) -> list[int] | None:
        """The whole numbers of a constant input; None where it is not given."""
        return None if not given(node, at) else [int(each) for each in self.value(node.input[at]).reshape(-1)]

    def alike(self, name: str) -> bool:
        """Whether a tensor is the same for all windows."""
        return name not in self.batched

    def form(self, name: str) -> Form:
        return self.batched[name].form if name in self.batched else "front"

    def view(self, name: str, tail: Shape) -> str:
        """The tensor as (windows, or a multiple of them, *tail); one that is alike is repeated for every window."""
        held = self.batched[name] if name in self.batched else self._repeated(name)
        if tail not in held.views:
            # A multiple of the windows: merged tensors and those that were reshaped hold the same bytes in order.
            target = self.draft.constant([-1, *tail], "int64")
            held.views[tail] = self.draft.node("Reshape", [next(iter(held.views.values())), target])
        return held.views[tail]

    def front(self, name: str, rank: int | None = None) -> str:
        """(windows, *shape), with ones before the shape where it has a smaller rank."""
        shape = self.shape(name)
        return self.view(name, (1,) * (0 if rank is None else rank - len(shape)) + shape)

    def merged(self, name: str) -> str:
        """(windows * first, *others)."""
        return self.view(name, self.shape(name)[1:])

    def as_form(self, name: str, form: Form) -> str:
        return self.merged(name) if form == "merged" else self.front(name)

    def count(self) -> str:
        """The number of windows, int64 of the shape (1,)."""
        if not self._count:
            self._count = self.draft.node("Shape", [self._first], "count", start=0, end=1)
        return self._count

    def ranks(self) -> str:
        """The windows' numbers from 0, int64 of the shape (windows,)."""
        if ("ranks",) not in self.draft.made:
            count = self.draft.node("Squeeze", [self.count()])
            zero, one = self.draft.constant(0, "int64"), self.draft.constant(1, "int64")
            self.draft.made["ranks",] = self.draft.node("Range", [zero, count, one])
        return str(self.draft.made["ranks",])

    def with_count(self, sizes: Sequence[int]) -> str:
        """(windows, *sizes) as a tensor of sizes."""
        return str(self.draft.node("Concat", [self.count(), self.draft.constant(sizes, "int64")], axis=0))

    def put(self, name: str, made: str, form: Form) -> None:
        """`made` holds the tensor `name` in that form."""
        shape = self.shape(name)
        self.batched[name] = Batched(shape, {shape[1:] if form == "merged" else shape: made})

    def put_view(self, name: str, made: str, tail: Shape) -> None:
        """`made` holds the tensor `name` with these sizes behind the first axis."""
        self.batched[name] = Batched(self.shape(name), {tail: made})

    def share(self, name: str, source: str) -> None:
        """The tensor `name` has the bytes of `source` in another shape."""
        self.batched[name] = Batched(self.shape(name), self.batched[source].views)

    def copy(self, node: NodeProto, inputs: Sequence[str], form: Form, **attributes: Any) -> list[str]:
        """The same node over these inputs, with these attributes changed; its outputs, in that form, are put."""
        names = self.emit(node, inputs, **attributes)
        for mine, made in zip(node.output, names, strict=True):
            if mine:
                self.put(mine, made, form)
        return names

    def emit(self, node: NodeProto, inputs: Sequence[str], **attributes: Any) -> list[str]:
        """The same node over these inputs, with these attributes changed; its outputs' names."""
        from onnx import NodeProto, helper

        made = NodeProto()
        made.CopyFrom(node)
        made.input[:] = inputs
        kept = [each for each in node.attribute if each.name not in attributes]
        del made.attribute[:]
        made.attribute.extend(kept)
        made.attribute.extend(helper.make_attribute(key, each) for key, each in attributes.items())
        self.draft.nodes.append(made)
        return list(made.output)

    def _repeated(self, name: str) -> Batched:
        if name not in self._spread:
            shape = self.shape(name)
            wide = self.draft.node("Expand", [name, self.with_count(shape) if shape else self.count()])
            self._spread[name] = Batched(shape, {shape: wide})
        return self._spread[name]


def given(node: NodeProto, at: int) -> bool:
    """Whether a node has that input."""
    return len(node.input) > at and bool(node.input[at])


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """An attribute's value, or the default."""
    from onnx import helper

    found = next((each for each in node.attribute if each.name == name), None)
    return default if found is None else helper.get_attribute_value(found)


def positive(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis


def alike_only(writer: Writer, node: NodeProto, *places: int) -> None:
    """Raise NotBatched when one of these inputs differs from window to window."""
    for at in places:
        if given(node, at) and not writer.alike(node.input[at]):
            raise NotBatched(f"whose {node.input[at]!r} differs from window to window")
