"""Which heights and widths a network takes, where neither its source nor the user says: found by trying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onscope.runtime import ExportError

from ._choices import Settled
from ._further import beside
from ._original import Original, run_on
from ._plan import TensorPlan, varied
from ._prove import fed_all

STEPS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Powers of 2: what networks that halve and double their images need."""
MINIMA = (1, 2, 4, 8)
"""Times the smallest size that is asked for: deep networks fail on small images whatever the step."""


def with_found_sizes(
    wanted: Settled, original: Original, inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan]
) -> Settled:
    """With the minimum and the step that were found, and a note; where none was as it is: the proof says why."""
    found = found_sizes(original, inputs, plans, wanted.minimum)
    if found in (None, (wanted.minimum, wanted.step)):
        return wanted
    minimum, step = found
    note = f"heights and widths are {minimum} + n * {step}: found by trying (--minimum and --step say it)"
    return replace(wanted, minimum=minimum, step=step, notes=(*wanted.notes, note))


def found_sizes(
    original: Original, inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan], minimum: int
) -> tuple[int, int] | None:
    """The smallest step, and the smallest of some minima, at which all outputs come and have the size that is planned.

    None where no step will do. The frame is the first of `inputs`, and its example a size that the network takes.
    """
    frame = inputs[0]
    own = [frame.example.shape[frame.axes.index(letter)] for letter in "yx"]
    for step in STEPS:
        for times in MINIMA:
            least = -(-minimum * times // step) * step
            if any(size < least or (size - least) % step for size in own):
                continue
            sizes = ((least, least + step), (least + step, least), (least + 3 * step, least + 2 * step))
            if all(_takes(original, inputs, plans, size) for size in sizes):
                return least, step
    return None


def _takes(
    original: Original, inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan], size: tuple[int, int]
) -> bool:
    arrays = [varied(plan.example, plan.axes, beside(plan, size)) for plan in inputs]
    try:
        outputs = run_on(original, fed_all(inputs, arrays))
    except ExportError:
        return False
    return len(outputs) == len(plans) and all(
        tuple(output.shape[plan.axes.index(letter)] for letter in "yx") == plan.size(size)
        for plan, output in zip(plans, outputs, strict=True)
        if {"y", "x"} <= set(plan.axes)
    )
