"""Small charts as SVG: axes with round numbers, lines, dots, strips; colours are classes of the page's style."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._html import Child, Html, join, tag

WIDE = 760
LEFT, RIGHT, TOP, FOOT = 62, 14, 12, 40
STEPS = (1, 2, 5, 10)
UNITS = ((3600.0, "h", 3 * 3600.0), (60.0, "min", 300.0), (1.0, "s", 0.0))
ROUND_S = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1200,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
    604800,
)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, by their logarithm if so."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def over(cls, *values: Any, log: bool = False, zero: bool = False) -> Axis:
        """An axis that has room for all finite values; `zero`: it begins there."""
        known = np.concatenate([np.ravel(np.asarray(each, np.float64)) for each in values]) if values else np.zeros(0)
        known = known[np.isfinite(known) & (np.abs(known) < 1e300)]
        known = known[known > 0] if log else known
        if not known.size:
            return cls(0.1, 10, True) if log else cls(0, 1)
        low, high = float(known.min()), float(known.max())
        if log:
            low, high = low / 1.15, high * 1.15
            return cls(low, max(high, low * 10), True)
        low = min(low, 0.0) if zero else low
        spare = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        return cls(low if zero and low == 0 else low - spare, high + spare)

    def share(self, values: Any) -> Array:
        """Where values lie, from 0 to 1; what lies outside lies on the rim."""
        held = np.asarray(values, np.float64)
        if self.log:
            held = np.log(np.maximum(held, self.low) / self.low) / math.log(self.high / self.low)
        else:
            held = (held - self.low) / (self.high - self.low)
        return np.clip(held, 0, 1)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Round values with their words."""
        if self.log:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            few = [10.0**power for power in powers]
            marks = (
                sorted(few + [each * step for each in [few[0] / 10, *few] for step in (2, 5)])
                if 0 < len(few) < 3
                else few
            )
            return [(each, f"{each:g}") for each in marks if self.low <= each <= self.high]
        rough = (self.high - self.low) / most
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * each for each in STEPS if unit * each >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        marks = [each * step for each in range(first, math.floor(self.high / step + 1e-9) + 1)]
        return [(each, f"{each:,.6g}" if abs(each) < 1e6 else f"{each:.3g}") for each in marks]


