"""The sheet of a snapshot: the pictures of one update side by side, each with its words and a scale bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import FAINT, TEXT, Canvas

from .._wire import WireError
from ._about import About, name_of, words_of
from ._colours import coloured
from ._overlay import overlaid

Array = npt.NDArray[Any]
MARGIN, WORDS, FOOT = 16, 52, 40
LEAST, ROW = 320, 3
"""Columns that a picture has at least on the sheet (small ones are enlarged, their pixels stay squares), and pictures
in a row."""
ALL = 65535.0
STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Told:
    """How a viewer looks: `colours` and `gamma` by the ids of its views, and the `labels` among the images by name."""

    colours: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    gamma: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    labels: frozenset[str] = frozenset()


def png_of(head: Mapping[str, Any], arrays: Sequence[Array], about: About, told: Told | None = None) -> bytes:
    """A PNG of an update (its `head` and `arrays`, see docs/view-inside.md), with its provenance in iTXt chunks.

    Raises WireError when the head does not say what an update's does.
    """
    told = Told() if told is None else told
    try:
        shown = [_picture(view, head, arrays, told) for view in head["views"]]
        captions = [_caption(view, told) for view in head["views"]]
        rects = [view["rect"] for view in head["views"]]
        words, title = words_of(head, about, told.colours, told.gamma), f"frame {name_of(head['frame'])}"
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise WireError(f"found an update that cannot be drawn ({error!r}), expected its views and arrays") from error
    if not shown:
        raise WireError("found a snapshot of no picture, expected at least one view: choose an image first")
    columns = min(ROW, len(shown))
    wide, high = max(each.shape[1] for each in shown), max(each.shape[0] for each in shown)
    rows = -(-len(shown) // columns)
    sheet = Canvas(MARGIN + columns * (wide + MARGIN), MARGIN + rows * (high + WORDS + MARGIN) + FOOT)
    for number, picture in enumerate(shown):
        x, y = MARGIN + number % columns * (wide + MARGIN), MARGIN + number // columns * (high + WORDS + MARGIN)
        sheet.image(x, y, picture)
        _scale_bar(sheet, (x, y), picture, rects[number], about.pixel_size_um)
        sheet.text(x, y + picture.shape[0] + 8, captions[number][0], 15, TEXT, width=picture.shape[1])
        sheet.text(x, y + picture.shape[0] + 28, captions[number][1], 13, FAINT, width=picture.shape[1])
    foot = f"{title}    {words['Software']}    {words['Creation Time']}"
    sheet.text(MARGIN, sheet.height - FOOT + 8, foot, 13, FAINT, width=sheet.width - 2 * MARGIN)
    return sheet.png(words)


def _picture(view: Mapping[str, Any], head: Mapping[str, Any], arrays: Sequence[Array], told: Told) -> Array:
    low, high = float(view.get("low") or 0.0), float(view.get("high") or 0.0)
    picture = arrays[view["array"]]
    if picture.ndim not in (2, 3) or not picture.size:
        raise ValueError(f"a picture of {picture.shape}")
    if view["rect"][2] <= view["rect"][0] or view["rect"][3] <= view["rect"][1]:
        raise ValueError(f"the part {view['rect']}")
    labels = view["image"] in told.labels
    if picture.dtype != np.uint8:
        first, last = view.get("values") or (0.0, ALL)  # what 0 and the largest number of 16 bits stand for
        low, high = ((each - first) * ALL / (last - first) for each in ((low, high) if high > low else (first, last)))
    rgb = coloured(picture, told.colours.get(view["id"], "grey"), low, high, labels, told.gamma.get(view["id"], 1.0))
    if rgb.shape[1] < LEAST:
        times = -(-LEAST // rgb.shape[1])
        rgb = np.asarray(cv2.resize(rgb, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST))
    for vectors in head.get("vectors", ()):
        if vectors["id"] == view["id"]:
            rgb = overlaid(rgb, view["rect"], vectors, arrays)
    return rgb


def _caption(view: Mapping[str, Any], told: Told) -> tuple[str, str]:
    if view["image"] in told.labels:
        return str(view["image"]), "labels"
    colours = told.colours.get(view["id"], "grey")
    low, high = view.get("low"), view.get("high")
    return str(view["image"]), colours if low is None or high is None else f"{low:,.6g} to {high:,.6g}, {colours}"


def _scale_bar(
    sheet: Canvas, corner: tuple[int, int], picture: Array, rect: Sequence[float], pixel_size_um: float | None
) -> None:
    """A bar of a round length near a fifth of the picture, where the size of a pixel is known."""
    if not pixel_size_um:
        return
    um_per_pixel = pixel_size_um * (rect[3] - rect[1]) / picture.shape[1]
    long_um = round_length(um_per_pixel * picture.shape[1] / 5)
    long = long_um / um_per_pixel
    x, y = corner[0] + picture.shape[1] - 14 - long, corner[1] + picture.shape[0] - 18
    sheet.box(x - 6, y - 22, long + 12, 34, (0, 0, 0))
    sheet.box(x, y + 2, long, 4, TEXT)
    sheet.text(x + long / 2, y - 18, f"{long_um:g} µm", 14, TEXT, "middle")


def round_length(most_um: float) -> float:
    """The longest of 1, 2, 5 times a power of ten that is not above `most_um`."""
    power = 10.0 ** np.floor(np.log10(most_um))
    return float(max(step * power for step in STEPS if step * power <= most_um * (1 + 1e-9)))
