"""The user's own frames: taken from images, stacks, folders, OME-Zarr and cameras as the network takes them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, contiguous, one_line
from .._plan import DTYPES
from ._live import Live, names_source, take_live
from ._places import Form, Places, places_in
from ._stored import SUFFIXES, Stored, is_ome_zarr, open_stored

MOST_FRAMES = 8
RECORDING = "recording.json"
T = TypeVar("T")
Given = Array | str | Path | Live
"""Frames as users give them: an array, the path of something stored, or a source by name (`Live`, or its bare name)."""
Tell = Callable[[str, int, int], object]
"""What is done, and how much of how much."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedFrame:
    """A frame with the axes that the network's input has; `name` says where it lay."""

    name: str
    pixels: Array


def read_frames(
    given: Sequence[Given], form: Form, most: int = MOST_FRAMES, tell: Tell = lambda step, done, total: None
) -> tuple[tuple[NamedFrame, ...], tuple[str, ...]]:
    """At most `most` frames of the given ones, spread evenly over all of them in their order, and notes on them.

    A path is a folder of images or OME-Zarrs or an onscope recording, an image or stack (.tif, .tiff, .png, .npy; of a
    TIFF the first series), or an OME-Zarr (0.4, 0.5; the full resolution). The name of a source (`demo`,
    `micromanager:scope.cfg`; where nothing has that path) takes a few seconds of it. Axes that the network does not
    have are gone through frame by frame; along t and z a network of several takes as many that follow one another.
    Heights and widths that the network does not take are cropped at the end, and a note says so; so it does of frames
    that a camera lost, that are copies of others, and that show nothing. Whole numbers are widened to the dtype.
    `tell` hears of each second of a camera and each frame.

    Raises ExportError: nothing there, unreadable, too small, other channels, or pixels that the network does not take.
    """
    if not given:
        return (), ()
    found, notes, cropped = [], list[str](), list[str]()
    parts = [places for one in given for places in _places(one, form, most, notes, tell)]
    ends = list(accumulate(map(len, parts)))
    total = ends[-1] if ends else 0
    chosen = _spread(range(total), most)
    for done, number in enumerate(chosen):
        tell("reading the frames", done, len(chosen))
        part = int(np.searchsorted(ends, number, side="right"))
        name, pixels = parts[part].at(number - ends[part] + len(parts[part])).read(form)
        pixels = _typed(pixels, form, name)
        fitting = _fitting(pixels, form, name)
        if fitting.shape != pixels.shape:
            cropped.append(f"{name} from {_size(pixels, form)} to {_size(fitting, form)}")
        found.append(NamedFrame(name, contiguous(fitting)))
    tell("reading the frames", len(chosen), len(chosen))
    if len(found) < total:
        notes.append(f"{len(found)} of {total} frames were used, evenly spread")
    if cropped:
        takes = "one size alone" if form.fixed else f"{form.minimum} + n * {form.step} pixels"
        more = f" and {len(cropped) - 1} more" if len(cropped) > 1 else ""
        notes.append(f"frames were cropped at the end, as the network takes {takes}: {cropped[0]}{more}")
    return tuple(found), (*notes, *_doubtful(found))


def _doubtful(frames: Sequence[NamedFrame]) -> Iterator[str]:
    """What is wrong with frames that can be read: they say nothing new, or nothing at all."""
    different = {hashlib.sha256(f"{one.pixels.shape}".encode() + one.pixels.tobytes()).digest() for one in frames}
    if len(frames) > 1 and len(different) == 1:
        yield f"all {len(frames)} frames are the same: they stand for one only, so give some that differ"
    elif len(different) < len(frames):
        yield f"{len(frames) - len(different)} of {len(frames)} frames are the same as another"
    flat = sum(bool((one.pixels == one.pixels.flat[0]).all()) for one in frames)
    if flat:
        yield f"{flat} of {len(frames)} frames hold one value alone: was there light?"


def _spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, the first and the last among these, evenly spaced."""
    chosen = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[int(number)] for number in chosen]


def _places(given: Given, form: Form, most: int, notes: list[str], tell: Tell) -> Iterator[Places]:
    if isinstance(given, np.ndarray):
        array = given
        yield places_in(Stored(Path(), "", array.shape, lambda _: array), form)
        return
    if isinstance(given, str) and names_source(given):
        given = Live(given)
    if isinstance(given, Live):
        stored, live_notes = take_live(given, form, most, tell)
        notes += live_notes
        yield from (places_in(one, form) for one in stored)
        return
    path = Path(given).expanduser()
    if not os.path.exists(path):  # Path's raises for long names
        raise ExportError(
            f"found nothing at {one_line(path, 200)}, expected frames: an image, a stack, a folder, an OME-Zarr, or a "
            "source such as micromanager:scope.cfg"
        )
    files = _files(path)
    if len(files) > most:
        notes.append(f"{most} of the {len(files)} files in {path.name} were used, evenly spread")
    for file in _spread(files, most):
        yield places_in(open_stored(file), form)


def _files(path: Path) -> list[Path]:
    recorded = (path / RECORDING).is_file()  # a collection of OME-Zarr images, of which the raw ones are meant
    if not recorded and (not path.is_dir() or is_ome_zarr(path)):
        return [path]
    if recorded:
        inside = sorted(path.glob("raw*.ome.zarr"))
    else:
        inside = [
            one
            for one in path.iterdir()
            if not one.name.startswith(".") and (one.suffix.lower() in SUFFIXES or is_ome_zarr(one))
        ]
    if not inside:
        raise ExportError(f"found no image in {path}, expected {', '.join(SUFFIXES)} files: give another folder")
    return sorted(inside, key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A sort key under which numbers in a name count as numbers."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


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
