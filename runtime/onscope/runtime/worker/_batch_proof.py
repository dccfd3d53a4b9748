"""Does a batched graph give what the graph of one window gives? Different windows, one by one and together.

An engine may choose other kernels for other sizes of the batch, which reckon in another order. What that may change is
what engines may change (`_engine_errors`): `FLOOR` of the answer's range in all but a thousandth of its numbers.
There is no error of fewer bits to allow for: the graph of one window is on the same engine, in the same precision.
What the other windows of a batch are may change nothing, not a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ..engines import Session, open_session
from ..graph import HostScalars, Raw
from ..graph.batch import Batched
from ._engine_errors import FLOOR, PERCENTILE, EngineError, reach
from ._verdicts import test_window

Array = npt.NDArray[Any]
FEW = (1, 2, 3)
"""Sizes of batches that are tried beside the largest."""
MOST_ROWS = 4096
"""Longer tables are compared row by row, in their order."""


@dataclass(frozen=True, slots=True)
class BatchError:
    """One output of the graph: how far batches are from single windows, as a share of its range.

    `apart` is what the rule judges, `largest` that of the worst number. `identical`: not a bit differs.
    """

    output: str
    apart: float
    largest: float
    identical: bool

    @property
    def passed(self) -> bool:
        return EngineError(self.apart, 0.0).passed


@dataclass(frozen=True, slots=True)
class BatchProof:
    """What was seen of a batched graph: on which provider, in batches of which sizes, output by output.

    `mixed` are outputs that change with the other windows of the batch; of an engine that does not answer the same
    batch twice alike it cannot be told.
    """

    provider: str
    sizes: tuple[int, ...]
    errors: tuple[BatchError, ...]
    mixed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.mixed and all(error.passed for error in self.errors)

    @property
    def identical(self) -> bool:
        return all(error.identical for error in self.errors)

    @property
    def largest(self) -> float:
        """The largest difference of any number of any answer, as a share of that answer's range."""
        return max((error.largest for error in self.errors), default=0.0)

    @property
    def words(self) -> str:
        """One line for people."""
        sizes = ", ".join(map(str, self.sizes))
        if self.identical:
            return f"batches of {sizes} windows on {self.provider}: the same to the bit as one by one"
        return f"batches of {sizes} windows on {self.provider}: at most {self.largest:.1e} of the range from one by one"


def prove_batched(
    batched: Batched, raw: Raw, *, windows: Sequence[Sequence[Pixels]] = (), provider: str = "cpu", threads: int = 1
) -> BatchProof:
    """Run `batched.most` windows one by one, and in batches of 1, 2, 3 and `most`, on one provider.

    `raw` is what the graph was compiled for. `windows` come first (a package's test tensor, say), others are made:
    spots and noise, each moved, turned and scaled in another way, so that no two of them have the same statistics.
    Recurrent networks begin each with another memory. Raises what `open_session` raises.
    """
    single = open_session(batched.single.path, provider, threads)
    many = open_session(batched.path, provider, threads)
    feeds = feeds_of(batched, single, raw, [*windows[: batched.most], *windows_like(raw, batched.most - len(windows))])
    wanted = [[np.array(each) for each in single.run(feed)] for feed in feeds]
    sizes = tuple(size for size in dict.fromkeys((*FEW, batched.most)) if size <= batched.most)
    found: list[list[BatchError]] = [[] for _ in single.outputs]
    for size in sizes:
        # The last windows, so that none is always at the same place.
        chosen = range(len(feeds) - size, len(feeds))
        answers = many.run(stacked([feeds[number] for number in chosen]))
        for at, (spec, answer) in enumerate(zip(single.outputs, answers, strict=True)):
            found[at] += [_held(spec.name, answer[k], wanted[number][at]) for k, number in enumerate(chosen)]
    mixed = _mixed(many, feeds) if len(feeds) > 1 else []
    return BatchProof(
        provider, sizes, tuple(map(_worst, found)), tuple(single.outputs[number].name for number in mixed)
    )


def refuse_unproven(batched: Batched, proof: BatchProof) -> None:
    """Raise PipelineError when a batched graph's answers are not those of single windows."""
    wrong = [f"{error.output} by {error.apart:.1e} of its range" for error in proof.errors if not error.passed]
    wrong += [f"{name} changes with the batch's other windows" for name in proof.mixed]
    if wrong:
        raise PipelineError(
            f"found other answers of {'+'.join(batched.single.stages)} for batches of windows than one by one on "
            f"{proof.provider} ({'; '.join(wrong)}), expected at most {FLOOR:.0e}: run windows one by one"
        )


