"""What a tracker is told: how far objects go, how long it waits for them, whether they divide."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from .._errors import PipelineError

Model = Literal["still", "kalman"]
NOT_BELOW_ZERO = (
    "gap_growth",
    "area_weight",
    "intensity_weight",
    "appearance_weight",
    "speed_noise",
    "min_division_age",
)
SHARES = ("min_area_ratio", "min_daughter_ratio")
ABOVE_ZERO = ("max_distance", "max_distance_um", "max_division_distance", "max_division_distance_um", "position_noise")
MOST_GAP = 10_000


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How a `Tracker` links objects from frame to frame.

    Distances are in pixels of the raw frame, those whose names end with `_um` in micrometres: give the largest
    distance in one of the two units. The cost of a link is the squared distance to where the track is expected, in
    units of its largest distance, and the weighted differences below; a link is made where it costs less than an end
    and a beginning, `unlinked_cost` each (K. Jaqaman et al., Nature Methods 5, 695 (2008); there 1.05 too, in units of
    the largest cost). Raises PipelineError for settings that are out of range or do not go together.
    """

    max_distance: float | None = None  # from one frame to the next, from where the track is expected
    max_distance_um: float | None = None
    gap: int = 0  # frames in a row in which an object may be missing
    gap_growth: float = 0.5  # the largest distance grows with frames ** gap_growth; 0.5: as that of a random walk
    model: Model = "still"  # a track is expected where it was, or ("kalman") where its speed brings it
    divisions: bool = False
    max_division_distance: float | None = None  # of a daughter from its mother; 1.5 largest distances if not given
    max_division_distance_um: float | None = None
    min_division_age: int = 3  # frames from a track's beginning to its division, but for tracks of the first frame
    min_daughter_ratio: float = 0.5  # the smaller daughter's area over the larger one's, where areas are known
    min_area_ratio: float = 0.0  # the same of an object from frame to frame; 0: any
    area_weight: float = 0.0  # of |a - b| / (a + b)
    intensity_weight: float = 0.0  # of |a - b| / (|a| + |b|)
    intensity: str = ""  # the column that is the intensity; "": the first that begins with `intensity_mean`
    appearance_weight: float = 0.0  # of the squared distance between `appearance_*` columns
    unlinked_cost: float = 1.05
    position_noise: float = 1.0  # of places measured, pixels (kalman)
    speed_noise: float = 1.0  # of the speed from frame to frame, pixels per frame (kalman)

    def __post_init__(self) -> None:
        if (self.max_distance is None) == (self.max_distance_um is None):
            found = "both" if self.max_distance is not None else "neither"
            raise _wrong(f"{found} of max_distance and max_distance_um", "one of them: how far an object goes a frame")
        if self.max_division_distance is not None and self.max_division_distance_um is not None:
            raise _wrong("both max_division_distance and max_division_distance_um", "one of them, or none")
        if self.model not in get_args(Model):
            raise _wrong(f"the model {self.model!r}", " or ".join(get_args(Model)))
        if isinstance(self.gap, bool) or not isinstance(self.gap, int) or not 0 <= self.gap <= MOST_GAP:
            raise _wrong(f"gap {self.gap!r}", f"0 to {MOST_GAP} frames")
        if not isinstance(self.divisions, bool):
            raise _wrong(f"divisions {self.divisions!r}", "true or false")
        if not isinstance(self.intensity, str):
            raise _wrong(f"intensity {self.intensity!r}", "the name of a column")
        for name in ABOVE_ZERO:
            if getattr(self, name) is not None:
                self._check(name, "a number above 0", lambda value: value > 0)
        for name in NOT_BELOW_ZERO:
            self._check(name, "a number from 0 on", lambda value: value >= 0)
        for name in SHARES:
            self._check(name, "a ratio from 0 to 1", lambda value: 0 <= value <= 1)
        self._check("unlinked_cost", "a number above 0.5, for links of the largest distance cost 1", lambda v: v > 0.5)

    def _check(self, name: str, expected: str, holds: Any) -> None:
        value = getattr(self, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and holds(value)):
            raise _wrong(f"{name} {value!r}", expected)

    @property
    def needs_pixel_size(self) -> bool:
        """Whether a distance is in micrometres."""
        return self.max_distance_um is not None or self.max_division_distance_um is not None

    def distances(self, pixel_size_um: float | None) -> tuple[float, float]:
        """The largest distance from frame to frame, and that of a daughter from its mother, in pixels.

        Raises PipelineError where one is in micrometres and the pixel size is not known.
        """
        if self.needs_pixel_size and not (pixel_size_um and math.isfinite(pixel_size_um) and pixel_size_um > 0):
            raise PipelineError(
                f"found frames with the pixel size {pixel_size_um}, expected one for distances in um: set it in "
                "Micro-Manager, or give max_distance in pixels"
            )
        side = pixel_size_um or 1.0
        largest = _pixels(self.max_distance, self.max_distance_um, side) or 0.0
        daughter = _pixels(self.max_division_distance, self.max_division_distance_um, side)
        return largest, 1.5 * largest if daughter is None else daughter

    def plain(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values for a message or a file: `TrackSettings(**plain)` again."""
        defaults = {each.name: each.default for each in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}


def _pixels(pixels: float | None, um: float | None, side: float) -> float | None:
    return pixels if um is None else um / side


def _wrong(found: str, expected: str) -> PipelineError:
    return PipelineError(f"found {found} in the settings of a tracker, expected {expected}")
