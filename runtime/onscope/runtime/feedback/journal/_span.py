"""The time axis of the timeline: which moment lies where, and round numbers to read it by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...drawing import FAINT, Canvas, Colour

STEPS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800),
    *(3600, 7200, 4 * 3600, 8 * 3600, 24 * 3600, 7 * 24 * 3600),
)
TICKS = 11
GRID: Colour = (40, 47, 60)
UNITS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))


@dataclass(frozen=True, slots=True)
class Span:
    """Nanoseconds from `began_ns` to `ended_ns` along the pixels from `left` to `right`."""

    began_ns: int
    ended_ns: int
    left: float
    right: float

    def at(self, ns: Any) -> npt.NDArray[np.float64]:
        """Pixels of moments; what lies outside lies on the rim."""
        share = (np.asarray(ns, np.float64) - self.began_ns) / max(1, self.ended_ns - self.began_ns)
        return self.left + np.clip(share, 0, 1) * (self.right - self.left)

    def bins(self, ns: Any, wide: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Moments counted in bins of `wide` pixels: the bins' middles, and how many lie in each that has any."""
        number = ((self.at(ns) - self.left) // wide).astype(np.int64)
        kept, counts = np.unique(number, return_counts=True)
        return np.minimum(self.left + (kept + 0.5) * wide, self.right), counts.astype(np.int64)

    def draw(self, canvas: Canvas, top: float, bottom: float) -> None:
        """Lines through the rows and their times below."""
        seconds = (self.ended_ns - self.began_ns) / 1e9
        step = next((each for each in STEPS_S if seconds / each <= TICKS), seconds / TICKS)
        unit, name = next(each for each in UNITS if step >= each[0] or each is UNITS[-1])
        for count in range(int(seconds / step) + 1):
            x = float(self.at(self.began_ns + count * step * 1e9))
            canvas.line(x, top, x, bottom, GRID)
            words = f"{count * step / unit:g}" + (f" {name}" if count == 0 or x > self.right - 90 else "")
            canvas.text(x, bottom + 6, words, 13, FAINT, "middle")
