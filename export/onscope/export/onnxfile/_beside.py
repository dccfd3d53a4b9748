"""Inputs of an ONNX graph beside the frame: what their axes and sizes are, as far as a file tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from .._original import FurtherInput
from ._layout import LAYOUTS

SHARES = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(2))
"""Sizes beside the frame's that are tried, for height and width that a file leaves free, or fixes as it does the
frame's."""
MOST_INPUTS = 8
FRAME = "raw"
"""What the frame is called where nobody says otherwise."""
Dims = Sequence[int]


def readable(names: Sequence[str], side: str) -> tuple[str, ...]:
    """Names of a graph's inputs or outputs (`side`) as a description takes them, each once and none the frame's."""
    plain = [re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_")[-28:] for name in names]
    plain = [name if re.match(r"[a-z_]", name) and name != FRAME else f"{side}_{name}" for name in plain]
    found = [name if plain.count(name) == 1 else f"{name[:24]}_{place}" for place, name in enumerate(plain)]
    return tuple(found) if len(set(found)) == len(found) else tuple(f"{side}_{place}" for place in range(len(found)))


def guesses_beside(
    names: Sequence[str], dims: Sequence[Dims], takes: Sequence[str], axes: str, frame: Mapping[str, int]
) -> Iterator[tuple[FurtherInput, ...]]:
    """What the inputs after the first may be, the likeliest first: `dims` are their sizes (0: any), `axes` the frame's.

    `frame` are the frame's own sizes (0: any), by letter. One guess of none where there are no such inputs.
    """
    if not names:
        yield ()
        return
    letters = [_letters(one, axes) for one in dims]
    if not all(letters):
        return
    seen = []
    for share in (*SHARES, None):
        found = tuple(
            FurtherInput(name, each, _sizes(each, one, frame, share), dtype)
            for name, each, one, dtype in zip(names, letters, dims, takes, strict=True)
        )
        if found not in seen:
            seen.append(found)
            yield found


def shape_beside(one: FurtherInput, axes: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Its shape beside a frame of `shape`."""
    frame = dict(zip(axes, shape, strict=True))
    return tuple(
        int(size * frame[letter]) if isinstance(size, Fraction) else frame.get("b", 1) if letter == "b" else size
        for letter, size in zip(one.axes, one.sizes, strict=True)
    )


def sizes_beside(one: FurtherInput, free: Mapping[str, str]) -> list[int | str]:
    """Its sizes in a graph whose axes `free` (by letter, their names) may have any size."""
    found: list[int | str] = []
    for letter, size in zip(one.axes, one.sizes, strict=True):
        if isinstance(size, Fraction):
            found.append(free.get(letter, letter) if size == 1 else f"{one.name}_{letter}")
        else:
            found.append(free["b"] if letter == "b" and "b" in free else size)
    return found


def said_beside(one: FurtherInput) -> str:
    """As --input takes it: "other b=1,c=4,y=y/2,x=x/2"."""
    sizes = (f"{letter}={_said(letter, size)}" for letter, size in zip(one.axes, one.sizes, strict=True))
    return f"{one.name} {','.join(sizes)}"


def _said(letter: str, size: int | Fraction) -> str:
    if not isinstance(size, Fraction):
        return str(size)
    return letter if size == 1 else f"{letter}/{size.denominator}" if size < 1 else f"{letter}*{size.numerator}"


def _letters(dims: Dims, axes: str) -> str:
    """Its axes; "" where nothing tells them."""
    if len(dims) == len(axes):
        return axes
    if len(dims) < 3:
        return {1: "c" if dims[0] > 1 else "b", 2: "bc"}[len(dims)] if dims else ""
    last = axes.endswith("c")
    return next((each for each in LAYOUTS.get(len(dims), ()) if each.endswith("c") == last and "b" in each), "")


def _sizes(letters: str, dims: Dims, frame: Mapping[str, int], share: Fraction | None) -> tuple[int | Fraction, ...]:
    own = dict(zip(letters, dims, strict=True))
    sides = [letter for letter in "yx" if letter in own]
    follows = share is not None and len(sides) == 2 and all(
        not own[letter] if not frame.get(letter) else own[letter] in (0, frame[letter] * share) for letter in sides
    )  # fmt: skip
    found: list[int | Fraction] = []
    for letter, size in own.items():
        if follows and letter in sides:
            assert share is not None
            found.append(share)
        else:
            found.append(1 if letter == "b" else size or frame.get(letter) or 1)
    return tuple(found)
