"""Operators along given axes: those of a window, one further back where the windows are in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._writer import Form, NotBatched, Writer, alike_only, attribute, given, positive

if TYPE_CHECKING:
    from onnx import NodeProto

REDUCE = tuple(f"Reduce{kind}" for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum"))
REDUCES = (*REDUCE, "ReduceSumSquare")


def along_axis(writer: Writer, node: NodeProto) -> None:
    """One axis, an attribute; further inputs are alike."""
    alike_only(writer, node, *range(1, len(node.input)))
    rank = len(writer.shape(node.input[0]))
    default = {"ArgMax": 0, "ArgMin": 0, "Split": 0}.get(node.op_type, -1)
    form, axis = _placed(writer, node, positive(attribute(node, "axis", default), rank))
    writer.copy(node, [writer.as_form(node.input[0], form), *node.input[1:]], form, axis=axis)


def reduce(writer: Writer, node: NodeProto) -> None:
    """Over all axes of a window where none are named."""
    rank = len(writer.shape(node.input[0]))
    axes = writer.numbers(node, 1)
    if not rank or (not axes and attribute(node, "noop_with_empty_axes", 0)):
        raise NotBatched("which reduces no axis")
    wanted = [positive(axis, rank) for axis in axes or range(rank)]
    form = writer.form(node.input[0]) if 0 not in wanted else "front"
    shifted = [axis + (form == "front") for axis in wanted]
    writer.copy(node, [writer.as_form(node.input[0], form), writer.draft.constant(shifted, "int64")], form)


def cumsum(writer: Writer, node: NodeProto) -> None:
    rank = len(writer.shape(node.input[0]))
    (own,) = writer.numbers(node, 1) or [0]
    form, axis = _placed(writer, node, positive(own, rank))
    writer.copy(node, [writer.as_form(node.input[0], form), writer.draft.constant(axis, "int64")], form)


def layer_norm(writer: Writer, node: NodeProto) -> None:
    """All axes from one on."""
    alike_only(writer, node, 1, 2)
    rank = len(writer.shape(node.input[0]))
    form, axis = _placed(writer, node, positive(attribute(node, "axis", -1), rank))
    writer.copy(node, [writer.as_form(node.input[0], form), *node.input[1:]], form, axis=axis)


def concat(writer: Writer, node: NodeProto) -> None:
    rank = len(writer.shape(node.output[0]))
    axis = positive(attribute(node, "axis"), rank)
    merged = axis > 0 and any(writer.form(name) == "merged" for name in node.input)
    form: Form = "merged" if merged else "front"
    writer.copy(node, [writer.as_form(name, form) for name in node.input], form, axis=axis + (not merged))


def slice_(writer: Writer, node: NodeProto) -> None:
    from onnx import TensorProto

    alike_only(writer, node, 1, 2, 3, 4)
    name, constant = node.input[0], writer.draft.constant
    rank = len(writer.shape(name))
    axes = writer.numbers(node, 3)
    wanted = [positive(axis, rank) for axis in (range(writer.shape(node.input[1])[0]) if axes is None else axes)]
    form = writer.form(name) if 0 not in wanted else "front"
    shifted = constant([axis + (form == "front") for axis in wanted], "int64")
    # Axes and steps have one integer type with where the slices begin and end.
    if writer.dtypes[node.input[1]] != TensorProto.INT64:
        shifted = writer.draft.node("Cast", [shifted], to=writer.dtypes[node.input[1]])
    writer.copy(node, [writer.as_form(name, form), *node.input[1:3], shifted, *node.input[4:]], form)


def pad(writer: Writer, node: NodeProto) -> None:
    alike_only(writer, node, 2)
    name = node.input[0]
    rank = len(writer.shape(name))
    pads, axes = writer.numbers(node, 1) or [], writer.numbers(node, 3)
    wanted = [positive(axis, rank) for axis in (range(rank) if axes is None else axes)]
    before, after = [0] * rank, [0] * rank
    for at, axis in enumerate(wanted):
        before[axis], after[axis] = pads[at], pads[at + len(wanted)]
    form = writer.form(name) if not before[0] and not after[0] else "front"
    more = [0] if form == "front" else []
    sizes = writer.draft.constant([*more, *before, *more, *after], "int64")
    value = [node.input[2]] if given(node, 2) else []
    writer.copy(node, [writer.as_form(name, form), sizes, *value], form)


def tile(writer: Writer, node: NodeProto) -> None:
    repeats = writer.numbers(node, 1) or []
    form = writer.form(node.input[0]) if repeats and repeats[0] == 1 else "front"
    times = writer.draft.constant(repeats if form == "merged" else [1, *repeats], "int64")
    writer.copy(node, [writer.as_form(node.input[0], form), times], form)


def transpose(writer: Writer, node: NodeProto) -> None:
    rank = len(writer.shape(node.input[0]))
    turned: Sequence[int] = attribute(node, "perm") or range(rank)[::-1]
    if rank and turned[0] == 0 and writer.form(node.input[0]) == "merged":
        writer.copy(node, [writer.merged(node.input[0])], "merged", perm=list(turned))
        return
    writer.copy(node, [writer.front(node.input[0])], "front", perm=[0, *(axis + 1 for axis in turned)])


def trilu(writer: Writer, node: NodeProto) -> None:
    """The last two axes."""
    alike_only(writer, node, 1)
    writer.copy(node, [writer.front(node.input[0]), *node.input[1:]], "front")


def topk(writer: Writer, node: NodeProto) -> None:
    alike_only(writer, node, 1)
    form, axis = _placed(writer, node, positive(attribute(node, "axis", -1), len(writer.shape(node.input[0]))))
    writer.copy(node, [writer.as_form(node.input[0], form), node.input[1]], form, axis=axis)


def one_hot(writer: Writer, node: NodeProto) -> None:
    alike_only(writer, node, 1, 2)
    axis = positive(attribute(node, "axis", -1), len(writer.shape(node.output[0])))
    writer.copy(node, [writer.front(node.input[0]), *node.input[1:]], "front", axis=axis + 1)


def reshaped(writer: Writer, node: NodeProto) -> None:
    """The same bytes in the shape that one window's come to: no node."""
    alike_only(writer, node, *range(1, len(node.input)))
    writer.share(node.output[0], node.input[0])


