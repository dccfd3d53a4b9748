"""The user's own frames for the proof: taken from images, stacks, folders and OME-Zarr as the network takes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, contiguous
from .._plan import DTYPES
from ._stored import SUFFIXES, Stored, is_ome_zarr, open_stored

MOST_FRAMES = 8
RECORDING = "recording.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class NamedFrame:
    """A frame with the axes that the network's input has; `name` says where it lay."""

    name: str
    pixels: Array


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


def read_frames(
    given: Sequence[Array | str | Path], form: Form, most: int = MOST_FRAMES
) -> tuple[tuple[NamedFrame, ...], tuple[str, ...]]:
    """At most `most` frames of the given ones, spread evenly over all of them in their order, and notes on them.

    A path is a folder of images or an onscope recording, an image or stack (.tif, .tiff, .png, .npy; of a TIFF the
    first series), or an OME-Zarr (0.4, 0.5; the full resolution). Axes that the network does not have are gone through
    frame by frame; along t and z a network of several takes as many that follow one another. Heights and widths that
    the network does not take are cropped at the end, and a note says so. Whole numbers are widened to the dtype.

    Raises ExportError: nothing there, unreadable, too small, other channels, or pixels that the network does not take.
    """
    found, notes, cropped = [], list[str](), list[str]()
    places = [place for one in given for place in _places(one, form, most, notes)]
    for place in _spread(places, most):
        name, pixels = place.read(form)
        pixels = _typed(pixels, form, name)
        fitting = _fitting(pixels, form, name)
        if fitting.shape != pixels.shape:
            cropped.append(f"{name} from {_size(pixels, form)} to {_size(fitting, form)}")
        found.append(NamedFrame(name, contiguous(fitting)))
    if len(found) < len(places):
        notes.append(f"{len(found)} of {len(places)} frames were used for the proof, evenly spread")
    if cropped:
        takes = "one size alone" if form.fixed else f"{form.minimum} + n * {form.step} pixels"
        more = f" and {len(cropped) - 1} more" if len(cropped) > 1 else ""
        notes.append(f"frames were cropped at the end, as the network takes {takes}: {cropped[0]}{more}")
    return tuple(found), tuple(notes)


@dataclass(frozen=True, eq=False)
class _Place:
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


def _spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, the first and the last among these, evenly spaced."""
    chosen = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[int(number)] for number in chosen]


def _places(given: Array | str | Path, form: Form, most: int, notes: list[str]) -> Iterator[_Place]:
    if isinstance(given, np.ndarray):
        array = given
        yield from _inside(Stored(Path(), "", array.shape, lambda _: array), form)
        return
    path = Path(given).expanduser()
    if not path.exists():
        raise ExportError(f"found nothing at {path}, expected frames: an image, a stack, a folder or an OME-Zarr")
    files = _files(path)
    if len(files) > most:
        notes.append(f"{most} of the {len(files)} files in {path.name} were used for the proof, evenly spread")
    for file in _spread(files, most):
        yield from _inside(open_stored(file), form)


def _files(path: Path) -> list[Path]:
    if not path.is_dir() or is_ome_zarr(path):
        return [path]
    if (path / RECORDING).is_file():
        inside = sorted(path.glob("raw*.ome.zarr"))
    else:
        inside = [one for one in path.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")]
    if not inside:
        raise ExportError(f"found no image in {path}, expected {', '.join(SUFFIXES)} files: give another folder")
    return sorted(inside, key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A sort key under which numbers in a name count as numbers."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _inside(stored: Stored, form: Form) -> Iterator[_Place]:
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
    counts = [sizes[letter] // runs.get(letter, 1) for letter in axes if letter not in kept]
    gone = [letter for letter in axes if letter not in kept]
    for number in range(math.prod(counts)):
        places = dict(zip(gone, map(int, np.unravel_index(number, counts or (1,))), strict=False))
        yield _Place(stored, axes, {letter: _held(letter, place, runs) for letter, place in places.items()})


def _held(letter: str, place: int, runs: dict[str, int]) -> int | slice:
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


def _typed(pixels: Array, form: Form, name: str) -> Array:
    kind = pixels.dtype.newbyteorder("=")
    widened = kind.name in DTYPES and np.can_cast(kind, form.dtype, "safe")
    if not widened:
        raise ExportError(
            f"found {kind.name} pixels in {name}, expected {form.dtype} as the package takes them: convert the frames, "
            "or export with --dtype or an --example of theirs"
        )
    return pixels.astype(form.dtype, copy=False)


def _fitting(pixels: Array, form: Form, name: str) -> Array:
    for letter in "yx":
        place = form.axes.index(letter)
        there, least = pixels.shape[place], form.size(letter) if form.fixed else form.minimum
        if there < least:
            raise ExportError(f"found {there} pixels along {letter} in {name}, expected at least {least}")
        wanted = least if form.fixed else least + (there - least) // form.step * form.step
        pixels = np.take(pixels, range(wanted), axis=place) if wanted != there else pixels
    return pixels


def _size(pixels: Array, form: Form) -> str:
    return "x".join(str(pixels.shape[form.axes.index(letter)]) for letter in "yx")
