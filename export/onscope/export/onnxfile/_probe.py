"""Which sizes an ONNX graph takes, found by running it: its axes, free height and width, their step, batches.

A file that fixes height and width often fixes them by name alone: its operators would take any. Such a graph is
opened once more with free sizes; if its outputs follow its input at other sizes, they are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .._original import Array, FurtherInput
from ._beside import guesses_beside, readable, shape_beside, sizes_beside
from ._found import Probed
from ._graph import dims_of, inputs_of, resized
from ._layout import Begin, Followed, axes_at_one_size, begin_of, guesses, output_axes, sums_pixels
from ._session import NotTaken, Session

if TYPE_CHECKING:
    from onnx import ModelProto

STEPS = (1, 2, 4, 8, 16, 32, 64)
BASES = (64, 128, 256)
"""Pixels to begin with; the first at which the graph runs."""
SMALLEST = 16
PLANES = 16
"""Planes of a z axis of any size."""
CHANNELS = (1, 3)
"""What is tried for a number of channels that nothing tells."""
FREE = {"b": "batch", "y": "y", "x": "x"}
SAME = 1e-4
"""Largest difference of an answer beside another image and alone, relative to its range."""


def probed(
    model: ModelProto, takes: Sequence[str], axes: str = "", sizes: Sequence[int] = (),
    further: Sequence[FurtherInput] = (),
) -> Probed:  # fmt: skip
    """Look how the graph, whose inputs are of the dtypes `takes`, behaves; raises ExportError when it does not open.

    `axes` and `sizes` are its first input's where they are known, `further` its others.
    """
    names = [value.name for value in inputs_of(model)]
    declared, *others = (dims_of(value) for value in inputs_of(model))
    known = tuple(own or size for own, size in zip(declared, sizes or (0,) * len(declared), strict=True))
    begin = begin_of(model)
    found = Probed(declared, Session(model, names))
    layouts = [axes] if axes else guesses(known, begin)
    if not layouts:
        return replace(found, why=f"it takes {len(declared)} axes")
    trials = []
    for layout in layouts:
        own = dict(zip(layout, declared, strict=True))
        beside = (
            [tuple(further)]
            if further
            else guesses_beside(readable(names[1:], "input"), others, takes[1:], layout, own)
        )
        trials += [_Trial(model, takes, layout, known, begin, each) for each in beside]
    for trial in trials:
        tried = trial.free(found)
        if tried.axes:
            return tried
        found = replace(found, why=found.why or tried.why)
    if not trials:
        return replace(found, why="what its other inputs are is not known")
    return [trial for trial in trials if trial.axes == layouts[0]][-1].at_own_size(found)


class _Trial:
    """The graph with one guess of its axes, and of the inputs beside the frame."""

    def __init__(
        self, model: ModelProto, takes: Sequence[str], axes: str, known: tuple[int, ...], begin: Begin,
        further: tuple[FurtherInput, ...],
    ) -> None:  # fmt: skip
        self.axes = axes
        self._model, self._takes, self._further = model, takes, further
        self._declared = dims_of(inputs_of(model)[0])
        self._known = dict(zip(axes, known, strict=True))
        self._channels: tuple[int, ...] = CHANNELS
        if sure := self._known.get("c", 1) or begin.channels:
            self._channels = (sure,)

    def free(self, found: Probed) -> Probed:
        """With free height and width, if the outputs follow at other sizes; else `found` with the reason."""
        why = ""
        if any(self._declared[self.axes.index(letter)] for letter in "yx") and sums_pixels(self._model):
            return replace(found, why="its sums over pixels may be wrong, as it may divide them by their number")
        for letters in ("byx", "yx"):
            try:
                session = self._opened(letters, found.own)
            except NotTaken as error:
                why = why or _reason(error)
                continue
            for channels in self._channels:
                try:
                    made = self._follow(self._named(found, session), session, channels)
                except NotTaken as error:
                    why = why or _reason(error)
                    continue
                if letters == "yx" or "b" not in self.axes or self._alike(made, channels):
                    return made
        return replace(found, why=why)

    def at_own_size(self, found: Probed) -> Probed:
        """With the sizes that the file fixes; only the batch may be free."""
        if not (self._known["y"] and self._known["x"]):
            return found
        shape = self._shape(self._known["y"], self._known["x"], self._channels[0])
        try:
            answers = found.own.run(*self._arrays(shape))
        except NotTaken as error:
            return replace(found, why=_reason(error))
        outputs = tuple(axes_at_one_size(self.axes, shape, answer.shape) for answer in answers)
        shapes = tuple(answer.shape for answer in answers)
        made = replace(
            found, axes=self.axes, further=self._further, sizes=shape, outputs=outputs, answers=shapes, fixed=True
        )
        try:
            freed = replace(made, freed=self._opened("b", found.own))
        except NotTaken:
            return made
        return freed if "b" in self.axes and self._alike(freed, self._channels[0]) else made

    def _named(self, found: Probed, session: Session) -> Probed:
        return replace(found, axes=self.axes, further=self._further, freed=session, why="")

    def _opened(self, letters: str, own: Session) -> Session:
        """The graph with free axes of these letters; itself where they are free already."""
        names = [value.name for value in inputs_of(self._model)]
        if not names[1:] and not any(
            self._declared[self.axes.index(letter)] for letter in letters if letter in self.axes
        ):
            return own
        free = {letter: FREE[letter] for letter in letters}
        first = [free.get(letter) or size or letter for letter, size in zip(self.axes, self._declared, strict=True)]
        return Session(resized(self._model, [first, *(sizes_beside(one, free) for one in self._further)]), names)

    def _arrays(self, shape: tuple[int, ...]) -> list[Array]:
        """Noise for a frame of this shape, and for what lies beside it."""
        shapes = [shape, *(shape_beside(one, self.axes, shape) for one in self._further)]
        return [noise(each, dtype) for each, dtype in zip(shapes, self._takes, strict=True)]

    def _shape(self, y: int, x: int, channels: int) -> tuple[int, ...]:
        sizes = {"b": 1, "c": channels, "z": self._known.get("z") or PLANES, "y": y, "x": x}
        return tuple(sizes[letter] if letter in sizes else self._known[letter] or 1 for letter in self.axes)

    def _follow(self, found: Probed, session: Session, channels: int) -> Probed:
        """With the smallest step of height and width at which the outputs follow; raises NotTaken for none."""
        failed: NotTaken | None = None
        for base in BASES:
            for step in STEPS:
                try:
                    found_axes, shapes = self._outputs(session, base, step, channels)
                except NotTaken as error:
                    failed = failed or error
                    continue
                minimum = self._smallest(session, base, step, channels, found_axes)
                grown = {"y": (self._known["y"], base), "x": (self._known["x"], base + step)}
                answers = tuple(
                    tuple((n - one.offset) * grown[letter][0] // grown[letter][1] + one.offset if letter in grown else n
                          for letter, n in zip(one.axes, shape, strict=True))
                    for one, shape in zip(found_axes, shapes, strict=True)
                )  # fmt: skip
                outputs, offsets = zip(*found_axes, strict=True) if found_axes else ((), ())
                sizes = self._sizes(minimum, step, channels)
                return replace(found, outputs=outputs, offsets=offsets if any(offsets) else (), answers=answers,
                               minimum=minimum, step=step, sizes=sizes)  # fmt: skip
        assert failed is not None
        raise failed

    def _outputs(
        self, session: Session, base: int, step: int, channels: int
    ) -> tuple[tuple[Followed, ...], list[tuple[int, ...]]]:
        """Axes of the outputs, and their shapes at `base` x (`base` + `step`) pixels; raises NotTaken."""
        shapes = (self._shape(base, base + step, channels), self._shape(base + 3 * step, base + 2 * step, channels))
        runs = [session.run(*self._arrays(shape)) for shape in shapes]
        found = [output_axes(self.axes, shapes, (one.shape, two.shape))
                 for one, two in zip(*runs, strict=True) if one.ndim == two.ndim]  # fmt: skip
        outputs = tuple(axes for axes in found if axes is not None)
        if len(outputs) != len(runs[0]):
            raise NotTaken("its outputs do not follow the size of its input")
        return outputs, [answer.shape for answer in runs[0]]

    def _smallest(self, session: Session, base: int, step: int, channels: int, outputs: tuple[Followed, ...]) -> int:
        size = step * -(-SMALLEST // step)
        while size < base:
            try:
                if self._outputs(session, size, step, channels)[0] == outputs:
                    return size
            except NotTaken:
                pass
            size *= 2
        return base

    def _sizes(self, minimum: int, step: int, channels: int) -> tuple[int, ...]:
        """Those of a frame: the file's own height and width, where frames of the package can have them."""
        y, x = self._known["y"], self._known["x"]
        fit = all(size >= minimum and (size - minimum) % step == 0 for size in (y, x))
        found = dict(zip(self.axes, self._shape(y, x, channels) if fit else self._shape(0, 0, channels), strict=True))
        # One is what is usual anyway; left open, it may be another axis that the user names there.
        return tuple(size if size > 1 or self._known[letter] else 0 for letter, size in found.items())

    def _alike(self, made: Probed, channels: int) -> bool:
        """Whether two images at once give what each gives alone."""
        assert made.freed is not None
        y, x = (made.minimum, made.minimum) if made.minimum else (self._known["y"], self._known["x"])
        one = self._arrays(self._shape(y, x, channels))
        batched = [self.axes, *(further.axes for further in self._further)]
        other = [np.ascontiguousarray(np.flip(each, -1)) if "b" in axes else each
                 for each, axes in zip(one, batched, strict=True)]  # fmt: skip
        pairs = zip(one, other, batched, strict=True)
        whole = [np.concatenate([a, b], axes.index("b")) if "b" in axes else a for a, b, axes in pairs]
        try:
            both = made.freed.run(*whole)
            alone = [made.freed.run(*one), made.freed.run(*other)]
        except NotTaken:
            return False
        for axes, answer, *each in zip(made.outputs, both, *alone, strict=True):
            if "b" not in axes or axes.count("i"):
                return False
            wanted = np.concatenate(each, axis=axes.index("b")).astype(np.float64)
            if answer.shape != wanted.shape or not np.abs(answer - wanted).max(initial=0) <= SAME * np.ptp(wanted):
                return False
        return True


def noise(shape: Sequence[int], dtype: str) -> Array:
    """Seeded pixels: 0 to 1, or counts below 128."""
    random = np.random.default_rng(0)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return random.random(shape, np.float32).astype(kind, copy=False)
    return random.integers(0, 128, shape, np.uint8).astype(kind, copy=False)


def _reason(error: NotTaken) -> str:
    return str(error).partition(", expected")[0].removeprefix("found that ")