def expand(writer: Writer, node: NodeProto) -> None:
    alike_only(writer, node, 1)
    own, out = writer.shape(node.input[0]), writer.shape(node.output[0])
    form = writer.form(node.input[0]) if own[:1] == out[:1] and len(own) == len(out) else "front"
    wide = out[1:] if form == "merged" else out
    held = writer.merged(node.input[0]) if form == "merged" else writer.front(node.input[0], len(out))
    writer.copy(node, [held, writer.draft.constant([1, *wide], "int64")], form)


def shape_of(writer: Writer, node: NodeProto) -> None:
    """Of one window: the same number for all of them."""
    shape = writer.shape(node.input[0])
    part = shape[slice(attribute(node, "start", 0), attribute(node, "end"))]
    found = np.array(part if node.op_type == "Shape" else np.prod(shape, dtype=np.int64), np.int64)
    name = writer.draft.constant(found)
    writer.draft.nodes.append(_identity(name, node.output[0], node.name))
    writer.learn(node.output[0], found)


def _placed(writer: Writer, node: NodeProto, axis: int) -> tuple[Form, int]:
    """The form in which the operator runs, and where the axis is there."""
    if axis and writer.form(node.input[0]) == "merged":
        return "merged", axis
    return "front", axis + 1


def _identity(source: str, target: str, name: str) -> NodeProto:
    from onnx import helper

    return helper.make_node("Identity", [source], [target], name=name)
