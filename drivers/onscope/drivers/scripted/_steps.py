"""What a scripted camera can be told to do: frozen values, checked when they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onscope.runtime import SourceError

MOST_FRAMES = 1_000_000_000
FASTEST_FPS = 1e6
LONGEST_MS = 1e8
LARGEST_SIDE = 1 << 15


@dataclass(frozen=True, slots=True)
class Steady:
    """`n` frames (None: without end) at `fps` frames per second; each comes at the end of its interval.

    `jitter` is a share of the interval, 0 to 1: a frame comes early by up to so much, at random, and never before the
    one ahead of it.
    """

    n: int | None
    fps: float
    jitter: float = 0.0

    def __post_init__(self) -> None:
        _check(self, "n", self.n, 1, MOST_FRAMES, whole=True, none=True)
        _check(self, "fps", self.fps, 1e-6, FASTEST_FPS)
        _check(self, "jitter", self.jitter, 0, 1)


@dataclass(frozen=True, slots=True)
class Burst:
    """`n` frames as fast as they are taken: each is there when it is asked for, and none is ever lost.

    For a burst that does not wait for the reader give its `fps`.
    """

    n: int
    fps: float | None = None

    def __post_init__(self) -> None:
        _check(self, "n", self.n, 1, MOST_FRAMES, whole=True)
        _check(self, "fps", self.fps, 1e-6, FASTEST_FPS, none=True)


@dataclass(frozen=True, slots=True)
class Pause:
    """No frame for `ms` milliseconds."""

    ms: float

    def __post_init__(self) -> None:
        _check(self, "ms", self.ms, 0, LONGEST_MS)


@dataclass(frozen=True, slots=True)
class Drop:
    """The camera's counter jumps by `n`: frames that were exposed and never read out. They take no time."""

    n: int = 1

    def __post_init__(self) -> None:
        _check(self, "n", self.n, 1, MOST_FRAMES, whole=True)


@dataclass(frozen=True, slots=True)
class Restart:
    """The camera's counter starts at 0 again: a new segment."""


@dataclass(frozen=True, slots=True)
class Change:
    """The frames that follow look otherwise: a new segment. What is None stays as it is.

    `shape` is (y, x) in pixels, also for RGB; `axes` "yx" or "yxs"; `exposure_ms` in milliseconds, `pixel_size_um` in
    micrometres. A new `binning` divides the shape and widens the pixels where these are not given too.
    """

    shape: tuple[int, int] | None = None
    dtype: str | None = None
    axes: str | None = None
    exposure_ms: float | None = None
    pixel_size_um: float | None = None
    binning: int | None = None

    def __post_init__(self) -> None:
        if self.shape is not None:
            object.__setattr__(self, "shape", check_shape(self.shape))
        _check(self, "exposure_ms", self.exposure_ms, 1e-6, LONGEST_MS, none=True)
        _check(self, "pixel_size_um", self.pixel_size_um, 1e-6, 1e6, none=True)
        _check(self, "binning", self.binning, 1, 64, whole=True, none=True)


@dataclass(frozen=True, slots=True)
class Move:
    """Where the frames that follow are taken. What is None stays as it is.

    `position` and `channel` are numbers or names; names get the numbers of their first mention in the script.
    `stage_um` is (x, y, z) in micrometres.
    """

    position: int | str | None = None
    channel: int | str | None = None
    z: int | None = None
    stage_um: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("position", "channel", "z"):
            value = getattr(self, name)
            if not isinstance(value, str) or name == "z":
                _check(self, name, value, 0, MOST_FRAMES, whole=True, none=True)
            elif not 0 < len(value) <= 200:
                raise SourceError(f"found a Move to a {name} of {len(value)} letters, expected a name of 1 to 200")
        if self.stage_um is not None:
            try:
                stage_um = tuple(float(value) for value in self.stage_um)
            except (TypeError, ValueError):
                stage_um = ()
            if len(stage_um) != 3 or not all(map(math.isfinite, stage_um)):
                raise SourceError(f"found stage_um={self.stage_um!r} in Move, expected x, y and z in micrometres")
            object.__setattr__(self, "stage_um", stage_um)


@dataclass(frozen=True, slots=True)
class Fail:
    """The camera fails: SourceError with this message. The next call of `frames` goes on behind this step."""

    message: str = "unplugged"

    def __post_init__(self) -> None:
        if not isinstance(self.message, str) or len(self.message) > 1000:
            raise SourceError(f"found {self.message!r:.50} in Fail, expected a message of at most 1000 letters")


Step = Steady | Burst | Pause | Drop | Restart | Change | Move | Fail
STEPS: dict[str, type[Step]] = {
    kind.__name__.lower(): kind for kind in (Steady, Burst, Pause, Drop, Restart, Change, Move, Fail)
}


def check_shape(shape: object) -> tuple[int, int]:
    """Raise SourceError unless it is (y, x) of a size that a camera can have."""
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    if len(sizes) != 2 or any(isinstance(size, bool) or not isinstance(size, int) for size in sizes):
        raise SourceError(f"found shape={shape!r}, expected two whole numbers of pixels (y, x), also for RGB")
    if min(sizes) < 1 or max(sizes) > LARGEST_SIDE or sizes[0] * sizes[1] < 16:
        raise SourceError(f"found shape={shape!r}, expected sides of 1 to {LARGEST_SIDE} and at least 16 pixels")
    return sizes[0], sizes[1]


def _check(
    step: object, name: str, value: object, least: float, most: float, *, whole: bool = False, none: bool = False
) -> None:
    if value is None and none:
        return
    kind = "a whole number" if whole else "a number"
    right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not right or not least <= value <= most:  # type: ignore[operator]
        raise SourceError(
            f"found {name}={value!r} in {type(step).__name__}, expected {kind} from {least:g} to {most:g}"
        )
