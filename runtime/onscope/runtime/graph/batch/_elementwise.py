"""Operators that go number by number: each window's with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._writer import Form, NotBatched, Writer, alike_only, attribute, given, positive

if TYPE_CHECKING:
    from onnx import NodeProto

UNARY = (
    *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Cast", "Ceil", "Celu", "Cos", "Cosh"),
    *("Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "IsInf", "IsNaN", "LeakyRelu", "Log", "Mish"),
    *("Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus"),
    *("Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu"),
)
BROADCAST = (
    *("Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal", "Greater", "GreaterOrEqual"),
    *("Less", "LessOrEqual", "Max", "Mean", "Min", "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Where", "Xor"),
)


def unary(writer: Writer, node: NodeProto) -> None:
    form = writer.form(node.input[0])
    writer.copy(node, [writer.as_form(node.input[0], form)], form)


def broadcast(writer: Writer, node: NodeProto) -> None:
    """Axes are counted from behind, so a window's own must have their full rank before one more comes in front."""
    form, rank = _form(writer, node), len(writer.shape(node.output[0]))
    inputs = []
    for name in node.input:
        if writer.alike(name):
            inputs.append(name)
        else:
            inputs.append(writer.merged(name) if form == "merged" else writer.front(name, rank))
    writer.copy(node, inputs, form)


def prelu(writer: Writer, node: NodeProto) -> None:
    """The slope is broadcast to the first input, never the other way."""
    if writer.alike(node.input[0]):
        rank = len(writer.shape(node.input[0]))
        inputs = [writer.front(node.input[0]), writer.front(node.input[1], rank)]
        writer.copy(node, inputs, "front")
        return
    broadcast(writer, node)


def clip(writer: Writer, node: NodeProto) -> None:
    """With bounds of each window's own it is a maximum and a minimum, which have axes to broadcast."""
    bounds = [name for name in node.input[1:] if name]
    if all(map(writer.alike, bounds)):
        form = writer.form(node.input[0])
        writer.copy(node, [writer.as_form(node.input[0], form), *node.input[1:]], form)
        return
    rank = len(writer.shape(node.input[0]))
    made = writer.front(node.input[0])
    for at, kind in ((1, "Max"), (2, "Min")):
        if given(node, at):
            bound = node.input[at]
            made = writer.draft.node(kind, [made, bound if writer.alike(bound) else writer.front(bound, rank)])
    writer.put(node.output[0], made, "front")


def dropout(writer: Writer, node: NodeProto) -> None:
    """Nothing, when it does not train."""
    if len(node.output) > 1 and node.output[1]:
        raise NotBatched("which gives its mask")
    if given(node, 2) and bool(writer.value(node.input[2])):
        raise NotBatched("which trains")
    writer.share(node.output[0], node.input[0])


def quantize(writer: Writer, node: NodeProto) -> None:
    """One scale, or one for each place along an axis."""
    alike_only(writer, node, 1, 2)
    scaled(writer, node)


def scaled(writer: Writer, node: NodeProto) -> None:
    if attribute(node, "block_size", 0):
        raise NotBatched("which has scales for blocks")
    name = node.input[0]
    form, shape = writer.form(name), writer.shape(node.input[1])
    if not shape or shape == (1,):
        writer.copy(node, [writer.as_form(name, form), *node.input[1:]], form)
        return
    axis = positive(attribute(node, "axis", 1), len(writer.shape(name)))
    form = form if axis else "front"
    writer.copy(node, [writer.as_form(name, form), *node.input[1:]], form, axis=axis + (form == "front"))


def dequantize(writer: Writer, node: NodeProto) -> None:
    """(x - zero) * scale; where those are each window's own it is written out, for the operator has one of them.

    The difference of whole numbers in 32 bits, then rounded once, then the product: what the operator reckons.
    """
    from onnx import TensorProto, helper

    if not writer.alike(node.input[0]) and all(map(writer.alike, node.input[1:])):
        scaled(writer, node)
        return
    name, scale = node.input[0], node.input[1]
    if any(writer.shape(each) for each in node.input[1:] if each) or attribute(node, "block_size", 0):
        raise NotBatched("which has several scales that differ from window to window")
    source, target = writer.dtypes[name], writer.dtypes[scale]
    narrow = (TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16)
    if source not in narrow or target != TensorProto.FLOAT or attribute(node, "output_dtype", 0) not in (0, target):
        dtypes = ", ".join(np.dtype(helper.tensor_dtype_to_np_dtype(each)).name for each in (source, target))
        raise NotBatched(f"which goes from and to {dtypes} with numbers that differ from window to window")
    rank = len(writer.shape(name))
    made = writer.draft.node("Cast", [writer.front(name)], to=TensorProto.INT32)
    if given(node, 2):
        zero = writer.front(node.input[2], rank)
        made = writer.draft.node("Sub", [made, writer.draft.node("Cast", [zero], to=TensorProto.INT32)])
    made = writer.draft.node("Cast", [made], to=target)
    writer.put(node.output[0], writer.draft.node("Mul", [made, writer.front(scale, rank)]), "front")


def _form(writer: Writer, node: NodeProto) -> Form:
    """Merged where the first axis of all that differ is the answer's, and the others have none or are broadcast."""
    out = writer.shape(node.output[0])
    for name in node.input:
        shape = writer.shape(name)
        if not (len(shape) < len(out) or shape[:1] == ((1,) if writer.alike(name) else out[:1])):
            return "front"
        if len(shape) < len(out) and not writer.alike(name):
            return "front"
    merged = any(writer.form(name) == "merged" for name in node.input if not writer.alike(name))
    return "merged" if out and merged else "front"
