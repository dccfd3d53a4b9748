"""One picture of a data set: every channel, what is true of it, and how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Array = npt.NDArray[Any]

PANEL, GAP, TITLE, ACROSS = 420, 10, 24, 3
_PAPER, _INK, _BLACK = (255, 255, 255), (30, 30, 30), (0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """`image` is (rows, columns) of any number type, or uint8 (rows, columns, 3), drawn as it is.

    `pixel_um` is the side of a pixel, for the scale bar (0: none is drawn).

    With `limits` (darkest, brightest) the grey scale is that, else percentiles 0.5 and 99.8 of the image.
    """

    title: str
    image: Array
    pixel_um: float
    limits: tuple[float, float] | None = None


def write_picture(path: Path, panels: Sequence[Panel], across: int = ACROSS) -> None:
    """All panels, `across` in a row, each with its title and a scale bar, as PNG."""
    across = min(across, len(panels))
    down = -(-len(panels) // across)
    drawn = [_drawn(panel) for panel in panels]
    height = max(one.height for one in drawn) + TITLE
    sheet = Image.new("RGB", (across * (PANEL + GAP) + GAP, down * (height + GAP) + GAP), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for n, (panel, one) in enumerate(zip(panels, drawn, strict=True)):
        x, y = GAP + n % across * (PANEL + GAP), GAP + n // across * (height + GAP)
        pen.text((x, y), panel.title, _INK, font)
        sheet.paste(one, (x, y + TITLE))
    sheet.save(path, optimize=True)


def coloured(labels: Array) -> Array:
    """Labels (rows, columns) in lasting colours on black, uint8 (rows, columns, 3); outlines are darker."""
    golden = np.float64(0.6180339887)  # successive multiples of it spread best over a circle
    hue = 2 * np.pi * (labels * golden % 1)
    turned = hue[..., None] + 2 * np.pi * np.arange(3) / 3
    colours = (150 + 90 * np.cos(turned)) * (labels > 0)[..., None]
    edge = np.zeros(labels.shape, dtype=bool)
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    colours[edge] *= 0.4
    return np.asarray(colours.astype(np.uint8))


def _drawn(panel: Panel) -> Image.Image:
    image = panel.image
    if image.ndim == 2:
        low, high = panel.limits or (float(np.percentile(image, 0.5)), float(np.percentile(image, 99.8)))
        grey = np.clip((image.astype(np.float32) - low) / max(high - low, 1e-6), 0, 1)
        image = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=2)
    scale = PANEL / image.shape[1]
    size = (PANEL, max(1, round(image.shape[0] * scale)))
    one = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)
    if panel.pixel_um:
        _bar(one, panel.pixel_um / scale)
    return one


def _bar(image: Image.Image, pixel_um: float) -> None:
    """A scale bar of 1, 2 or 5 times a power of ten um, a sixth to a third of the width."""
    longest = image.width * pixel_um / 3
    power = 10 ** np.floor(np.log10(longest))
    length = float(power * max(n for n in (1, 2, 5) if n * power <= longest))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    text, end, low = f"{length:g} um", image.width - 10, image.height - 10
    begin = end - length / pixel_um
    pen.rectangle((begin - 3, low - 22, end + 3, low + 4), _BLACK)
    pen.rectangle((begin, low - 2, end, low), _PAPER)
    pen.text(((begin + end) / 2, low - 4), text, _PAPER, font, anchor="mb")