def windows_like(raw: Raw, count: int) -> list[list[Pixels]]:
    """Windows that look like an acquisition's, each another: what is between frames moves, too."""
    y, x = raw.axes.index("y"), raw.axes.index("x")
    made = []
    for number in range(count):
        frames = []
        for at, frame in enumerate(test_window(raw)):
            moved = np.roll(frame, (7 * number + 2 * at, 11 * number + 3 * at), axis=(y, x))
            turned = np.flip(moved, axis=(y, x)[number % 2]) if number % 3 else moved
            frames.append(np.ascontiguousarray((turned * (1.0 / (1 + number / 3))).astype(raw.dtype)))
        made.append(frames)
    return made


def feeds_of(batched: Batched, session: Session, raw: Raw, windows: Sequence[Sequence[Pixels]]) -> list[list[Array]]:
    """The graph's inputs for each of the windows; of a tiled graph, for the first tiles of it."""
    compiled = batched.single
    answers, places = len(compiled.answers), compiled.frames + len(compiled.scalars)
    states = [np.zeros(_sizes(spec.shape), spec.dtype) for spec in session.inputs[places:]]
    feeds = []
    for window in windows:
        chosen = window if compiled.frames == len(window) else [window[raw.target]]
        frames = [_fitting(frame, spec.shape) for frame, spec in zip(chosen, session.inputs, strict=False)]
        feed = [*frames, *HostScalars(compiled.scalars, raw).values(chosen), *states]
        feeds.append([np.ascontiguousarray(each) for each in feed])
        if states:
            states = [np.array(each) for each in session.run(feeds[-1])[answers:]]
    return feeds


def stacked(feeds: Sequence[Sequence[Array]]) -> list[Array]:
    return [np.stack(each) for each in zip(*feeds, strict=True)]


def _mixed(many: Session, feeds: Sequence[Sequence[Array]]) -> list[int]:
    """Numbers of the outputs in which the first window is answered otherwise beside others."""
    batches = [stacked(feeds)] * 2 + [stacked([feeds[0], *reversed(feeds[:-1])])]
    first, again, beside = ([np.array(each[0]) for each in many.run(batch)] for batch in batches)

    def same(one: Array, other: Array) -> bool:
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")

    return [at for at, one in enumerate(first) if same(one, again[at]) and not same(one, beside[at])]


def _fitting(frame: Pixels, shape: tuple[int | None, ...]) -> Pixels:
    """A frame, or as much of it as a tile takes."""
    sizes = _sizes(shape)
    own = sizes[len(sizes) - frame.ndim :]
    return np.ascontiguousarray(np.broadcast_to(frame[tuple(slice(size) for size in own)], sizes))


def _sizes(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(size or 1 for size in shape)


def _held(name: str, found: Array, wanted: Array) -> BatchError:
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return BatchError(name, float("inf"), float("inf"), False)
    if np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f"):
        return BatchError(name, 0.0, 0.0, True)
    first, second = found.astype(np.float64), wanted.astype(np.float64)
    span = reach(wanted)
    apart = _apart(first, second)
    error = BatchError(name, float(np.percentile(apart, PERCENTILE)) / span, float(apart.max()) / span, False)
    if not error.passed and wanted.ndim == 2 and 1 < len(wanted) <= MOST_ROWS:
        # A table: rows of equal scores have no order.
        rows = max(_unmatched(first, second), _unmatched(second, first)) / span
        return BatchError(name, rows, rows, False)
    return error


def _apart(found: Array, wanted: Array) -> Array:
    """How far numbers are from one another: nothing where both are the same infinity, or none."""
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(found - wanted))
    return np.asarray(np.where(np.isnan(apart), np.inf, apart))


def _unmatched(found: Array, wanted: Array) -> float:
    """How far the row is from the other table that is furthest from it."""
    return max(float(_apart(row[np.newaxis], wanted).max(axis=1).min()) for row in found)


def _worst(errors: Sequence[BatchError]) -> BatchError:
    return BatchError(
        errors[0].output,
        max(error.apart for error in errors),
        max(error.largest for error in errors),
        all(error.identical for error in errors),
    )
