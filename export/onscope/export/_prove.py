"""Network and ONNX file on the same inputs: the example, other sizes and brightness, batches, the user's frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onscope.runtime import ExportError, ProviderError

from . import _steps
from ._choices import Choices, Settled
from ._original import Array, Original, contiguous, one_line
from ._plan import TensorPlan, parity_sizes, trials
from .frames import Form, NamedFrame
from .proof import (
    MAX_LIMIT,
    P999_LIMIT,
    Answers,
    Errors,
    Metric,
    Parity,
    Proof,
    answers,
    compare,
    metrics,
)


class Trial(NamedTuple):
    """Where an input comes from, its (y, x), the frame, and what the network is fed with.

    Metrics are taken where `measured`: on the example and on the user's frames, which are what the network is for.
    """

    where: str
    size: tuple[int, int]
    frame: Array
    fed: Array
    measured: bool


def prove(
    original: Original, weights: Path, given: TensorPlan, plans: Sequence[TensorPlan], wanted: Settled,
    choices: Choices, batches: bool, frames: Sequence[NamedFrame] = (), say: Callable[[str], object] = lambda _: None,
) -> Proof:  # fmt: skip
    """Every output on every input; raises ExportError where one of the two fails.

    `frames` have the axes of `given`. `say` is told "proving parity 3/7" before each input.
    """
    from onscope.runtime.engines import open_session

    session = open_session(weights, "cpu")
    parity, measured, shown = list[Parity](), list[Metric](), list[Answers]()
    errors, settings = Errors.none(), wanted.about.settings
    makers = _trials(given, wanted, choices, batches, frames)
    for number, make in enumerate(makers, 1):
        say(f"proving parity {number}/{len(makers)}")
        trial = make()
        expected = original.run(trial.fed)
        try:
            found = session.run([trial.fed])
        except ProviderError as error:
            raise ExportError(
                f"found that the exported file fails at {trial.size[0]}x{trial.size[1]} ({one_line(error)})"
            ) from error
        picture = trial.measured and len(shown) < 2 * len(plans)
        for plan, want, have in zip(plans, expected, found, strict=True):
            _check_scale(plan, want, trial.size)
            parity.append(compare(want, have, output=plan.name, where=trial.where, size=trial.size, settings=settings))
            errors = errors.with_(want, have, settings)
            if trial.measured:
                frame = (trial.frame, trial.fed, given.axes, given.name)
                # Engines may use their memory again: what is kept is copied.
                pair = (np.array(want), np.array(have))
                one = answers(plan.name, trial.where, plan.axes, plan.steps, pair, frame, settings)
                measured += metrics(one)
                shown += [one] if picture else []
    return Proof(tuple(parity), tuple(measured), tuple(shown), errors)


def refusal(proof: Proof | Sequence[Parity], exporter: str) -> str:
    """Why no package was written, with the worst numbers."""
    parity, measured = (proof.parity, proof.metrics) if isinstance(proof, Proof) else (proof, ())
    wrong = [one for one in parity if not one.passed]
    about = f"found that the export by {exporter} is not equal to the network: "
    if not wrong:
        bad = next(one for one in measured if not one.passed)
        return (
            f"{about}{bad.name} of {bad.output!r} ({bad.where}) is {bad.words}, expected {bad.least} ({bad.note}), so "
            "no package was written"
        )
    worst = max(wrong, key=lambda one: float(np.nan_to_num(one.max_relative, nan=np.inf)))
    numbers = ""
    if np.isfinite(worst.max_relative):
        numbers = (
            f" is off by {worst.max_relative:.2e} of its range (99.9th percentile {worst.p999_relative:.2e}, limits "
            f"{MAX_LIMIT:g} and {P999_LIMIT:g})"
        )
    return (
        f"{about}{worst.output!r} at {worst.size[0]}x{worst.size[1]} ({worst.where}){numbers}: {worst.reason}, so no "
        "package was written"
    )


def form_of(wanted: Settled) -> Form:
    """What frames must be like for this export."""
    shape, dtype = wanted.example.shape, wanted.example.dtype.name
    return Form(wanted.axes, shape, dtype, wanted.minimum, wanted.step, wanted.fixed)


def _trials(
    given: TensorPlan, wanted: Settled, choices: Choices, batches: bool, frames: Sequence[NamedFrame]
) -> list[Callable[[], Trial]]:
    """One function per input, so that only one of them is in memory at a time."""
    own = _size(wanted.example, wanted.axes)
    sizes = [own, own] if wanted.fixed else list(choices.sizes)
    sizes = sizes or parity_sizes(wanted.example, wanted.axes, wanted.minimum, wanted.step)
    makers: list[Callable[[], Trial]] = []

    def add(where: str, size: tuple[int, int], frame: Array, measured: bool) -> None:
        makers.append(lambda: Trial(where, size, frame, fed_with(given, frame), measured))

    for where, size, frame in trials(wanted.example, wanted.axes, sizes):
        add(where, size, frame, where == "test tensor")
    if batches:
        place = wanted.axes.index("b")
        pair = [wanted.example, np.flip(wanted.example, wanted.axes.index("x"))]
        whole = contiguous(np.concatenate(pair, axis=place))
        makers.append(lambda: Trial("two at once", own, whole, contiguous(
            np.concatenate([fed_with(given, one) for one in pair], axis=place)), False))  # fmt: skip
    for number, named in enumerate(frames, 1):
        where = f"frame {number}" + (f" ({named.name})" if named.name else "")
        add(where, _size(named.pixels, wanted.axes), named.pixels, True)
    return makers


def fed_with(given: TensorPlan, frame: Array) -> Array:
    """What the network takes of a frame: after the steps, in one piece."""
    if not given.steps:
        return contiguous(frame)
    return contiguous(_steps.apply(given.steps, frame, given.axes, {given.name: (frame, given.axes)}))


def answered(plan: TensorPlan, given: TensorPlan) -> Array:
    """An output (the plan's example) behind its steps."""
    if not plan.steps:
        return plan.example
    inputs = {given.name: (given.example, given.axes)}
    found = contiguous(_steps.apply(plan.steps, plan.example, plan.axes, inputs))
    return found.astype(np.float32) if found.dtype == np.float64 else found


def _size(frame: Array, axes: str) -> tuple[int, int]:
    return frame.shape[axes.index("y")], frame.shape[axes.index("x")]


def _check_scale(plan: TensorPlan, output: Array, size: tuple[int, int]) -> None:
    if "y" not in plan.axes or "x" not in plan.axes:
        return
    found = (output.shape[plan.axes.index("y")], output.shape[plan.axes.index("x")])
    if found != plan.size(size):
        raise ExportError(
            f"found an output {plan.name!r} of {found[0]}x{found[1]} for an input of {size[0]}x{size[1]}, expected "
            f"{plan.scale:g} times the input's size: pad inside the network, or state the step that it needs"
        )
