"""The route of a torch.export program (.pt2): the graph that PyTorch keeps, with the sizes that it was exported for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._choices import MINIMUM
from .._example import make_example
from .._further import beside, plan_further
from .._original import Array, FurtherInput, Stated, file_sha256
from .._plan import DTYPES, TensorPlan, varied
from ..pytorch import TorchProgram, quiet, read_program, require_torch
from . import Asked

if TYPE_CHECKING:
    from torch.export import ExportedProgram

AXES = {2: ("yx",), 3: ("cyx", "yxc"), 4: ("bcyx", "byxc"), 5: ("bczyx", "bzyxc")}
"""Axes by their number, where a file says no more: the first, or those whose y and x are free."""
VALUES = {1: "c", 2: "bc"}
"""The same of an input beside the frame that is no image."""
STEPS = (1, 2, 4, 8, 16, 32, 64)


def load(source: Path, asked: Asked) -> TorchProgram:
    """As `load_program`."""
    return load_program(source, asked.axes)


def load_program(source: Path, axes: str = "") -> TorchProgram:
    """Open a file written by `torch.export.save`, without unpickling or executing anything but its ATen operators.

    Axes that nobody states are guessed from their number and from which of them are free. Heights and widths are free
    where the program has them free, in the step that it runs with; a program of one size stays of that size. The first
    input is the frame; those behind it follow its size where the program says so. Raises ExportError: the file is none,
    holds what could run code, or takes something else than tensors.
    """
    require_torch()
    digest = file_sha256(source)
    program = read_program(source)
    with quiet():
        module = program.module()
    (shape, dtype), *others = _inputs(program, source)
    guessed = not axes
    axes = axes or _guessed(shape)
    if len(axes) != len(shape) or not {"y", "x"} <= set(axes) or len(set(axes)) != len(axes):
        wanted = f"those of {axes!r}" if axes else "2 to 5 (images or stacks of them)"
        raise ExportError(
            f"found an input of {len(shape)} axes in {source.name}, expected {wanted}: wrap the network so that it "
            "takes images, or name its axes with --axes"
        )
    original = TorchProgram(program, module, f"the torch.export program {source.name}", digest)
    arrays = _examples(program)
    example = _example(arrays[0] if arrays else None, shape, dtype, axes)
    further = tuple(
        _further(name, one, (axes, shape), arrays[number] if number < len(arrays) else None)
        for number, (name, one) in enumerate(zip(_names(program)[1:], others, strict=True), 1)
    )
    notes = []
    if guessed:
        notes.append(f"the axes {axes} were guessed: the program says no more than their number (--axes names them)")
    if further:
        named = ", ".join(f"{one.name} ({one.axes})" for one in further)
        notes.append(f"the axes of {named} were guessed (--input names them)")
    stated = Stated(axes=axes, dtype=dtype, example=example, further=further)
    free = [letter for letter, size in zip(axes, shape, strict=True) if letter in "yx" and not isinstance(size, int)]
    grid = _grid(replace(original, stated=stated), example, axes) if len(free) == 2 else None
    if grid is None and further and len(free) == 2:  # sizes such as (y - 1) // 2 + 1 are tied by a guard alone
        shared = replace(stated, further=tuple(_as_shares(one, example, axes) for one in further))
        grid = _grid(replace(original, stated=shared), example, axes)
        stated = stated if grid is None else shared
    if grid is None:
        size = "x".join(str(example.shape[axes.index(letter)]) for letter in "yx")
        notes.append(
            f"the program takes heights and widths by rules that no package can state, so frames are of {size} alone; "
            "where it was made, export it with an example of one height and width"
            if len(free) == 2
            else f"the program was exported for frames of {size} alone; for others export it with "
            "dynamic_shapes=({2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC},)"
        )
        stated = replace(stated, fixed=True)
    else:
        stated = replace(stated, fixed=False, minimum=grid[0], step=grid[1])
        bounds = [int(one.upper) for one in program.range_constraints.values() if _is_number(one.upper)]
        if bounds:
            notes.append(f"the program was exported with bounds on its sizes, of which the smallest is {min(bounds)}")
    return replace(original, stated=replace(stated, notes=tuple(notes)))


def _guessed(shape: Sequence[Any]) -> str:
    known = AXES.get(len(shape), ("",))
    free = (axes for axes in known if all(not isinstance(shape[axes.index(letter)], int) for letter in "yx" if axes))
    return next(free, known[0])


def _names(program: ExportedProgram) -> list[str]:
    return [str(name) for name in program.graph_signature.user_inputs]


def _inputs(program: ExportedProgram, source: Path) -> list[tuple[Sequence[Any], str]]:
    """Sizes (numbers, or symbols where they are free) and dtype of each input, in their order."""
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    found = [values.get(name) for name in _names(program)]
    wrong = [name for name, value in zip(_names(program), found, strict=True) if not hasattr(value, "shape")]
    if not found or wrong:
        what = f"the input {wrong[0]!r} that is no tensor" if wrong else "no inputs"
        raise ExportError(
            f"found a program with {what} in {source.name}, expected tensors, the frame first: wrap the network so "
            "that it takes these alone"
        )
    return [(value.shape, str(value.dtype).removeprefix("torch.")) for value in found if value is not None]


def _whole(size: Any) -> int:
    """The size, or the one that a free axis had when the program was exported."""
    return int(size if isinstance(size, int) else size.node.hint)


def _examples(program: ExportedProgram) -> list[Any]:
    """The tensors that the program was exported with, in the order of its inputs; none where they were not kept."""
    import torch

    if program.example_inputs is None:
        return []
    return list(torch.utils._pytree.tree_leaves(program.example_inputs))


def _example(found: Any, sizes: Sequence[Any], dtype: str, axes: str) -> Array:
    """The program's own example as one frame; a simulated one where it has none, or one without any contrast."""
    import torch

    shape = [_whole(size) for size in sizes]
    if isinstance(found, torch.Tensor):
        array: Array = found.detach().cpu().numpy()
        if "b" in axes and not isinstance(sizes[0], int):
            array = array[:1]
        if array.size and array.min() < array.max() and np.isfinite(array).all():
            return array
        shape = list(array.shape)
    return make_example(tuple(shape), dtype if dtype in DTYPES else "float32", axes)


