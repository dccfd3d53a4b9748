"""Decoders turn a network's output into an answer. One file per kind of answer; the package or the stage chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .._errors import PipelineError
from .._frame import Pixels
from ._image import ImageDecoder
from ._points import PointsDecoder


class Decoder(Protocol):
    """Built with the output's axes and the package's settings; called with each output."""

    columns: tuple[str, ...]
    """Names of a table's columns; empty for an image."""

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None: ...

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        """The answer and its axes. Only the first axis of a table ("ic") may vary in size from frame to frame."""
        ...


DECODERS: dict[str, type[Decoder]] = {"image": ImageDecoder, "points": PointsDecoder}


def decoder(axes: Sequence[str], settings: Mapping[str, Any]) -> Decoder:
    """The decoder that `settings["decode"]` names; raises PipelineError when there is none."""
    kind = settings.get("decode", "image")
    if kind not in DECODERS:
        raise PipelineError(f"found the decoder {kind!r}, expected one of {', '.join(DECODERS)}")
    return DECODERS[kind](axes, settings)


__all__ = ["DECODERS", "Decoder", "decoder"]
