"""Products of matrices: rows of windows below one another where the other matrix is alike, else window by window."""

from __future__ import annotations

from string import ascii_letters
from typing import TYPE_CHECKING

from ._writer import NotBatched, Shape, Writer, attribute, given

if TYPE_CHECKING:
    from onnx import NodeProto


def matmul(writer: Writer, node: NodeProto) -> None:
    left, right = node.input[0], node.input[1]
    shapes = writer.shape(left), writer.shape(right)
    if writer.alike(right) and len(shapes[0]) > 1 and len(shapes[1]) == 2:
        writer.copy(node, [writer.merged(left), right], "merged")
        return
    # A vector is a row on the left and a column on the right.
    wide = [
        (1, *shapes[0]) if len(shapes[0]) == 1 else shapes[0],
        (*shapes[1], 1) if len(shapes[1]) == 1 else shapes[1],
    ]
    rank = max(map(len, wide))
    held = [_matrix(writer, name, shape, rank) for name, shape in zip((left, right), wide, strict=True)]
    made = writer.emit(node, held)[0]
    stacks = [shape[:-2] for shape in wide]
    whole = tuple(max(sizes) for sizes in zip(*((1,) * (rank - 2 - len(each)) + each for each in stacks), strict=True))
    writer.put_view(node.output[0], made, (*whole, wide[0][-2], wide[1][-1]))


def _matrix(writer: Writer, name: str, shape: Shape, rank: int) -> str:
    if not writer.alike(name):
        return writer.view(name, (1,) * (rank - len(shape)) + shape)
    if shape == writer.shape(name):
        return name
    return str(writer.draft.node("Reshape", [name, writer.draft.constant(shape, "int64")]))


def gemm(writer: Writer, node: NodeProto) -> None:
    """alpha * A * B + beta * C; C is broadcast to the rows of one window, so it must be one row to be of all."""
    a, b = node.input[0], node.input[1]
    c = node.input[2] if given(node, 2) else ""
    rows = writer.shape(node.output[0])[0]
    one_row = not c or (writer.alike(c) and (rows == 1 or len(writer.shape(c)) < 2 or writer.shape(c)[0] == 1))
    if writer.alike(b) and one_row and not attribute(node, "transA", 0):
        writer.copy(node, [writer.merged(a), *node.input[1:]], "merged")
        return
    draft = writer.draft
    left, right = (_turned(writer, node, name, key) for name, key in ((a, "transA"), (b, "transB")))
    made = draft.node("MatMul", [left, right])
    for name, key in (("", "alpha"), (c, "beta")):
        factor = float(attribute(node, key, 1.0))
        if key == "beta" and not name:
            continue
        part = made if key == "alpha" else (name if writer.alike(name) else writer.front(name, 2))
        if factor != 1.0:
            part = draft.node("Mul", [part, _number(writer, node, factor)])
        made = part if key == "alpha" else draft.node("Add", [made, part])
    writer.put(node.output[0], made, "front")


def _turned(writer: Writer, node: NodeProto, name: str, key: str) -> str:
    held = name if writer.alike(name) else writer.front(name)
    if not attribute(node, key, 0):
        return held
    return str(writer.draft.node("Transpose", [held], perm=[1, 0] if writer.alike(name) else [0, 2, 1]))


def _number(writer: Writer, node: NodeProto, number: float) -> str:
    from onnx import helper

    return writer.draft.constant(number, helper.tensor_dtype_to_np_dtype(writer.dtypes[node.input[0]]).name)


def einsum(writer: Writer, node: NodeProto) -> None:
    """One more letter in front of what differs and of the answer."""
    equation = attribute(node, "equation").decode().replace(" ", "")
    free = next((each for each in ascii_letters if each not in equation), "")
    if "->" not in equation or not free:
        raise NotBatched(f"which has the equation {equation!r}")
    inputs, output = equation.split("->")
    terms = [
        term if writer.alike(name) else free + term for term, name in zip(inputs.split(","), node.input, strict=True)
    ]
    held = [name if writer.alike(name) else writer.front(name) for name in node.input]
    writer.copy(node, held, "front", equation=f"{','.join(terms)}->{free}{output}")
