"""The contact sheet as figures: images as WebP in the page itself, outlines, spots and tracks over them as lines."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import Look, render

from ._found import Found
from ._html import Child, Html, join, note, section, tag
from ._sheet import Panel, Row, sheet, with_detail
from ._words import number, some

SIDE = 460
"""Pixels of the longer side of an image in the page, and units of its drawing."""
QUALITIES = ((2.0, 82), (1.0, 82), (1.0, 60))
SMALLEST = (0.5, 40)
"""Pixels per unit and quality of the images, tried until they are small enough together."""
MOST_BYTES = 3_200_000
MOST_POINTS = 60_000
"""Corners of lines on all images together."""


Array = npt.NDArray[np.float64]


@dataclass
class Room:
    """Corners of lines that may still be drawn."""

    points: int = MOST_POINTS


def pictures(found: Found) -> Html:
    """The section; empty where nothing was recorded."""
    rows = list(sheet(found))
    if not rows:
        return Html("")
    rows = [*rows[:-1], *with_detail(rows[-1])]
    shots: list[list[bytes]] | None = None
    for zoom, quality in QUALITIES:
        shots = shots or _shots(rows, zoom, quality, MOST_BYTES)
    shots = shots or [[_shot(panel, *SMALLEST) for panel in row.panels] for row in rows]
    room = Room()
    told = [_row(row, row_shots, room) for row, row_shots in zip(rows, shots, strict=True)]
    words = (
        "Frames spread evenly over the run, raw beside what each stage made of them. Black and white are the same for "
    )
    words += "all images of a row, unless an image says that it has its own. Images are made smaller, and compressed "
    words += "with loss: measure in the recording, not here."
    cut = note("Not all lines are drawn: there are too many.") if room.points <= 0 else None
    return section("images", "Images", note(words), told, cut)


def _shots(rows: Sequence[Row], zoom: float, quality: int, most: int) -> list[list[bytes]] | None:
    """All images; None as soon as they take more than `most` bytes of the page."""
    told: list[list[bytes]] = []
    for row in rows:
        told.append([_shot(panel, zoom, quality) for panel in row.panels])
        most -= sum(len(shot) for shot in told[-1]) * 4 // 3
        if most < 0:
            return None
    return told


def _row(row: Row, shots: Sequence[bytes], room: Room) -> Html:
    who = f"Frame {row.who.seq}" + (f" of {row.who.camera}" if row.who.camera else "")
    who += f", segment {row.who.segment}" if row.who.segment else ""
    who += f", {number(row.at_s, 3)} s"
    if row.look is None:
        return tag("h3", who) + note("It cannot be shown: ", row.why)  # type: ignore[return-value]
    if row.detail:
        who += ", the marked part"
    shown = f"shown from {number(row.look.black)} (black) to {number(row.look.white)} (white) counts"
    colours = ", in false colours" if row.look.glow else ""
    suspect = None
    if row.suspicion is not None and row.suspicion > 1:
        suspect = tag("span", f" suspect: {number(row.suspicion, 3)} times the limit of what is usual", class_="bad")
    head = tag("h3", who, tag("span", f" {shown}{colours}", class_="aside"), suspect)
    panels = [_panel(who, panel, shot, row.pixel_um, room) for panel, shot in zip(row.panels, shots, strict=True)]
    return join(head, tag("div", panels, class_="sheet"))


def _panel(who: str, panel: Panel, shot: bytes, pixel_um: float | None, room: Room) -> Html:
    wide, tall, zoom = _size(panel)
    counted = "" if panel.objects is None else f": {panel.objects:,}"
    words = panel.title.replace(",", f"{counted},", 1) if "," in panel.title else panel.title + counted
    extra = []
    if panel.own_contrast:
        extra.append(f"own contrast, {_contrast(panel.look)}")
    if panel.left_out:
        extra.append(f"{panel.left_out:,} not drawn")
    data = Html("data:image/webp;base64," + base64.b64encode(shot).decode("ascii"))
    alt = f"{who}: {words}" + (f" ({some(extra)})" if extra else "")
    drawing = tag(
        "svg",
        tag("title", alt),
        tag("image", href=data, width=wide, height=tall, preserveAspectRatio="none"),
        _drawn(panel, zoom, room),
        _scale_bar(wide, tall, pixel_um, zoom),
        viewBox=f"0 0 {wide} {tall}",
        role="img",
    )
    return tag(
        "figure", drawing, tag("figcaption", words, tag("span", f" {some(extra)}", class_="aside") if extra else None)
    )


def _drawn(panel: Panel, zoom: float, room: Room) -> list[Html]:
    told: list[Html] = []
    for ring in panel.outlines:
        # Corners of single pixels are no shape of the object: what differs by less than a pixel of the page goes.
        near = cv2.approxPolyDP(_places(panel, ring, zoom).astype(np.float32), 0.6, True)[:, 0]
        told.append(_path(near.astype(np.float64), "outline", room, close=True))
    for count, tail in enumerate(panel.tails):
        places = _places(panel, tail, zoom)
        told.append(_path(places, f"tail t{count % 6}", room))
        told.append(
            tag("circle", cx=f"{places[-1, 0]:.1f}", cy=f"{places[-1, 1]:.1f}", r=3.2, class_=f"head t{count % 6}")
        )
    if panel.spots is not None and len(panel.spots) <= room.points:
        room.points -= len(panel.spots)
        radius = 5.5 if panel.origin == (0, 0) else 14
        centres = _places(panel, panel.spots, zoom).tolist()
        told += [tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=radius, class_="spot") for x, y in centres]
    if panel.marked is not None:
        y, x, side = (f"{each * zoom:.1f}" for each in panel.marked)
        told.append(tag("rect", x=x, y=y, width=side, height=side, class_="marked"))
    return told


def _places(panel: Panel, places: Array, zoom: float) -> Array:
    """x and y in units of the drawing, of y and x in raw pixels."""
    return np.asarray(((places - panel.origin + 0.5) * zoom)[:, ::-1])


def _path(points: Array, style: str, room: Room, close: bool = False) -> Html:
    room.points -= len(points)
    if room.points <= 0 or len(points) < 2:
        return Html("")
    words = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist()) + ("Z" if close else "")
    return tag("path", d=Html(words), class_=style)


def _scale_bar(wide: float, tall: float, pixel_um: float | None, zoom: float) -> Child:
    """A bar of a round length, a quarter of the image at most."""
    if not pixel_um or not np.isfinite(pixel_um) or pixel_um <= 0:
        return None
    aim = wide / zoom * pixel_um / 4
    unit = 10.0 ** np.floor(np.log10(aim))
    length = float(max(unit * step for step in (1, 2, 5) if unit * step <= aim * 1.0001))
    bar = length / pixel_um * zoom
    right = wide - 18
    words = f"{length:g} µm" if length >= 1 else f"{length * 1000:g} nm"
    return [
        tag(
            "rect",
            x=f"{right - max(bar, 52) - 8:.1f}",
            y=tall - 44,
            width=f"{max(bar, 52) + 16:.1f}",
            height=34,
            rx=4,
            class_="bar-back",
        ),
        tag("rect", x=f"{right - bar:.1f}", y=tall - 20, width=f"{bar:.1f}", height=4, class_="bar"),
        tag("text", words, x=f"{right - bar / 2:.1f}", y=tall - 26, text_anchor="middle", class_="bar-words"),
    ]


def _size(panel: Panel) -> tuple[int, int, float]:
    """Units of the drawing, and units per raw pixel."""
    rows, columns = panel.image.shape[:2]
    zoom = SIDE / max(rows, columns)
    return max(1, round(columns * zoom)), max(1, round(rows * zoom)), zoom * panel.scale


def _shot(panel: Panel, zoom: float, quality: int) -> bytes:
    wide, tall, _ = _size(panel)
    # No more pixels than there are: those of small frames stay squares through the page's style.
    fit = min(zoom, max(1.0, panel.image.shape[1] / wide))
    rgb = render(panel.image, panel.look, max(1, round(wide * fit)), max(1, round(tall * fit)))
    good, data = cv2.imencode(".webp", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not good:
        raise ValueError("found an image that cannot be compressed")
    return bytes(data)


def _contrast(look: Look) -> str:
    return f"{number(look.black)} to {number(look.white)}"
