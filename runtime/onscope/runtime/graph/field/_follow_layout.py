"""Operators that move pixels without computing: transposes, reshapes, slices, concatenations."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ._reach import Reach, beside_border, joined, read, reshaped
from ._taps import picked, slice_range
from ._trace import Reaches, Rule, Step

LARGEST = 1 << 25
"""Elements of the largest run of dimensions that a reshape may mix and still be followed."""


def transpose(step: Step) -> Sequence[Reaches]:
    order = list(step.attributes.get("perm", range(len(step.shapes[0]))[::-1]))
    return [{axis: reach.at(order.index(reach.dim)) for axis, reach in step.reaches[0].items()}]


def reshape(step: Step) -> Sequence[Reaches]:
    """Reshape, Flatten, Squeeze and Unsqueeze: each axis is looked for in the run of dimensions that mixes."""
    shape, to = step.shapes[0], step.outputs[0] or ()
    if np.prod(shape, dtype=np.int64) != np.prod(to, dtype=np.int64):
        step.say("is written for another size")
        return [{}]
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        begin, end, first, last = _run(shape, to, reach.dim)
        own, held = shape[begin:end], to[first:last]
        if own == held:
            answer[axis] = reach.at(first + reach.dim - begin)
        elif not held:
            continue  # a size of 1 that is squeezed away
        elif np.prod(own, dtype=np.int64) > LARGEST:
            step.say(f"mixes too many numbers to follow {axis}")
        else:
            found = reshaped(reach.at(reach.dim - begin), own, held)
            answer[axis] = found.at(first + found.dim)
    return [answer]


def _run(shape: Sequence[int], to: Sequence[int], dim: int) -> tuple[int, int, int, int]:
    """[begin, end) of `shape` and [first, last) of `to`: the smallest pieces of one product around dimension `dim`."""
    begin = first = 0
    end = last = 0
    while begin <= dim:
        begin, first = end, last
        end, last = begin + 1, first + 1
        left, right = int(np.prod(shape[begin:end])), int(np.prod(to[first:last]))
        while left != right:
            if left < right:
                end += 1
            else:
                last += 1
            left, right = int(np.prod(shape[begin:end])), int(np.prod(to[first:last]))
        if end > dim:
            break
    return begin, end, first, min(last, len(to))


def cut(step: Step) -> Sequence[Reaches]:
    """Slice."""
    rank = len(step.shapes[0])
    starts, ends = step.ints(1, "starts"), step.ints(2, "ends")
    steps = step.ints(4)
    if starts is None or ends is None or (step.given(4) and steps is None):
        step.say("cuts at places that are not known beforehand")
        return [{}]
    named = step.ints(3, "axes")
    dims = [axis % rank for axis in (named if named is not None else range(len(starts)))]
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        if reach.dim not in dims:
            answer[axis] = reach
            continue
        place = dims.index(reach.dim)
        stride = steps[place] if steps else 1
        indices = slice_range(reach.size, starts[place], ends[place], stride)
        answer[axis] = read(reach, *picked(indices, reach.size), Fraction(1, abs(stride)))
    return [step.checked(answer)]


def gather(step: Step) -> Sequence[Reaches]:
    rank = len(step.shapes[0])
    dim = step.attributes.get("axis", 0) % rank
    indices, many = step.constant(1), len(step.shapes[1])
    if any(step.reaches[1]):
        step.say("picks by numbers that come from the frame")
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        if reach.dim != dim:
            answer[axis] = reach.at(reach.dim + (many - 1 if reach.dim > dim else 0))
        elif indices is None or many != 1:
            if reach.size > 1:
                step.say(f"picks places along {axis}")
        else:
            answer[axis] = read(reach, *picked(indices, reach.size))
    return [answer]  # a strip of mirrored pixels is no axis yet: what is done with it is looked at


def split(step: Step) -> Sequence[Reaches]:
    dim = step.attributes.get("axis", 0) % len(step.shapes[0])
    answers, start = [], 0
    for shape in step.outputs:
        size = (shape or ())[dim]
        piece = np.arange(start, start + size)
        answers.append(
            {
                axis: read(reach, *picked(piece, reach.size)) if reach.dim == dim else reach
                for axis, reach in step.reaches[0].items()
            }
        )
        start += size
    return answers


def concat(step: Step) -> Sequence[Reaches]:
    """Along another dimension a union; along the axis one after the other, padding before and after the longest."""
    dim = step.attributes.get("axis", 0) % len(step.shapes[0])
    along: Reaches = {}
    for axis in dict.fromkeys(axis for reaches in step.reaches for axis in reaches):
        if any(axis in reaches and reaches[axis].dim == dim for reaches in step.reaches):
            parts: list[Reach | int] = [
                reaches.get(axis, shape[dim]) for shape, reaches in zip(step.shapes, step.reaches, strict=True)
            ]
            if len({part.scale for part in parts if isinstance(part, Reach)}) > 1:
                step.say(f"puts different places of {axis} together")
            along[axis] = joined(parts, dim)
            if not beside_border(parts):
                step.say(f"puts one end of {axis} beside the other")
    rest = step.merged(
        [{axis: reach for axis, reach in reaches.items() if axis not in along} for reaches in step.reaches]
    )
    for place, (reaches, own) in enumerate(zip(step.reaches, step.shapes, strict=True)):
        for axis, reach in rest.items():
            if axis not in reaches and own[reach.dim] > 1 and not step.uniform(place, reach.dim):
                step.say(f"puts a value of its own to every place along {axis}")
    return [{**rest, **step.checked(along)}]


def expand(step: Step) -> Sequence[Reaches]:
    shape, own = step.outputs[0] or (), step.shapes[0]
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        dim = reach.dim + len(shape) - len(own)
        if shape[dim] == reach.size:
            answer[axis] = reach.at(dim)
        else:
            step.say(f"spreads one place along {axis} over all of them")
    return [answer]


def tile(step: Step) -> Sequence[Reaches]:
    """Tile: repeated side by side, which only a size of 1 survives as an axis."""
    shape = step.outputs[0] or ()
    answer = {axis: reach for axis, reach in step.reaches[0].items() if shape[reach.dim] == reach.size}
    for axis in step.reaches[0]:
        if axis not in answer:
            step.say(f"repeats {axis}")
    return [answer]


LAYOUT: dict[str, Rule] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), reshape),
    "Transpose": transpose,
    "Slice": cut,
    "Gather": gather,
    "Split": split,
    "Concat": concat,
    "Expand": expand,
    "Tile": tile,
}
