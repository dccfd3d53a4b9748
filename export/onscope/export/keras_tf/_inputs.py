"""The inputs of a network: which is the frame, and how those beside it follow its size."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from onscope.runtime import ExportError

from .._original import FurtherInput
from .._plan import DTYPES

Shape = tuple[int | None, ...]
LETTERS = {1: "b", 2: "bc", 4: "byxc", 5: "bzyxc"}
SHARES = (Fraction(1), Fraction(1, 2), Fraction(2), Fraction(1, 4), Fraction(4))
"""Sizes of an input relative to the frame, in the order in which they are tried."""


def frame_first(shapes: Sequence[Shape], where: str) -> list[int]:
    """The places of the inputs, the first image in front; raises ExportError where there is none."""
    images = [place for place, shape in enumerate(shapes) if len(shape) in (4, 5) or len(shapes) == 1]
    if not images:
        sizes = ", ".join("x".join("?" if n is None else str(n) for n in shape) for shape in shapes)
        raise ExportError(
            f"found {len(shapes)} inputs in {where}{f' ({sizes})' if sizes else ''}, expected an image with batch and "
            "channels (4 or 5 axes) among them: save a model that was built for images"
        )
    return [images[0], *(place for place in range(len(shapes)) if place != images[0])]


def further_inputs(told: Sequence[tuple[str, Shape, str]], axes: str, depth: int) -> tuple[FurtherInput, ...]:
    """The inputs beside a frame of the letters `axes`, by name, shape and dtype; free along y and x where they name no
    size, `depth` planes where they are free along z.

    Raises ExportError for axes that a description has no letters for, and channels of any number.
    """
    found = []
    for name, shape, dtype in told:
        letters = axes if len(shape) == len(axes) else LETTERS.get(len(shape), "")
        usual: dict[str, int | Fraction | None] = {"b": 1, "z": depth, "y": Fraction(1), "x": Fraction(1)}
        sizes = [1 if letter == "b" else size or usual.get(letter)
                 for letter, size in zip(letters, shape, strict=False)]  # fmt: skip
        known = tuple(size for size in sizes if size is not None)
        if not letters or len(known) != len(letters):
            raise ExportError(
                f"found the input {name[:60]!r} of {len(shape)} axes beside the frame, expected an image, or numbers "
                "along batch and channels, of a known number of channels: say its sizes with --input"
            )
        found.append(FurtherInput(name, letters, known, dtype if dtype in DTYPES else "float32"))
    return tuple(found)


def that_fit(
    further: Sequence[FurtherInput], fits: Callable[[Sequence[FurtherInput]], bool]
) -> tuple[FurtherInput, ...]:
    """The inputs with the shares of the frame's size at which `fits` says that the network runs, or as they are."""
    return next((tuple(one) for one in _varied(further) if fits(one)), tuple(further))


def _varied(further: Sequence[FurtherInput]) -> Iterator[list[FurtherInput]]:
    free = [any(isinstance(size, Fraction) for size in one.sizes) for one in further]
    for shares in itertools.islice(itertools.product(SHARES, repeat=sum(free)), 125):
        ready = iter(shares)
        yield [_sized(one, next(ready)) if follows else one for one, follows in zip(further, free, strict=True)]


def _sized(one: FurtherInput, share: Fraction) -> FurtherInput:
    return replace(one, sizes=tuple(share if isinstance(size, Fraction) else size for size in one.sizes))


def size_beside(one: FurtherInput, size: tuple[int, int]) -> list[int]:
    """Its shape beside a frame of (y, x)."""
    own = dict(zip("yx", size, strict=True))
    return [int(own[letter] * length) if isinstance(length, Fraction) else length
            for letter, length in zip(one.axes, one.sizes, strict=True)]  # fmt: skip
