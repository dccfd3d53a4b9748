"""What may be looked at, and what is asked for when some of it is chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from .._values import ImageLayout, Layout, TableLayout, Wanted
from .._wire import MOST_SIDE, MOST_VIEWS

Kind = Literal["image", "labels", "tracks", "points"]
ORDER: tuple[Kind, ...] = ("image", "labels", "tracks", "points")
"""From the bottom to the top of the viewer."""
NOT_SHOWN = 1000
"""The id of a picture that is wanted for what lies over it alone."""


@dataclass(frozen=True, slots=True)
class Item:
    """A layer that can be had: of the image or table `name`. `vectors` says how its places are asked for."""

    kind: Kind
    name: str
    vectors: str = ""

    @property
    def words(self) -> str:
        return f"{self.name} ({self.kind})"


def items_of(layout: Layout) -> list[Item]:
    """All layers that a run can be shown as, in the order of the viewer."""
    items = [Item("labels" if image.labels else "image", image.name) for image in layout.images if _may_be_seen(image)]
    for table in layout.tables:
        if "tails" in table.kinds:
            items.append(Item("tracks", table.name, f"tails:{table.name}"))
        elif points := _points(table):
            items.append(Item("points", table.name, f"{points}:{table.name}"))
    return sorted(items, key=lambda item: ORDER.index(item.kind))


def wanted(
    layout: Layout,
    chosen: Collection[Item],
    limit: int,
    camera: str = "",
    index: Mapping[str, int] | None = None,
) -> list[Wanted]:
    """What to ask for: a picture for each image (its id: its place in the layout), and over the first one all places.

    Pictures are as large as the images, up to `limit` rows and columns. At most eight; those after are left out, as are
    images whose size is not known yet: they are asked for when it is told.
    """
    names = {item.name for item in chosen if item.kind in ("image", "labels")}
    shown = [(number, image) for number, image in enumerate(layout.images) if image.name in names and image.shape]
    shown = shown[:MOST_VIEWS]
    over = tuple(dict.fromkeys(item.vectors for item in chosen if item.vectors))
    where = dict(index or {})
    views = [
        Wanted(
            number,
            image.name,
            camera,
            where,
            size=_size(image, limit),
            bits=8 if len(image.shape) == 3 else 16,
            vectors=over if not place else (),
        )
        for place, (number, image) in enumerate(shown)
    ]
    if over and not views:
        views = [Wanted(NOT_SHOWN, "raw", camera, where, size=(1, 1), vectors=over)]
    return views


def _may_be_seen(image: ImageLayout) -> bool:
    """Whether it has rows and columns, or is not known yet, before its first answer."""
    return not image.shape or (len(image.shape) in (2, 3) and min(image.shape) > 0)


def _size(image: ImageLayout, limit: int) -> tuple[int, int]:
    rows, columns = image.shape[:2]
    shrunk = max(1.0, rows / min(limit, MOST_SIDE), columns / min(limit, MOST_SIDE))
    return max(1, int(rows / shrunk)), max(1, int(columns / shrunk))


def _points(table: TableLayout) -> str:
    """How the places of a table's objects are asked for; "" where they cannot be."""
    return next((kind for kind in ("spots", "outlines", "boxes") if kind in table.kinds), "")
