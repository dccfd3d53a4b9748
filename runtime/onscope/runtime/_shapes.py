"""A closed set of frame sizes: all are warmed up before the first frame, and no other is prepared while frames come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ._errors import PipelineError, ProviderError
from ._frame import FrameSpec
from .engines import providers_of

LARGEST = 1 << 16
MOST = 32
BUILDERS = ("tensorrt", "tensorrt-ep", "tensorrt-rtx")
"""Engines that open a size only after something was built for it."""

Shape = tuple[int, int]


def shapes_of(stated: Sequence[str | Sequence[int]]) -> tuple[Shape, ...]:
    """Frame sizes as (height, width), written `HEIGHTxWIDTH` or as two numbers; raises PipelineError."""
    if isinstance(stated, str):
        stated = [stated]
    shapes = tuple(dict.fromkeys(_shape(each) for each in stated))
    if len(shapes) > MOST:
        raise PipelineError(f"found {len(shapes)} frame sizes, expected at most {MOST}: all are kept open")
    return shapes


def specs_for(spec: FrameSpec, shapes: Sequence[Shape]) -> list[FrameSpec]:
    """Frames like `spec` in all of the sizes, and itself at the end."""
    return [*(replace(spec, shape=(*shape, *spec.shape[2:])) for shape in shapes if shape != spec.shape[:2]), spec]


def outside(spec: FrameSpec, shapes: Sequence[Shape]) -> str:
    """What is said of frames of none of the sizes; empty where they are of one, or any size may come."""
    if not shapes or spec.shape[:2] in shapes:
        return ""
    return f"found frames of {_words(spec.shape[:2])}, expected one of the sizes {', '.join(map(_words, shapes))}"


def for_others(asked: str) -> str:
    """Who runs frames of other sizes: the next of a list that opens any size; raises ProviderError: nobody does."""
    for name in providers_of(asked)[1:]:
        if name.partition(":")[0] not in BUILDERS:
            return name
    raise ProviderError(
        "nothing is prepared for other sizes while frames come: name the size beforehand (shapes), or a provider that "
        "opens any size behind the first one, such as --provider tensorrt,cpu"
    )


def _words(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _shape(stated: str | Sequence[int]) -> Shape:
    sides: tuple[int, ...]
    if isinstance(stated, str):
        match = re.fullmatch(r"\s*([0-9]{1,5})x([0-9]{1,5})\s*", stated.lower())
        sides = () if match is None else (int(match[1]), int(match[2]))
    else:
        sides = tuple(int(side) for side in stated)[:3]
    if len(sides) != 2 or not all(1 <= side <= LARGEST for side in sides):
        raise PipelineError(f"found the frame size {stated!r}, expected HEIGHTxWIDTH in pixels, such as 512x512")
    return sides[0], sides[1]
