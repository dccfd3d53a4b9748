"""Which axis is which: guessed from how a graph begins, from sizes, and from what an output does at other sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ._graph import inputs_of, nodes_of

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

FEW = 4
"""Most channels that a size is taken for."""
LAYOUTS = {2: ("yx",), 3: ("byx", "cyx", "yxc"), 4: ("bcyx", "byxc"), 5: ("bczyx", "bzyxc")}
"""By number of axes, the usual first."""
THROUGH = frozenset(
    ("Identity", "Cast", "Add", "Sub", "Mul", "Div", "BatchNormalization", "Relu", "Clip", "Pad", "QuantizeLinear",
     "DequantizeLinear", "InstanceNormalization", "LeakyRelu")
)  # fmt: skip
"""Operators that leave the order of the axes."""
MOST_NODES = 12
SUMS = frozenset(("ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "CumSum"))


class Begin(NamedTuple):
    """Where the first convolution has its channels, and how many; None where nothing tells."""

    last: bool | None = None
    channels: int | None = None


def begin_of(model: ModelProto) -> Begin:
    """How the graph treats its input, up to the first operator that tells."""
    name = inputs_of(model)[0].name
    weights = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    last: bool | None = None
    for _ in range(MOST_NODES):
        node = next((node for node in model.graph.node if name in node.input[:1]), None)
        if node is None:
            break
        if node.op_type in ("Conv", "ConvTranspose") and len(node.input) > 1 and node.input[1] in weights:
            dims = weights[node.input[1]]
            groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
            channels = dims[0] if node.op_type == "ConvTranspose" else dims[1] * groups
            return Begin(bool(last), channels)
        if node.op_type == "Transpose" and last is None:
            order = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), [])
            if len(order) < 3 or order != [0, len(order) - 1, *range(1, len(order) - 1)]:
                break
            last = True
        elif node.op_type not in THROUGH or not node.output:
            break
        name = node.output[0]
    return Begin(last)


def guesses(dims: Sequence[int], begin: Begin) -> list[str]:
    """Axes that an input of these sizes (0: free) may have, the likeliest first; empty for other numbers of axes."""
    found = list(LAYOUTS.get(len(dims), ()))
    few = [0 < size <= FEW for size in dims]
    if not found:
        return []
    if len(dims) == 3:
        likely = "yxc" if few[-1] and not few[0] else "cyx" if few[0] and dims[0] > 1 else "byx"
    elif len(dims) > 3:
        last = begin.last
        if last is None:
            last = few[-1] and not few[1]
        likely = found[1] if last else found[0]
    else:
        return found
    return [likely, *(each for each in found if each != likely)]


def sums_pixels(model: ModelProto) -> bool:
    """Whether it sums over more than its second or last axis: what it divides by may be the number of pixels.

    A mean that was written as a sum and a division by a number is right at one size alone, and runs at all.
    """
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in nodes_of(model.graph):
        values = [attribute.t for attribute in node.attribute if attribute.name == "value"]
        if node.op_type == "Constant" and values:
            constants[node.output[0]] = values[0]
    return any(
        node.op_type in SUMS and _reduced(node, constants) not in ([1], [-1], [3], [4])
        for node in nodes_of(model.graph)
    )


def _reduced(node: NodeProto, constants: Mapping[str, TensorProto]) -> list[int]:
    from onnx import numpy_helper

    stated = [list(attribute.ints) for attribute in node.attribute if attribute.name == "axes"]
    if not stated and len(node.input) > 1 and node.input[1] in constants:
        stated = [numpy_helper.to_array(constants[node.input[1]]).reshape(-1).tolist()]
    return stated[0] if stated else []


class Followed(NamedTuple):
    """Axes of an output, and how many pixels it has more than a multiple of the input's, along y and x alike."""

    axes: str
    offset: int = 0


def output_axes(
    axes: str, given: tuple[Sequence[int], Sequence[int]], found: tuple[Sequence[int], Sequence[int]]
) -> Followed | None:
    """Axes of an output that had the two shapes `found` for inputs of the two shapes `given`; None: they do not follow.

    The inputs differ along y and x, by different factors. Two sizes that are a multiple of neither are y and x where
    both are the same multiple, less or more the same number of pixels: convolutions without padding.
    """
    letters: list[str] = []
    for one, two in zip(*found, strict=True):
        letter = ""
        for name in "yx":
            before, after = (shape[axes.index(name)] for shape in given)
            if one != two and one * after == two * before:
                letter = name
        letters.append(letter or ("" if one == two else "i"))
    offset = 0
    if sum(letter != "" for letter in letters) == 2 and "i" in letters:
        places = [place for place, letter in enumerate(letters) if letter]
        offset = _offset(axes, given, found, places)
        if offset:
            letters[places[0]], letters[places[1]] = "y", "x"
    if letters.count("i") > 1 or letters.count("y") != letters.count("x") or letters.count("y") > 1:
        return None
    if not any(letters) and sum(size > 1 for size in found[0]) > 1:
        return None  # an image of one size, whatever the input's
    filled = _filled(letters, axes)
    return None if filled is None else Followed(filled, offset)


def _offset(
    axes: str, given: tuple[Sequence[int], Sequence[int]], found: tuple[Sequence[int], Sequence[int]],
    places: Sequence[int],
) -> int:  # fmt: skip
    """Pixels that the sizes at two places are more than one multiple of y and x; 0 where they are not."""
    lines = []
    for letter, place in zip("yx", places, strict=True):
        before, after = (shape[axes.index(letter)] for shape in given)
        one, two = (shape[place] for shape in found)
        scale = Fraction(two - one, after - before)
        lines.append((scale, one - scale * before))
    (scale, offset), other = lines
    return int(offset) if lines[0] == other and scale > 0 and offset.denominator == 1 else 0


def axes_at_one_size(axes: str, given: Sequence[int], found: Sequence[int]) -> str:
    """Axes of an output, by what its sizes are at one size of the input; the input's own where they can be."""
    for each in dict.fromkeys((axes, *LAYOUTS.get(len(found), ()))):
        if len(each) != len(found) or not {"y", "x"} <= set(each):
            continue
        scales = [found[each.index(letter)] / given[axes.index(letter)] for letter in "yx"]
        if scales[0] == scales[1] and ("b" not in each or found[each.index("b")] == 1):
            return each
    return _filled([""] * len(found), axes) or "bczt"[: len(found)]


def _filled(letters: list[str], axes: str) -> str | None:
    """The letters of those that do not vary: batch, channel, z, in the order that the places of y and x suggest."""
    left = letters.count("")
    if "y" not in letters:
        names = "bc" if "i" in letters else "bczt"
    elif "z" in axes and left > 1:
        names = "bzc" if letters[-1] == "" else "bcz"
        names = names if left == 3 else "bz"
    else:
        names = "bc"
    names = names if "b" in axes or left == len(names) else names.replace("b", "")
    if left > len(names):
        return None
    order = iter(names)
    return "".join(letter or next(order) for letter in letters)
