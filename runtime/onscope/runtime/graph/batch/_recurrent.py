"""LSTM, GRU and RNN: the windows go into their batch axis, which is the second of (time points, batch, features)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._writer import NotBatched, Writer, alike_only, attribute, given

if TYPE_CHECKING:
    from onnx import NodeProto

KINDS = ("GRU", "LSTM", "RNN")
WEIGHTS, LENGTHS, HIDDEN, CELL, PEEPHOLES = (1, 2, 3), 4, 5, 6, 7


def recurrent(writer: Writer, node: NodeProto) -> None:
    alike_only(writer, node, *WEIGHTS, PEEPHOLES)
    if given(node, LENGTHS):
        raise NotBatched("which has sequences of different lengths")
    if attribute(node, "layout", 0):
        raise NotBatched("which has its batch in front of its time points")
    inputs = list(node.input)
    for at in (0, HIDDEN, CELL):
        if given(node, at):
            inputs[at] = _within(writer, node.input[at])
    for name, made in zip(node.output, writer.emit(node, inputs), strict=True):
        if name:
            _outside(writer, name, made)


def _within(writer: Writer, name: str) -> str:
    """(windows, first, batch, features) as (first, windows * batch, features)."""
    first, _, features = writer.shape(name)
    held = writer.front(name)
    turned = writer.draft.node("Transpose", [held], perm=[1, 0, 2, 3])
    return str(writer.draft.node("Reshape", [turned, writer.draft.constant([first, -1, features], "int64")]))


def _outside(writer: Writer, name: str, made: str) -> None:
    """(..., windows * batch, features) with the windows in front."""
    *before, batch, features = writer.shape(name)
    sizes = writer.draft.constant([*before, -1, batch, features], "int64")
    apart = writer.draft.node("Reshape", [made, sizes])
    at = len(before)
    order = [at, *range(at), at + 1, at + 2]
    writer.put(name, writer.draft.node("Transpose", [apart], perm=order), "front")
