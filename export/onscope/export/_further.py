"""Inputs beside the frame: how they are planned, and what they are beside frames of other sizes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from onscope.runtime import ExportError

from ._example import MAX_SIZE, make_example, read_example
from ._original import Array, FurtherInput, contiguous, one_line
from ._plan import DTYPES, TensorPlan, check_axes
from ._steps import parse_normalise

SIZE = re.compile(r"([bctzyx])=(?:([1-9]\d{0,4})|([yx])(?:([*/])([1-9]\d?))?)")
"""c=8, y=y, x=x/2, y=y*2."""


def plan_further(one: FurtherInput, frame: TensorPlan, fixed: bool) -> TensorPlan:
    """An input beside the example frame; raises ExportError for sizes that no description can state, or do not fit.

    With `fixed`, where frames have one size, its sizes are numbers too.
    """
    shares = {letter: size for letter, size in zip(one.axes, one.sizes, strict=True) if isinstance(size, Fraction)}
    if shares and (set(shares) != {"y", "x"} or shares["y"] != shares["x"]):
        raise ExportError(
            f"found sizes of {one.name!r} that follow the frame's along {', '.join(shares)} alone or each by another "
            "share, expected y and x to follow by the same, or neither: state numbers for both"
        )
    wanted = tuple(
        _share(size, frame, letter) if isinstance(size, Fraction) else size
        for letter, size in zip(one.axes, one.sizes, strict=True)
    )
    if min(wanted, default=1) < 1 or max(wanted, default=1) > MAX_SIZE:
        raise ExportError(f"found sizes of {one.name!r} of {_words(wanted)}, expected 1 to {MAX_SIZE} each")
    example = make_example(wanted, one.dtype, one.axes) if one.example is None else contiguous(one.example)
    check_axes(one.axes, example, f"input {one.name!r}")
    if example.shape != wanted:
        raise ExportError(
            f"found an example of {_words(example.shape)} for the input {one.name!r}, expected {_words(wanted)} beside "
            f"a frame of {_words(frame.example.shape)}: state its sizes as they are"
        )
    scale = float(shares.get("y", 1))
    follows = "" if fixed or not shares else "yx"
    return TensorPlan(one.name, one.axes, example, one.channel_names or None, scale, one.pre, follows=follows)


def beside(plan: TensorPlan, size: tuple[int, int]) -> tuple[int, int] | None:
    """Its (y, x) beside a frame of (y, x); None: the example's own, whatever the frame."""
    return None if not plan.follows else (int(size[0] * plan.scale + 1e-6), int(size[1] * plan.scale + 1e-6))


def check_names(plans: Sequence[TensorPlan]) -> None:
    """Raise ExportError where two tensors of a package would have one name."""
    names = [plan.name for plan in plans]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ExportError(f"found two tensors named {twice[0]!r}, expected a name for each: name the other otherwise")


def parse_input(text: str) -> FurtherInput:
    """The input of "memory b=1,c=8,y=y/2,x=x/2 [dtype=uint16] [normalise=mean-std] [example=file.npy]".

    Sizes are numbers, or the frame's along the same axis, times or divided by a number. Raises ExportError.
    """
    wrong = ExportError(
        f"found the input {text!r}, expected a name and a size for each axis, such as 'memory b=1,c=8,y=y/2,x=x/2', "
        "and if you like dtype=, normalise= and example="
    )
    try:
        name, sizes, *more = shlex.split(text)
        options = dict(word.split("=", 1) for word in more)
    except ValueError as error:
        raise wrong from error
    found = [SIZE.fullmatch(word) for word in sizes.split(",")]
    whole = [one for one in found if one is not None and one[3] in (None, one[1])]
    if len(whole) != len(found) or not re.fullmatch(r"[A-Za-z_]\w{0,63}", name, re.ASCII):
        raise wrong
    if options.keys() - {"dtype", "normalise", "example"} or options.get("dtype", "float32") not in DTYPES:
        raise wrong
    example = read_example(Path(options["example"])) if "example" in options else None
    one = FurtherInput(name, "".join(each[1] for each in whole), tuple(map(_size, whole)), example=example)
    if example is not None:
        one = replace(one, dtype=example.dtype.name)
    if "dtype" in options:
        one = replace(one, dtype=options["dtype"])
    return replace(one, pre=parse_normalise(options["normalise"])) if "normalise" in options else one


def parse_state(text: str) -> dict[str, str]:
    """The pair of "memory=memory_out": an input, and the output that it takes next; raises ExportError."""
    given, equals, made = text.partition("=")
    if not (given and equals and made):
        raise ExportError(
            f"found the state {text!r}, expected an input and the output that it takes in the next window, such as "
            "memory=memory_out"
        )
    return {"input": given, "output": made}


def _size(match: re.Match[str]) -> int | Fraction:
    if match[2]:
        return int(match[2])
    number = int(match[5] or 1)
    return Fraction(1, number) if match[4] == "/" else Fraction(number)


def _share(share: Fraction, frame: TensorPlan, letter: str) -> int:
    return int(frame.example.shape[frame.axes.index(letter)] * share)


def _words(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def twice(arrays: Sequence[Array], inputs: Sequence[TensorPlan]) -> list[Array]:
    """Each array of the inputs two times along its batch; once where it has none."""
    return [stacked((array, array), plan.axes) for array, plan in zip(arrays, inputs, strict=True)]


def stacked(arrays: Sequence[Array], axes: str) -> Array:
    """Several of an input along its batch; the first where it has none."""
    return contiguous(np.concatenate(arrays, axis=axes.index("b"))) if "b" in axes else arrays[0]


def states(settings: Mapping[str, Any]) -> dict[str, str]:
    """The outputs that are the inputs of the next window, by these inputs; raises ExportError."""
    stated = settings.get("state", ())
    try:
        return {str(pair["input"]): str(pair["output"]) for pair in stated}
    except (TypeError, KeyError) as error:
        raise ExportError(
            f"found the state {one_line(stated, 80)}, expected pairs of an input and an output: state them so"
        ) from error


def states_noted(
    further: Sequence[TensorPlan], outputs: Sequence[TensorPlan], settings: Mapping[str, Any]
) -> list[str]:
    """What is worth knowing of the inputs beside the frame; raises ExportError for states that are none."""
    pairs, notes = states(settings), []
    inputs, made = {plan.name: plan for plan in further}, {plan.name: plan for plan in outputs}
    for given, output in pairs.items():
        if given not in inputs or output not in made:
            raise ExportError(
                f"found the state {given}={output}, expected an input beside the frame ({', '.join(inputs) or 'none'}) "
                f"and an output ({', '.join(made)})"
            )
        if inputs[given].example.shape != made[output].example.shape:
            raise ExportError(
                f"found the state {given} of {_words(inputs[given].example.shape)}, whose output {output} is "
                f"{_words(made[output].example.shape)}, expected one size: state the sizes of {given} as they are"
            )
    if others := [name for name in inputs if name not in pairs]:
        notes.append(
            f"frames go to one input alone: a run cannot give {', '.join(others)} anything (--state names what a "
            "recurrent network remembers), so the package is for readers that can"
        )
    return notes
