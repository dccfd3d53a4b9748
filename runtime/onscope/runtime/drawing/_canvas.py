"""A dark sheet to draw on: text, bars, circles and images, with Pillow (its built-in font needs no font files)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from .._errors import RecordError

Colour = tuple[int, int, int]
PAPER: Colour = (17, 20, 27)
PANEL: Colour = (26, 31, 41)
LINE: Colour = (58, 67, 84)
TEXT: Colour = (233, 237, 244)
FAINT: Colour = (152, 163, 182)
ACCENT: Colour = (86, 204, 242)
GOOD: Colour = (111, 207, 151)
WARM: Colour = (242, 201, 76)
BAD: Colour = (235, 110, 100)
SERIES: tuple[Colour, ...] = (ACCENT, (187, 134, 252), GOOD, WARM, (255, 138, 101), (128, 203, 196), (240, 98, 146))

SMOOTH = 3
"""Circles and lines are drawn this many times larger and then shrunk: Pillow draws them with hard edges."""


@cache
def font(size: int) -> Any:
    """Pillow's built-in typeface in a size in pixels."""
    return ImageFont.load_default(size)


class Canvas:
    """A sheet of `width` x `height` pixels; places are in pixels from the top left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: int = 15,
        colour: Colour = TEXT,
        align: Literal["left", "middle", "right"] = "left",
        width: float | None = None,
    ) -> float:
        """Write a line whose top is at `y`, cut with an ellipsis when wider than `width`; returns its width."""
        if width is not None and self.wide(words, size) > width:
            while words and self.wide(words + "…", size) > width:
                words = words[:-1]
            words += "…"
        anchor = {"left": "la", "middle": "ma", "right": "ra"}[align]
        self._draw.text((x, y), words, fill=colour, font=font(size), anchor=anchor)
        return self.wide(words, size)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour = PANEL, radius: int = 0) -> None:
        """A filled rectangle, with round corners when `radius` is given."""
        if width >= 1 and height >= 1:
            self._draw.rounded_rectangle((x, y, x + width - 1, y + height - 1), radius, fill=colour)

    def frame(self, x: float, y: float, width: float, height: float, colour: Colour, thick: int = 2) -> None:
        """An empty rectangle."""
        self._draw.rectangle((x, y, x + width - 1, y + height - 1), outline=colour, width=thick)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour = LINE, thick: int = 1) -> None:
        """A straight line."""
        self._draw.line((x0, y0, x1, y1), fill=colour, width=thick)

    def dot(self, x: float, y: float, radius: float, colour: Colour, hollow: bool = False) -> None:
        """A smooth disc around (`x`, `y`), or a ring."""
        reach = int(radius) + 2
        left, top, size = round(x) - reach, round(y) - reach, (2 * reach + 1) * SMOOTH
        mask = Image.new("L", (size, size), 0)
        cx, cy, r = (x - left + 0.5) * SMOOTH, (y - top + 0.5) * SMOOTH, radius * SMOOTH
        box = (cx - r, cy - r, cx + r, cy + r)
        if hollow:
            ImageDraw.Draw(mask).ellipse(box, outline=255, width=round(1.6 * SMOOTH))
        else:
            ImageDraw.Draw(mask).ellipse(box, fill=255)
        small = mask.resize((2 * reach + 1, 2 * reach + 1), Image.Resampling.BOX)
        self._image.paste(colour, (left, top), small)

    def image(self, x: int, y: int, pixels: np.ndarray[Any, Any]) -> None:
        """Paste an RGB image, uint8 (y, x, 3)."""
        self._image.paste(Image.fromarray(pixels), (x, y))

    def save(self, path: Path) -> None:
        """Write a PNG, or a JPEG where the name ends in .jpg; raises RecordError when the disk refuses it."""
        try:
            if path.suffix == ".jpg":
                self._image.save(path, "JPEG", quality=85)
            else:
                self._image.save(path, "PNG")
        except OSError as error:
            raise RecordError(
                f"{path} could not be written ({error.strerror or error}): make room on its disk"
            ) from error

    def png(self, words: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """The bytes of a PNG, with `words` by their keyword (1 to 79 letters of Latin-1) in its iTXt chunks."""
        told, held = PngInfo(), BytesIO()
        for keyword, text in words.items():
            told.add_itxt(keyword, text)
        self._image.save(held, "PNG", pnginfo=told)
        return held.getvalue()

    @staticmethod
    def wide(words: str, size: int) -> float:
        """How many pixels a line takes."""
        return float(font(size).getlength(words))


def ring_marks(
    pixels: np.ndarray[Any, Any], centres: np.ndarray[Any, Any], radius: float, colour: Colour, thick: float
) -> np.ndarray[Any, Any]:
    """The RGB image with a smooth ring around each (y, x) of `centres` (in its pixels)."""
    height, width = pixels.shape[:2]
    mask = Image.new("L", (width * SMOOTH, height * SMOOTH), 0)
    draw = ImageDraw.Draw(mask)
    for y, x in centres:
        cx, cy, r = (x + 0.5) * SMOOTH, (y + 0.5) * SMOOTH, radius * SMOOTH
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline=255, width=max(1, round(thick * SMOOTH)))
    paint = Image.new("RGB", (width, height), colour)
    shown = Image.composite(paint, Image.fromarray(pixels), mask.resize((width, height), Image.Resampling.BOX))
    return np.asarray(shown)
