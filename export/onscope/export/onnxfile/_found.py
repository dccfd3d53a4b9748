"""What was found out about an ONNX graph by running it."""

from __future__ import annotations

from dataclasses import dataclass

from .._original import FurtherInput
from ._session import Session


@dataclass(frozen=True)
class Probed:
    """What was found. `sizes` are those of a frame (0: any); empty `axes` and `outputs`: nothing could be found.

    `own` runs the file as it is, for inputs of the sizes `declared` (0: any), `freed` the same with free sizes.
    """

    declared: tuple[int, ...]
    own: Session
    axes: str = ""
    further: tuple[FurtherInput, ...] = ()
    """What the other inputs are beside the frame."""
    sizes: tuple[int, ...] = ()
    outputs: tuple[str, ...] = ()
    offsets: tuple[int, ...] = ()
    """Pixels that each output has more along y and x than its multiple of the frame's; none: 0 each."""
    answers: tuple[tuple[int, ...], ...] = ()
    """Shapes of the outputs for a frame of the known sizes."""
    minimum: int | None = None
    step: int | None = None
    fixed: bool = False
    freed: Session | None = None
    why: str = ""
    """Why height and width are not free, or nothing was found."""
