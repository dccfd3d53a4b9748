"""Which frames are a window: how many, along which axis, how far apart, and what a lost one means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .._errors import PipelineError

Along = Literal["t", "z", "c", "i"]
OnGap = Literal["invalid", "reset", "hold", "pad"]
MOST_PLACES = 1024
LONGEST = 256
"""Most frames of a window: each is an input of the compiled graph."""


@dataclass(frozen=True, slots=True)
class Gather:
    """`length` frames of one place along an axis of the acquisition, a new window `every` so many frames.

    `along` is t (time points), z (a stack), c (channels) or i (consecutive frames that are an index of their own,
    such as the phases of structured illumination). `every` is 1 for sliding windows and None (`length`) for jumping
    ones. The answer belongs to the frame with `look_ahead` frames of the window after it: 0 is causal.

    `on_gap` says what a lost or skipped frame means. invalid: windows that need it are not built, and those of a
    jumping window keep their rhythm. reset: windows and state begin anew after it. hold: the last frame before the gap
    stands in for those that are lost, at most `length - 1`; state goes on. pad: windows begin anew after it, and the
    first frame stands in for those before it, as it does at the beginning of a segment.

    `places` is how many positions, channels and planes are gathered at once, and how many memories a recurrent network
    has: what is open of the place that was seen longest ago is given up for one more. Each takes the slots of
    `length - 1` frames.
    """

    length: int = 1
    along: Along = "t"
    every: int | None = None
    look_ahead: int = 0
    on_gap: OnGap = "invalid"
    places: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST or not 1 <= self.step <= self.length:
            raise PipelineError(
                f"found a window of {self.length} frames every {self.step}, expected 1 to {LONGEST} frames, every 1 to "
                "as many as it has"
            )
        if not 0 <= self.look_ahead < self.length:
            raise PipelineError(
                f"found a look-ahead of {self.look_ahead} in a window of {self.length}, expected 0 to {self.length - 1}"
            )
        if not 1 <= self.places <= MOST_PLACES:
            raise PipelineError(f"found a window of {self.places} places, expected 1 to {MOST_PLACES} gathered at once")

    @classmethod
    def consecutive(cls, length: int) -> Gather:
        """What a plain number of frames means: `length` frames that follow one another, and begin anew after a gap."""
        return cls(length, "i", on_gap="reset")

    @property
    def step(self) -> int:
        """Frames from one window's first to that of the next."""
        return self.length if self.every is None else self.every

    @property
    def sliding(self) -> bool:
        """Whether a frame can be part of several windows."""
        return self.step < self.length

    @property
    def target(self) -> int:
        """The number within the window of the frame that the answer belongs to."""
        return self.length - 1 - self.look_ahead
