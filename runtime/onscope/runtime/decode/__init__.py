"""Decoders turn a network's output into an answer. One file per kind of answer; the package or the stage chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .._errors import PipelineError
from .._frame import Pixels
from ._flows import FlowsDecoder
from ._image import ImageDecoder
from ._points import PointsDecoder
from ._star_convex import StarConvexDecoder
from ._star_convex_3d import PolyhedraDecoder

if TYPE_CHECKING:
    from ..package import Step


class Decoder(Protocol):
    """Built with the output's axes and the package's settings (or a step's arguments); called with each output."""

    columns: tuple[str, ...]
    """Names of a table's columns; empty for an image."""
    labels: bool
    """Whether the answer is a label image: whole numbers that name objects, which nothing may interpolate."""
    told: list[str]
    """What the user should know of the last output; whoever says it empties the list."""

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        """The answer and its axes. Only the first axis of a table ("ic") may vary in size from frame to frame."""
        ...


def _of_rays(axes: Sequence[str], arguments: Mapping[str, Any]) -> Decoder:
    return (PolyhedraDecoder if len(arguments["grid"]) == 3 else StarConvexDecoder)(axes, arguments)


DECODERS: dict[str, Callable[[Sequence[str], Mapping[str, Any]], Decoder]] = {
    "image": ImageDecoder,
    "points": PointsDecoder,
}
STEPS: dict[str, Callable[[Sequence[str], Mapping[str, Any]], Decoder]] = {
    "stardist_postprocessing": _of_rays,
    "cellpose_flow_dynamics": FlowsDecoder,
}
"""By the BioImage.IO id of the step of the output's postprocessing that they carry out."""


def decoder(axes: Sequence[str], settings: Mapping[str, Any], steps: Sequence[Step] = ()) -> Decoder:
    """The decoder that the first of `steps` asks for, those that a graph leaves over; else `settings["decode"]`.

    Of the steps after it a cast is left out: labels are int32 whatever the package says. Raises PipelineError when
    there is no such decoder, or for further steps.
    """
    kind = settings.get("decode", "image")
    if kind not in DECODERS:
        raise PipelineError(f"found the decoder {kind!r}, expected one of {', '.join(DECODERS)}")
    if not steps:
        return DECODERS[kind](axes, settings)
    first, *others = steps
    further = [step.id for step in others if step.id != "ensure_dtype"]
    if first.id not in STEPS or further or kind != "image":
        words = f"config.onscope.decode {kind!r}" if kind != "image" else ", ".join(further) or "nothing"
        raise PipelineError(
            f"found {first.id} and then {words}, expected one of {', '.join(STEPS)} as the last step beside a cast: "
            "its labels are the answer, so correct the package"
        )
    return STEPS[first.id](axes, first.arguments)


__all__ = ["DECODERS", "STEPS", "Decoder", "decoder"]
