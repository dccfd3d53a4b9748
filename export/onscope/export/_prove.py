"""Network and ONNX file on the same inputs: the example, other sizes and brightness, batches, the user's frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from onscope.runtime import ExportError, ProviderError

from . import _steps
from ._choices import Choices, Settled
from ._original import Array, Original, contiguous, one_line
from ._plan import TensorPlan, check_axes, parity_sizes, trials
from .proof import MAX_LIMIT, P999_LIMIT, Parity, compare

Trial = tuple[str, tuple[int, int], Array]
"""Where the input comes from, its (y, x), and what the network is fed with."""


def prove(
    original: Original, weights: Path, given: TensorPlan, plans: Sequence[TensorPlan], wanted: Settled,
    choices: Choices, batches: bool,
) -> tuple[Parity, ...]:  # fmt: skip
    """Every output on every input; raises ExportError where one of the two fails."""
    from onscope.runtime.engines import open_session

    session = open_session(weights, "cpu")
    proven = []
    for where, size, fed in _trials(given, wanted, choices, batches):
        expected = original.run(fed)
        try:
            found = session.run([fed])
        except ProviderError as error:
            raise ExportError(
                f"found that the exported file fails at {size[0]}x{size[1]} ({one_line(error)})"
            ) from error
        for plan, want, have in zip(plans, expected, found, strict=True):
            _check_scale(plan, want, size)
            proven.append(compare(want, have, output=plan.name, where=where, size=size, settings=wanted.about.settings))
    return tuple(proven)


def refusal(parity: Sequence[Parity], exporter: str) -> str:
    """Why no package was written, with the worst numbers."""
    worst = max((one for one in parity if not one.passed), key=lambda one: np.nan_to_num(one.max_relative, nan=np.inf))
    numbers = ""
    if np.isfinite(worst.max_relative):
        numbers = (
            f" is off by {worst.max_relative:.2e} of its range (99.9th percentile {worst.p999_relative:.2e}, limits "
            f"{MAX_LIMIT:g} and {P999_LIMIT:g})"
        )
    return (
        f"found that the export by {exporter} is not equal to the network: {worst.output!r} at {worst.size[0]}x"
        f"{worst.size[1]} ({worst.where}){numbers}: {worst.reason}, so no package was written"
    )


def _trials(given: TensorPlan, wanted: Settled, choices: Choices, batches: bool) -> Iterator[Trial]:
    own = _size(wanted.example, wanted.axes)
    sizes = [own, own] if wanted.fixed else list(choices.sizes)
    sizes = sizes or parity_sizes(wanted.example, wanted.axes, wanted.minimum, wanted.step)
    frames = list(trials(wanted.example, wanted.axes, sizes))
    for where, size, frame in frames:
        yield where, size, fed_with(given, frame)
    if batches:
        place = wanted.axes.index("b")
        frame = np.flip(wanted.example, wanted.axes.index("x"))
        pair = [fed_with(given, wanted.example), fed_with(given, frame)]
        yield "two at once", own, contiguous(np.concatenate(pair, axis=place))
    for number, frame in enumerate(choices.frames):
        shaped = as_input(frame, wanted.axes, f"frame {number}")
        yield f"frame {number}", _size(shaped, wanted.axes), fed_with(given, shaped)


def as_input(frame: Array, axes: str, what: str) -> Array:
    """A frame (y, x) with the axes that it lacks; raises ExportError when it has others."""
    if frame.ndim == 2 and len(axes) > 2:
        frame = np.expand_dims(frame, tuple(place for place, letter in enumerate(axes) if letter not in "yx"))
    check_axes(axes, frame, what)
    return frame


def fed_with(given: TensorPlan, frame: Array) -> Array:
    """What the network takes of a frame: after the steps, in one piece."""
    if not given.steps:
        return contiguous(frame)
    return contiguous(_steps.apply(given.steps, frame, given.axes, {given.name: (frame, given.axes)}))


def _size(frame: Array, axes: str) -> tuple[int, int]:
    return frame.shape[axes.index("y")], frame.shape[axes.index("x")]


def _check_scale(plan: TensorPlan, output: Array, size: tuple[int, int]) -> None:
    if "y" not in plan.axes or "x" not in plan.axes:
        return
    found = (output.shape[plan.axes.index("y")], output.shape[plan.axes.index("x")])
    if found != (size[0] * plan.scale, size[1] * plan.scale):
        raise ExportError(
            f"found an output {plan.name!r} of {found[0]}x{found[1]} for an input of {size[0]}x{size[1]}, expected "
            f"{plan.scale:g} times the input's size: pad inside the network, or state the step that it needs"
        )