def _further(name: str, given: tuple[Sequence[Any], str], frame: tuple[str, Sequence[Any]], found: Any) -> FurtherInput:
    """An input beside the frame, with the sizes that the program ties to the frame's as shares of these."""
    shape, dtype = given
    axes = frame[0] if len(shape) == len(frame[0]) else VALUES.get(len(shape)) or _guessed(shape)
    if not axes or dtype not in DTYPES:
        raise ExportError(
            f"found the input {name!r} of {len(shape)} axes and {dtype}, expected 1 to 5 axes of "
            f"{', '.join(DTYPES)}: wrap the network so that it takes these"
        )
    letters, sizes = frame
    own = dict(zip(letters, sizes, strict=True))
    shares = {letter: _share(size, own.get(letter)) for letter, size in zip(axes, shape, strict=True) if letter in "yx"}
    tied = len(set(shares.values())) == 1 and None not in shares.values()
    wanted = [
        1 if letter == "b" and not isinstance(size, int) else shares.get(letter) if tied else None
        for letter, size in zip(axes, shape, strict=True)
    ]
    array = _example(found, shape, dtype, axes)
    whole = tuple(array.shape[place] if size is None else size for place, size in enumerate(wanted))
    return FurtherInput(name, axes, whole, dtype, example=array)


def _share(size: Any, of: Any) -> Fraction | None:
    """What share of the frame's size it is, where the program says so for all sizes; None where it does not."""
    import torch

    if not isinstance(size, torch.SymInt) or not isinstance(of, torch.SymInt):
        return None
    share = (size.node.expr / of.node.expr).simplify()
    return Fraction(int(share.p), int(share.q)) if share.is_Rational else None


def _as_shares(one: FurtherInput, example: Array, axes: str) -> FurtherInput:
    """The input with y and x as the shares of the frame's that they are in the examples, if both are the same."""
    frame = dict(zip(axes, example.shape, strict=True))
    own = {letter: Fraction(size) / frame[letter] for letter, size in zip(one.axes, one.sizes, strict=True)
           if letter in "yx" and isinstance(size, int)}  # fmt: skip
    if len(own) != 2 or own["y"] != own["x"]:
        return one
    return replace(one, sizes=tuple(own.get(letter, size) for letter, size in zip(one.axes, one.sizes, strict=True)))


def _grid(original: TorchProgram, example: Array, axes: str) -> tuple[int, int] | None:
    """Minimum and step of heights and widths that the program runs with; None where it takes its own size alone."""
    y, x = (example.shape[axes.index(letter)] for letter in "yx")
    for step in STEPS:
        sizes = ((y + step, x), (y, x + step), (y + 3 * step, x + 2 * step))
        if (y - x) % step == 0 and all(_runs(original, example, axes, size) for size in sizes):
            low = MINIMUM + (y - MINIMUM) % step
            return (low if _runs(original, example, axes, (low, low + step)) else min(y, x)), step
    return None


def _runs(original: TorchProgram, example: Array, axes: str, size: tuple[int, int]) -> bool:
    frame = varied(example, axes, size)
    further = original.stated.further
    first = TensorPlan("", axes, example)
    try:
        plans = [plan_further(one, first, False) for one in further]
        other = [varied(plan.example, plan.axes, beside(plan, size)) for plan in plans]
        answers = original.run_on([frame, *other]), original.run_on([example, *(plan.example for plan in plans)])
        outputs = list(zip(*answers, strict=True))
    except ExportError:
        return False
    for found, own in outputs:
        if found.ndim != own.ndim:
            return False
        if own.ndim == example.ndim:  # an image follows its frame's size, or the step is another one
            ratios = zip(found.shape[-2:], own.shape[-2:], frame.shape[-2:], example.shape[-2:], strict=True)
            if any(have * before != was * now for have, was, now, before in ratios):
                return False
    return True


def _is_number(bound: Any) -> bool:
    return bool(getattr(bound, "is_Integer", False)) and int(bound) < 1 << 31
