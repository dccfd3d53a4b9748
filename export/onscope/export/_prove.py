"""Network and ONNX file on the same inputs: the example, other sizes and brightness, batches, the user's frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onscope.runtime import ExportError, ProviderError

from . import _steps
from ._choices import Choices, Settled
from ._further import beside, stacked, states
from ._original import Array, Original, contiguous, one_line, run_on
from ._plan import TensorPlan, parity_sizes, trials, varied
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

FOLLOWING = ("torch.export", "TorchScript exporter")
"""Exporters that follow one way through a network."""


class Trial(NamedTuple):
    """Where an input comes from, its (y, x), the inputs as they come (the frame first), and what the network is fed.

    Metrics are taken where `measured`: on the example and on the user's frames, which are what the network is for.
    """

    where: str
    size: tuple[int, int]
    raw: Sequence[Array]
    fed: list[Array]
    measured: bool


def prove(
    original: Original, weights: Path, inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan], wanted: Settled,
    choices: Choices, batches: bool, frames: Sequence[NamedFrame] = (), say: Callable[[str], object] = lambda _: None,
) -> Proof:  # fmt: skip
    """Every output on every input; raises ExportError where one of the two fails.

    `frames` have the axes of the first of `inputs`; the others have their examples' values beside them. `say` is told
    "proving parity 3/7" before each input.
    """
    from onscope.runtime.engines import open_session

    session = open_session(weights, "cpu")
    parity, measured, shown = list[Parity](), list[Metric](), list[Answers]()
    errors = Errors.none()
    makers = _trials(inputs, wanted, choices, batches, frames)
    for number, make in enumerate(makers, 1):
        say(f"proving parity {number}/{len(makers)}")
        trial = make()
        expected = run_on(original, trial.fed)
        try:
            found = session.run(trial.fed)
        except ProviderError as error:
            raise ExportError(
                f"found that the exported file fails at {trial.size[0]}x{trial.size[1]} ({one_line(error)})"
            ) from error
        picture = trial.measured and len(shown) < 2 * len(plans)
        for plan, want, have in zip(plans, expected, found, strict=True):
            _check_scale(plan, want, trial.size)
            settings = plan.settings(wanted.about.settings)
            parity.append(compare(want, have, output=plan.name, where=trial.where, size=trial.size, settings=settings))
            errors = errors.with_(want, have, settings)
            if trial.measured:
                given, known = inputs[0], named(inputs, trial.raw)
                frame = (trial.raw[0], trial.fed[0], given.axes, given.name)
                # Engines may use their memory again: what is kept is copied.
                pair = (np.array(want), np.array(have))
                one = answers(plan.name, trial.where, plan.axes, plan.steps, pair, frame, settings, known)
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
    frozen = exporter in FOLLOWING and worst.where not in ("test tensor", "two at once")
    advice = " (where its code decides by pixels or sizes: export it from a file of torch.jit.script)" if frozen else ""
    return (
        f"{about}{worst.output!r} at {worst.size[0]}x{worst.size[1]} ({worst.where}){numbers}: {worst.reason}, so no "
        f"package was written{advice}"
    )


def form_of(wanted: Settled) -> Form:
    """What frames must be like for this export."""
    shape, dtype = wanted.example.shape, wanted.example.dtype.name
    return Form(wanted.axes, shape, dtype, wanted.minimum, wanted.step, wanted.fixed)


def _trials(
    inputs: Sequence[TensorPlan], wanted: Settled, choices: Choices, batches: bool, frames: Sequence[NamedFrame]
) -> list[Callable[[], Trial]]:
    """One function per trial, so that only one of them is in memory at a time."""
    own = _size(wanted.example, wanted.axes)
    sizes = [own, own] if wanted.fixed else list(choices.sizes)
    sizes = sizes or parity_sizes(wanted.example, wanted.axes, wanted.minimum, wanted.step)
    makers: list[Callable[[], Trial]] = []

    def add(where: str, size: tuple[int, int], raw: Sequence[Array], measured: bool) -> None:
        makers.append(lambda: Trial(where, size, raw, fed_all(inputs, raw), measured))

    for where, size, gain in trials(own, sizes):
        varieties = (varied(plan.example, plan.axes, beside(plan, size), gain) for plan in inputs)
        add(where, size, list(varieties), where == "test tensor")
    if memory := states(wanted.about.settings):
        empty = [np.zeros_like(plan.example) if plan.name in memory else plan.example for plan in inputs]
        add("empty state", own, empty, False)
    if batches:
        pair = [tuple(plan.example for plan in inputs), tuple(_mirrored(plan) for plan in inputs)]
        makers.append(lambda: Trial("two at once", own, _both(inputs, pair), _both(
            inputs, [fed_all(inputs, raw) for raw in pair]), False))  # fmt: skip
    for number, one in enumerate(frames, 1):
        where = f"frame {number}" + (f" ({one.name})" if one.name else "")
        size = _size(one.pixels, wanted.axes)
        others = (varied(plan.example, plan.axes, beside(plan, size)) for plan in inputs[1:])
        add(where, size, [one.pixels, *others], True)
    return makers


def _mirrored(plan: TensorPlan) -> Array:
    return np.flip(plan.example, plan.axes.index("x")) if {"b", "x"} <= set(plan.axes) else plan.example


def _both(inputs: Sequence[TensorPlan], pair: Sequence[Sequence[Array]]) -> list[Array]:
    return [stacked(of, plan.axes) for plan, of in zip(inputs, zip(*pair, strict=True), strict=True)]


def fed_all(inputs: Sequence[TensorPlan], arrays: Sequence[Array] | None = None) -> list[Array]:
    """What the network takes of its inputs (None: their examples): after the steps, in one piece."""
    arrays = [plan.example for plan in inputs] if arrays is None else arrays
    known = named(inputs, arrays)
    return [
        contiguous(_steps.apply(plan.steps, array, plan.axes, known) if plan.steps else array)
        for plan, array in zip(inputs, arrays, strict=True)
    ]


def answered(plan: TensorPlan, inputs: Sequence[TensorPlan]) -> Array:
    """An output (the plan's example) behind its steps."""
    if not plan.steps:
        return plan.example
    examples = named(inputs, [one.example for one in inputs])
    found = contiguous(_steps.apply(plan.steps, plan.example, plan.axes, examples))
    return found.astype(np.float32) if found.dtype == np.float64 else found


def named(inputs: Sequence[TensorPlan], arrays: Sequence[Array]) -> dict[str, tuple[Array, str]]:
    """The inputs as they come and their axes by name, for steps that refer to them."""
    return {plan.name: (array, plan.axes) for plan, array in zip(inputs, arrays, strict=True)}


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