@dataclass(frozen=True, slots=True)
class Plot:
    """An area to draw in: `x` in seconds over `y`, `tall` units high."""

    x: Axis
    y: Axis
    tall: float = 190

    def at_x(self, values: Any) -> Array:
        return np.asarray(LEFT + self.x.share(values) * (WIDE - LEFT - RIGHT))

    def at_y(self, values: Any) -> Array:
        return np.asarray(TOP + (1 - self.y.share(values)) * self.tall)

    def line(self, x: Any, y: Any, style: str) -> Html:
        """A line through points; it breaks where a value is none."""
        places, told, pen = np.stack([self.at_x(x), self.at_y(y)], axis=1), [], "M"
        for (px, py), good in zip(places, np.isfinite(np.asarray(y, np.float64)), strict=True):
            if good:
                told.append(f"{pen}{px:.1f} {py:.1f}")
            pen = "L" if good else "M"
        return tag("path", d=_long("".join(told)), class_=f"line {style}") if told else Html("")

    def band(self, x: Any, low: Any, high: Any, style: str) -> Html:
        """What lies between two lines."""
        kept = np.isfinite(np.asarray(low, np.float64)) & np.isfinite(np.asarray(high, np.float64))
        xs, lows, highs = self.at_x(x)[kept], self.at_y(low)[kept], self.at_y(high)[kept]
        if len(xs) < 2:
            return Html("")
        there = [f"{px:.1f} {py:.1f}" for px, py in zip(xs, lows, strict=True)]
        back = [f"{px:.1f} {py:.1f}" for px, py in zip(xs[::-1], highs[::-1], strict=True)]
        return tag("path", d=_long("M" + "L".join([*there, *back]) + "Z"), class_=f"band {style}")

    def dots(self, x: Any, y: Any, style: str, radius: float = 2.6) -> Html:
        """A dot per point."""
        kept = np.isfinite(np.asarray(y, np.float64))
        pairs = zip(self.at_x(x)[kept], self.at_y(y)[kept], strict=True)
        return join(tag("circle", cx=f"{px:.1f}", cy=f"{py:.1f}", r=radius, class_=style) for px, py in pairs)

    def level(self, value: float, words: str, style: str = "limit") -> Html:
        """A dashed line across, with its words; nothing where it lies outside."""
        if not self.y.low <= value <= self.y.high:
            return Html("")
        y = float(self.at_y(value))
        mark = tag("line", x1=LEFT, x2=WIDE - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_=style)
        above = y - 5 if y > TOP + 16 else y + 14
        return join(mark, tag("text", words, x=WIDE - RIGHT - 4, y=f"{above:.1f}", class_="told", text_anchor="end"))

    def stretch(self, begin: float, end: float, style: str) -> Html:
        """A part of the time, marked from top to bottom."""
        x0, x1 = (float(each) for each in self.at_x([begin, end]))
        return tag(
            "rect", x=f"{x0 - 1.5:.1f}", y=TOP, width=f"{max(3.0, x1 - x0 + 3):.1f}", height=self.tall, class_=style
        )

    def svg(self, title: str, unit: str, *inside: Child) -> Html:
        """The chart with its axes; `title` is read to those who do not see it."""
        grid = []
        for value, words in self.y.ticks(5 if self.tall > 100 else 3):
            y = float(self.at_y(value))
            grid.append(tag("line", x1=LEFT, x2=WIDE - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid"))
            grid.append(tag("text", words, x=LEFT - 8, y=f"{y + 4:.1f}", text_anchor="end"))
        middle = TOP + self.tall / 2
        turned = f"rotate(-90 12 {middle:.0f})"
        label = tag("text", unit, x=12, y=f"{middle:.0f}", transform=turned, text_anchor="middle", class_="unit")
        return frame(title, TOP + self.tall + FOOT, grid, inside, time_axis(self.x, TOP + self.tall), label)


def frame(title: str, tall: float, *inside: Child) -> Html:
    """An image of WIDE x `tall` units."""
    drawing = tag("svg", tag("title", title), inside, viewBox=f"0 0 {WIDE} {tall:.0f}", role="img", class_="chart")
    return tag("div", drawing, class_="scroll chart-box", role="region", aria_label=title, tabindex="0")


def time_axis(x: Axis, y: float, left: float = LEFT) -> Html:
    """Round times below a chart."""
    seconds = x.high - x.low
    step = next((each for each in ROUND_S if seconds / each <= 9), seconds / 9 or 1)
    unit, name, _ = next((each for each in UNITS if x.high > each[2]), UNITS[-1])
    told = []
    for count in range(math.ceil(x.low / step - 1e-9), math.floor(x.high / step + 1e-9) + 1):
        at = left + float(x.share(count * step)) * (WIDE - left - RIGHT)
        told.append(tag("line", x1=f"{at:.1f}", x2=f"{at:.1f}", y1=y, y2=y + 4, class_="tick"))
        told.append(tag("text", f"{count * step / unit:.4g}", x=f"{at:.1f}", y=y + 17, text_anchor="middle"))
    words = f"{name} after the recording began"
    base = tag("line", x1=left, x2=WIDE - RIGHT, y1=y, y2=y, class_="tick")
    return join(base, told, tag("text", words, x=WIDE - RIGHT, y=y + 33, text_anchor="end", class_="unit"))


def figure(caption: Child, *inside: Child) -> Html:
    """Charts or images with their caption."""
    return tag("figure", inside, tag("figcaption", caption))


def legend(entries: Iterable[tuple[str, str]]) -> Html:
    """Which mark is what: (class, words)."""
    told = [
        tag(
            "li",
            tag(
                "svg", tag("rect", x=0, y=0, width=12, height=12, class_=style), viewBox="0 0 12 12", aria_hidden="true"
            ),
            words,
        )
        for style, words in entries
    ]
    return tag("ul", told, class_="legend")


def bins(x: Any, y: Any, axis: Axis, most: int = 240) -> tuple[Array, list[Array]]:
    """Values by the part of the time that they lie in: the middles of the parts that have any, and their values."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    part = np.minimum((axis.share(x) * most).astype(int), most - 1)
    order = np.argsort(part, kind="stable")
    names, first = np.unique(part[order], return_index=True)
    middles = axis.low + (names + 0.5) / most * (axis.high - axis.low)
    return middles, np.split(y[order], first[1:]) if len(names) else []


def series(number: int) -> str:
    """The class of the n-th colour."""
    return f"s{number % 6}"


def _long(words: str) -> Html:
    """Numbers and letters of a path: nothing to escape, and not to be cut."""
    return Html(words)


__all__ = [
    "LEFT",
    "RIGHT",
    "TOP",
    "WIDE",
    "Axis",
    "Plot",
    "Sequence",
    "bins",
    "figure",
    "frame",
    "legend",
    "series",
    "time_axis",
]
