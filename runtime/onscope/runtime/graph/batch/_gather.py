"""Operators that take from places, or put to places, which may be each window's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._writer import NotBatched, Writer, attribute, positive

if TYPE_CHECKING:
    from onnx import NodeProto


def gather(writer: Writer, node: NodeProto) -> None:
    data, places = node.input[0], node.input[1]
    shape = writer.shape(data)
    axis = positive(attribute(node, "axis", 0), len(shape))
    if writer.alike(places):
        form = writer.form(data) if axis else "front"
        writer.copy(node, [writer.as_form(data, form), places], form, axis=axis + (form == "front"))
        return
    held = data if writer.alike(data) else writer.front(data)
    if axis:  # to the front, behind the windows, and back
        start = 0 if writer.alike(data) else 1
        order = [*range(start), axis + start, *(at + start for at in range(len(shape)) if at != axis)]
        held = writer.draft.node("Transpose", [held], perm=order)
    if writer.alike(data):
        made = writer.draft.node("Gather", [held, writer.front(places)], axis=0)
    else:
        tail = (*writer.shape(places), 1)
        made = writer.draft.node("GatherND", [held, writer.view(places, tail)], batch_dims=1)
    if axis:
        inner = len(writer.shape(places))
        others = [1 + inner + at for at in range(len(shape) - 1)]
        order = [0, *others[:axis], *range(1, 1 + inner), *others[axis:]]
        made = writer.draft.node("Transpose", [made], perm=order)
    writer.put(node.output[0], made, "front")


def gather_elements(writer: Writer, node: NodeProto) -> None:
    """Also ScatterElements: all inputs have the same axes."""
    axis = positive(attribute(node, "axis", 0), len(writer.shape(node.input[0])))
    writer.copy(node, [writer.front(name) for name in node.input], "front", axis=axis + 1)


def gather_nd(writer: Writer, node: NodeProto) -> None:
    shared = attribute(node, "batch_dims", 0)
    data, places = node.input[0], node.input[1]
    if writer.alike(data) and not shared:
        writer.copy(node, [data, writer.front(places)], "front")
        return
    writer.copy(node, [writer.front(data), writer.front(places)], "front", batch_dims=shared + 1)


def scatter_nd(writer: Writer, node: NodeProto) -> None:
    """Each place gets the number of its window before it."""
    data, places, values = node.input[0], node.input[1], node.input[2]
    shape = writer.shape(places)
    if not shape:
        raise NotBatched("which has no places")
    draft = writer.draft
    numbers = draft.node("Reshape", [writer.ranks(), draft.constant([-1] + [1] * len(shape), "int64")])
    numbers = draft.node("Expand", [numbers, writer.with_count([*shape[:-1], 1])])
    whole = draft.node("Concat", [numbers, writer.front(places)], axis=len(shape))
    writer.copy(node, [writer.front(data), whole, writer.front(values)], "front")
