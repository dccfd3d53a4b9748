"""What is stored, frame by frame: which parts of it a network takes at once, and its axes in the network's order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from onscope.runtime import ExportError

from .._original import Array
from ._stored import Stored

MOST_VALUES = 1 << 30
"""Values of one frame, planes and samples that a network takes at once included."""


@dataclass(frozen=True, slots=True)
class Form:
    """What frames must be like: axes and their sizes as the example has them, its dtype, and heights and widths.

    These are `minimum` + n * `step` pixels, or with `fixed` those of `shape`.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: str
    minimum: int = 1
    step: int = 1
    fixed: bool = False

    def size(self, letter: str) -> int:
        """Elements along an axis; 1 for one that there is not."""
        return self.shape[self.axes.index(letter)] if letter in self.axes else 1


@dataclass(frozen=True, eq=False)
class Place:
    """One frame of what is stored: the places along axes that it is read at."""

    stored: Stored
    axes: str
    held: dict[str, int | slice]

    def read(self, form: Form) -> tuple[str, Array]:
        if self.stored.axes:
            pixels = self.stored.read(self.held)
        else:
            whole = self.stored.read({})
            pixels = whole[tuple(self.held.get(letter, slice(None)) for letter in self.axes)]
        name = ", ".join([self.stored.path.name, *self._words()]).removeprefix(", ")
        left = "".join(letter for letter in self.axes if not isinstance(self.held.get(letter), int))
        return name, _arranged(pixels, left, form, name)

    def _words(self) -> Iterator[str]:
        for letter, size in zip(self.axes, self.stored.shape, strict=True):
            place = self.held.get(letter)
            if isinstance(place, slice) and place.stop - place.start < size:
                yield f"{letter} {place.start} to {place.stop - 1}"
            elif isinstance(place, int) and size > 1:
                yield f"{letter} {place}"


class Places:
    """All frames of what is stored, in its order; none is made before it is asked for."""

    def __init__(self, stored: Stored, axes: str, counts: Mapping[str, int], runs: Mapping[str, int]) -> None:
        self._stored, self._axes, self._counts, self._runs = stored, axes, counts, runs

    def __len__(self) -> int:
        return math.prod(self._counts.values())

    def at(self, number: int) -> Place:
        """One of them."""
        places = np.unravel_index(number, tuple(self._counts.values()) or (1,))
        held = {
            letter: _held(letter, int(place), self._runs) for letter, place in zip(self._counts, places, strict=False)
        }
        return Place(self._stored, self._axes, held)


def places_in(stored: Stored, form: Form) -> Places:
    """The frames of one file, OME-Zarr or array; raises ExportError where they are none of the network's."""
    axes = stored.axes or _guessed(stored, form)
    sizes = dict(zip(axes, stored.shape, strict=True))
    if "y" not in axes or "x" not in axes or not all(stored.shape):
        raise ExportError(f"found {stored.path.name} with the axes {axes}, expected an image with y and x")
    kept = {"y", "x", "s"}
    runs = {}
    for letter in form.axes:
        wanted, there = form.size(letter), sizes.get(letter, 1)
        if letter in kept or wanted == 1 or (letter == "c" and wanted == 3 and sizes.get("s", 0) >= 3):
            continue
        if there < wanted or (letter == "c" and there != wanted):
            raise ExportError(
                f"found {there} planes along {letter} in {stored.path.name}, expected {wanted}, as the network takes "
                "them at once: give stacks of so many"
            )
        runs[letter] = wanted
    once = math.prod(runs.get(letter, sizes[letter]) for letter in axes if letter in kept or letter in runs)
    if once > MOST_VALUES:
        raise ExportError(
            f"found frames of {' x '.join(str(sizes[letter]) for letter in 'yx')} in {stored.path.name}, expected at "
            f"most {MOST_VALUES:,} values at once: cut them"
        )
    counts = {letter: sizes[letter] // runs.get(letter, 1) for letter in axes if letter not in kept}
    return Places(stored, axes, counts, runs)


def _held(letter: str, place: int, runs: Mapping[str, int]) -> int | slice:
    return slice(place * runs[letter], (place + 1) * runs[letter]) if letter in runs else place


def _guessed(stored: Stored, form: Form) -> str:
    """Axes of an array that does not name them: the network's, those without the axes of one, or a series of these."""
    without = form.axes.replace("b", "")
    needed = "".join(letter for letter in without if letter in "yx" or form.size(letter) > 1)
    for axes in (form.axes, without, needed, "b" + needed):
        fits = len(axes) == len(stored.shape) and all(
            letter in "byx" or size == form.size(letter) for letter, size in zip(axes, stored.shape, strict=True)
        )
        if fits:
            return axes
    sizes = "x".join(map(str, stored.shape))
    raise ExportError(f"found {stored.path.name} of {sizes}, expected frames with the axes {form.axes} or {needed}")


def _arranged(pixels: Array, axes: str, form: Form, name: str) -> Array:
    """The pixels in the order of the network's axes, those that are missing with one element."""
    if "s" in axes:
        place = axes.index("s")
        colours = np.moveaxis(pixels, place, -1)[..., :3]
        axes = axes.replace("s", "")
        if form.size("c") == 3:
            pixels, axes = colours, axes + "c"
        elif (colours == colours[..., :1]).all():
            pixels = colours[..., 0]
        else:
            raise ExportError(f"found colours in {name}, expected {form.size('c')} channels as the network takes them")
    order = [axes.index(letter) for letter in form.axes if letter in axes]
    missing = tuple(place for place, letter in enumerate(form.axes) if letter not in axes)
    return np.expand_dims(pixels.transpose(order), missing)
