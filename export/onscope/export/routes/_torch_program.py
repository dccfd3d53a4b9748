"""The route of a torch.export program (.pt2): the graph that PyTorch keeps, with the sizes that it was exported for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._choices import MINIMUM
from .._example import make_example
from .._original import Array, Stated, file_sha256
from .._plan import DTYPES
from ..pytorch import TorchProgram, quiet, read_program, require_torch
from . import Asked

if TYPE_CHECKING:
    from torch.export import ExportedProgram

AXES = {2: "yx", 3: "cyx", 4: "bcyx", 5: "bczyx"}
"""Axes by their number, where a file says no more."""
STEPS = (1, 2, 4, 8, 16, 32, 64)


def load(source: Path, asked: Asked) -> TorchProgram:
    """As `load_program`."""
    return load_program(source)


def load_program(source: Path) -> TorchProgram:
    """Open a file written by `torch.export.save`, without unpickling or executing anything but its ATen operators.

    The axes are guessed from their number. Heights and widths are free where the program has them free, in the step
    that it runs with; a program of one size stays of that size. Raises ExportError: the file is none, holds what could
    run code, or takes more than one image.
    """
    require_torch()
    digest = file_sha256(source)
    program = read_program(source)
    with quiet():
        module = program.module()
    shape, dtype = _input(program, source)
    axes = AXES.get(len(shape))
    if axes is None:
        raise ExportError(
            f"found an input of {len(shape)} axes in {source.name}, expected 2 to 5 (images or stacks of them): wrap "
            "the network so that it takes images"
        )
    original = TorchProgram(program, module, f"the torch.export program {source.name}", digest)
    example = _example(program, [_whole(size) for size in shape], dtype, axes)
    notes = [f"the axes {axes} were guessed: the program says only that there are {len(axes)} (--axes names them)"]
    stated = Stated(axes=axes, dtype=dtype, example=example)
    free = [letter for letter, size in zip(axes, shape, strict=True) if letter in "yx" and not isinstance(size, int)]
    grid = _grid(original, example, axes) if len(free) == 2 else None
    if grid is None:
        size = "x".join(str(example.shape[axes.index(letter)]) for letter in "yx")
        notes.append(
            f"the program was exported for frames of {size} alone; for others export it with "
            "dynamic_shapes=({2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC},)"
        )
        stated = replace(stated, fixed=True)
    else:
        stated = replace(stated, fixed=False, minimum=grid[0], step=grid[1])
        bounds = [int(one.upper) for one in program.range_constraints.values() if _is_number(one.upper)]
        if bounds:
            notes.append(f"the program was exported with bounds on its sizes, of which the smallest is {min(bounds)}")
    return replace(original, stated=replace(stated, notes=tuple(notes)))


def _input(program: ExportedProgram, source: Path) -> tuple[Sequence[Any], str]:
    """Sizes (numbers, or symbols where they are free) and dtype of the one input."""
    wanted = program.graph_signature.user_inputs
    found = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in wanted]
    if len(found) != 1 or not hasattr(found[0], "shape"):
        raise ExportError(
            f"found a program of {len(found)} inputs in {source.name}, expected one tensor: wrap the network so that "
            "it takes one"
        )
    return found[0].shape, str(found[0].dtype).removeprefix("torch.")


def _whole(size: Any) -> int:
    """The size, or the one that a free axis had when the program was exported."""
    return int(size if isinstance(size, int) else size.node.hint)


def _example(program: ExportedProgram, shape: list[int], dtype: str, axes: str) -> Array:
    """The program's own example as one frame; a simulated one where it has none, or one without any contrast."""
    import torch

    found: Any = None
    if program.example_inputs is not None:
        args, kwargs = program.example_inputs
        found = next(iter((*args, *kwargs.values())), None)
    if isinstance(found, torch.Tensor):
        array: Array = found.detach().cpu().numpy()
        if "b" in axes and not isinstance(_batch(program), int):
            array = array[:1]
        if array.size and array.min() < array.max() and np.isfinite(array).all():
            return array
        shape = list(array.shape)
    return make_example(tuple(shape), dtype if dtype in DTYPES else "float32", axes)


def _batch(program: ExportedProgram) -> Any:
    (name,) = program.graph_signature.user_inputs
    return next(node.meta["val"].shape[0] for node in program.graph.nodes if node.name == name)


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
    frame = example
    for letter, wanted in zip("yx", size, strict=True):
        frame = np.take(frame, np.arange(wanted), axis=axes.index(letter), mode="wrap")
    try:
        outputs = list(zip(original.run(frame), original.run(example), strict=True))
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
