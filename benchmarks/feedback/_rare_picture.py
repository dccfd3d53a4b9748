"""The picture of `rare-event`: what each way catches, against what it costs, and what the light does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onscope.runtime.drawing import ACCENT, BAD, FAINT, GOOD, LINE, PANEL, TEXT, WARM, Canvas, Colour

if TYPE_CHECKING:
    from ._rare import Outcome
    from ._rare_use import Use

COLOURS: Mapping[str, Colour] = {"slow": FAINT, "event": GOOD, "event, networks": ACCENT, "fast": BAD}
LEFT, TOP, WIDE, TALL = 90.0, 120.0, 560.0, 400.0


def picture(path: Path, told: Mapping[str, Sequence[Outcome]], use: Use) -> None:
    """Write a PNG: a small dot per specimen, a large one for all of them together; bars beside."""
    canvas = Canvas(1240, 600)
    canvas.text(40, 24, "Rare divisions: caught, and what it costs", 24)
    seeds = max(len(found) for found in told.values())
    canvas.text(40, 58, f"{seeds} specimens, {use.hours:g} h each; small dots: single specimens", 14, FAINT)
    most = 1.1 * max(one.dose for found in told.values() for one in found)
    canvas.box(LEFT - 60, TOP - 34, WIDE + 90, TALL + 90, PANEL, 10)
    for part in range(5):
        y = TOP + TALL * (1 - part / 4)
        canvas.line(LEFT, y, LEFT + WIDE, y, LINE)
        canvas.text(LEFT - 8, y - 8, f"{25 * part}", 13, FAINT, "right")
        canvas.text(LEFT + WIDE * part / 4, TOP + TALL + 8, f"{most * part / 4:.0f}", 13, FAINT, "middle")
    canvas.text(LEFT, TOP - 28, "divisions caught, %", 14, TEXT)
    canvas.text(LEFT + WIDE, TOP + TALL + 32, "light dose of the mean cell, J/cm2", 14, TEXT, "right")
    rng, named = np.random.default_rng(0), (0.0, 0.0)
    for way, found in told.items():
        colour = COLOURS[way]
        for one in found:
            if one.divisions:
                _dot(canvas, one.dose / most, one.caught / one.divisions + rng.normal(0, 0.006), 3, colour)
        dose = float(np.average([one.dose for one in found], weights=[one.cells for one in found]))
        share = sum(one.caught for one in found) / max(1, sum(one.divisions for one in found))
        _dot(canvas, dose / most, share, 8, colour)
        x, y = LEFT + WIDE * dose / most + 14, TOP + TALL * (1 - share) - 9 + 26 * (share > 0.5)
        if abs(x - named[0]) < 150 and abs(y - named[1]) < 22:
            y = named[1] + 22  # below the one before
        named = x, y
        canvas.text(x, y, way, 15, colour)
    bars: dict[str, Callable[[Sequence[Outcome]], float]] = {
        "frames taken for each division that is caught": lambda some: (
            sum(one.frames for one in some) / max(1, sum(one.caught for one in some))
        ),
        "divisions that happen (light slows cells)": lambda some: sum(one.divisions for one in some),
        "cells killed by light, %": lambda some: (
            100 * sum(one.killed for one in some) / max(1, sum(one.cells for one in some))
        ),
    }
    for number, (name, of) in enumerate(bars.items()):
        values = {way: of(found) for way, found in told.items()}
        if number == 0:
            values = {way: value for way, value in values.items() if sum(one.caught for one in told[way])}
        _bars(canvas, 760.0, TOP - 34 + number * 168, name, values)
    canvas.save(path)


def _dot(canvas: Canvas, x: float, y: float, radius: int, colour: Colour) -> None:
    size = 2 * radius + 1
    at = LEFT + WIDE * x - radius, TOP + TALL * (1 - float(np.clip(y, -0.02, 1.02))) - radius
    canvas.box(*at, size, size, colour, radius)


def _bars(canvas: Canvas, x: float, y: float, name: str, values: Mapping[str, float]) -> None:
    canvas.box(x - 20, y, 460, 154, PANEL, 10)
    canvas.text(x, y + 10, name, 14, TEXT)
    most = max(values.values(), default=0.0) or 1.0
    for number, (way, value) in enumerate(values.items()):
        top = y + 38 + 27 * number
        canvas.text(x, top, way, 14, COLOURS[way])
        canvas.box(x + 130, top + 3, 220 * value / most, 13, COLOURS[way], 3)
        words = f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
        canvas.text(x + 140 + 220 * value / most, top, words, 14, WARM)
