"""A result for the eye: raw and answers side by side, objects ringed, and the numbers in a table."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from onscope.runtime import Result
from onscope.runtime.drawing import ACCENT, Look, render, ring_marks

WIDTH = 360
MOST_PANELS = 6
MOST_RINGS = 500
PAPER = (17, 20, 27)
GAP = 8
MOST_COLUMNS = 9
"""Of a table that are named."""
TABLE = "margin:4px 0;table-layout:auto"
CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
"""Notebooks have numbers stand at the right of narrow columns, and these are words."""
Pixels = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One picture, uint8 (y, x, 3), with what it is and how its values are shown."""

    title: str
    note: str
    pixels: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a notebook shows of a result: `panels` beside each other, `numbers` by name below. `note` says what is
    missing where there is no result."""

    panels: tuple[Panel, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def _repr_html_(self) -> str:
        figures = "".join(
            f'<figure style="margin:0 8px 8px 0"><img alt="{html.escape(panel.title)}" '
            f'src="data:image/png;base64,{base64.b64encode(_png(panel.pixels)).decode()}"/>'
            f"<figcaption><b>{html.escape(panel.title)}</b> {html.escape(panel.note)}</figcaption></figure>"
            for panel in self.panels
        )
        rows = "".join(
            f'<tr><td style="{CELL};white-space:nowrap"><b>{html.escape(name)}</b></td>'
            f'<td style="{CELL}">{html.escape(value)}</td></tr>'
            for name, value in self.numbers
        )
        said = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return f'{said}<div style="display:flex;flex-wrap:wrap">{figures}</div><table style="{TABLE}">{rows}</table>'

    def _repr_png_(self) -> bytes | None:
        if not self.panels:
            return None
        tall = max(panel.pixels.shape[0] for panel in self.panels)
        wide = sum(panel.pixels.shape[1] + GAP for panel in self.panels) - GAP
        sheet = np.full((tall, wide, 3), PAPER, np.uint8)
        x = 0
        for panel in self.panels:
            rows, columns = panel.pixels.shape[:2]
            sheet[:rows, x : x + columns] = panel.pixels
            x += columns + GAP
        return _png(sheet)

    def __repr__(self) -> str:
        said = [self.note] if self.note else []
        return "\n".join([*said, *(f"{name}: {value}" for name, value in self.numbers)])


def shown(result: Result, width: int = WIDTH) -> Shown:
    """A result as a notebook shows it, each image `width` pixels wide. Objects are ringed on the raw frame."""
    frame = result.frame
    panels = [_panel("raw", frame.pixels, width, _places(result))]
    panels += [_panel(name, array, width, None) for name, array in result.answers.items() if _is_image(array)]
    numbers = [("frame", str(frame.id))]
    if frame.index:
        numbers.append(("place", ", ".join(f"{axis} {at}" for axis, at in frame.index.items())))
    numbers.append(("latency", f"{result.latency_ms:.1f} ms ({result.state})"))
    for name, array in result.answers.items():
        if array.dtype.names is not None:
            numbers.append((name, f"{len(array):,} rows: {_names(array.dtype.names)}"))
    for stage, values in result.trust.items():
        odd = result.suspect.get(stage, ())
        told = ", ".join(
            f"{name} {value:.3g}{' (not as usual)' if name in odd else ''}" for name, value in values.items()
        )
        if told:
            numbers.append((f"trust in {stage}", told))
    steps = ", ".join(f"{step} {ms:.2f} ms" for step, ms in result.stamps.steps_ms().items())
    if steps:
        numbers.append(("steps", steps))
    return Shown(tuple(panels[:MOST_PANELS]), tuple(numbers))


def _names(columns: tuple[str, ...]) -> str:
    more = len(columns) - MOST_COLUMNS
    return ", ".join(columns[:MOST_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def _is_image(array: Pixels) -> bool:
    return array.dtype.names is None and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 2, 3)))


def _panel(title: str, image: Pixels, width: int, places: Pixels | None) -> Panel:
    """Small images are enlarged by whole pixels, large ones made smaller before anything else is done with them."""
    rows, columns = image.shape[:2]
    wide = width if columns >= width else columns * max(1, width // columns)
    tall = max(1, round(rows * wide / columns))
    small = _smaller(image, tall, wide)
    look = Look.of(small, False if image.ndim == 3 else None)
    pixels = render(small, look, wide, tall)
    if places is not None and len(places):
        centres = (places[:MOST_RINGS] + 0.5) * (wide / columns) - 0.5
        pixels = ring_marks(pixels, centres, 7, ACCENT, 1.4)
    return Panel(title, f"{rows} x {columns} {image.dtype}, {look.words}", pixels)


def _smaller(image: Pixels, tall: int, wide: int) -> Pixels:
    if image.shape[1] <= wide:
        return image
    if image.dtype.kind in "iu" and image.dtype.itemsize >= 4:  # labels: their values are names
        y = (np.arange(tall) + 0.5) * image.shape[0] / tall
        x = (np.arange(wide) + 0.5) * image.shape[1] / wide
        return np.asarray(image[y.astype(int)[:, None], x.astype(int)])
    plain = image if image.dtype.name in ("uint8", "uint16", "float32") else image.astype(np.float32)
    return np.asarray(cv2.resize(plain, (wide, tall), interpolation=cv2.INTER_AREA))


def _places(result: Result) -> Pixels | None:
    """y, x of the first table's objects, in raw pixels."""
    for array in result.answers.values():
        names = array.dtype.names or ()
        if {"y", "x"} <= set(names):
            return np.stack([array["y"], array["x"]], axis=1).astype(np.float64)
        if {"y0", "x0", "y1", "x1"} <= set(names):
            middles = [(array[f"{axis}0"] + array[f"{axis}1"]) / 2 for axis in "yx"]
            return np.stack(middles, axis=1).astype(np.float64)
    return None


def _png(pixels: Pixels) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG", compress_level=1)
    return held.getvalue()
