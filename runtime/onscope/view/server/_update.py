"""Updates: what a viewer is sent of one frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import now_ns

from .._values import Layout, Wanted
from .._wire import Message, joined, placed
from ._histogram import histogram
from ._made import Maker
from ._pictures import flat, picture
from ._shown import Shown
from ._vectors import Vectors, boxes, columns, outlines, spots, tails

Array = npt.NDArray[Any]
log = logging.getLogger("onscope")
LABEL_BINS = 255
AT_SENDING = ("received_ns", "scales")
"""Of a frame's head: what is only for the server."""


class Arrays:
    """The arrays of an update, each once."""

    def __init__(self) -> None:
        self.all: list[Array] = []
        self._known: dict[int, int] = {}

    def place(self, array: Array) -> dict[str, int]:
        """Where it will be found."""
        at = self._known.setdefault(id(array), len(self.all))
        if at == len(self.all):
            self.all.append(array)
        return {"array": at}


async def update(maker: Maker, shown: Shown, views: Sequence[Wanted], names: Names) -> bytes:
    """The update of these views; what the frame does not have is left out."""
    key = "update", names, *(view.key for view in views)
    head, arrays = await maker.put_together(shown.number, key, partial(_update, maker, shown, views, names))
    return joined({**head, "age_ms": (now_ns() - shown.head["received_ns"]) / 1e6}, arrays)


async def _update(maker: Maker, shown: Shown, views: Sequence[Wanted], names: Names) -> tuple[Message, bytes]:
    arrays = Arrays()
    told: list[dict[str, Any]] = []
    vectors: list[dict[str, Any]] = []
    tables: dict[str, dict[str, Array]] = {}
    for view in views:
        try:
            told.append(await _view(maker, shown, view, names, arrays))
            for word in view.vectors:
                kind, _, table = word.partition(":")
                drawn = await _drawn(maker, shown, kind, table, names)
                if drawn is not None:
                    vectors.append({"id": view.id, "kind": kind, "table": table, **_placed(drawn, arrays)})
                    make = partial(columns, shown.tables[table])
                    tables[table] = await maker.once(shown.number, ("columns", table), make)
        except Exception:  # an image that nobody thought of costs its own view alone
            log.exception("the view of %s failed", view.image)
    head = {name: value for name, value in shown.head.items() if name not in AT_SENDING}
    head |= {"views": told, "vectors": vectors}
    head["tables"] = [
        {"name": name, "columns": {column: arrays.place(held) for column, held in of.items()}}
        for name, of in tables.items()
    ]
    return placed(head, arrays.all)


class Names:
    """What a layout says of names: which images are labels, and which of them a table's rows are."""

    def __init__(self, layout: Layout | dict[str, Any] | None = None) -> None:
        told = layout if isinstance(layout, dict) else {"images": (), "tables": ()}
        self.labels = frozenset(image["name"] for image in told["images"] if image["labels"])
        self.labels_of = {table["name"]: str(table["labels"]) for table in told["tables"]}


async def _view(maker: Maker, shown: Shown, view: Wanted, names: Names, arrays: Arrays) -> dict[str, Any]:
    image, labels = shown.images[view.image], view.image in names.labels
    spread = await maker.once(shown.number, ("histogram", view.image), partial(_spread, image, labels))
    limits = (view.low, view.high)
    key = ("picture", view.image, view.rect, view.size, view.bits, limits)
    make = partial(picture, image, shown.shape, view.rect, view.size, view.bits, limits, spread, labels=labels)
    made = await maker.once(shown.number, key, make)
    told = {
        "id": view.id,
        "image": view.image,
        "rect": made.rect,
        **arrays.place(made.pixels),
        "low": made.low,
        "high": made.high,
        "histogram": {**arrays.place(spread.counts), "from": spread.begin, "to": spread.end},
        "wanted_rect": view.rect,
    }
    return told if made.values is None else {**told, "values": made.values}


def _spread(image: Array, labels: bool) -> Any:
    image = flat(image)
    return histogram(np.where(image > 0, (image - 1) % LABEL_BINS + 1, 0).astype(np.uint8) if labels else image)


async def _drawn(maker: Maker, shown: Shown, kind: str, table: str, names: Names) -> Vectors | None:
    held = shown.tables.get(table)
    if held is None:
        return None
    has = set(held.dtype.names or ())
    image = shown.images.get(names.labels_of.get(table, ""))
    make: Callable[[], Vectors] | None = None
    if kind == "outlines" and "label" in has and image is not None and image.ndim == 2:
        make = partial(outlines, image, held, image.shape[0] / shown.shape[0])
    elif kind == "boxes" and {"y0", "x0", "y1", "x1"} <= has:
        make = partial(boxes, held)
    elif kind == "spots" and {"y", "x"} <= has:
        make = partial(spots, held)
    elif kind == "tails" and table in shown.history:
        make = partial(tails, shown.history[table], held)
    return None if make is None else await maker.once(shown.number, (kind, table), make)


def _placed(drawn: Vectors, arrays: Arrays) -> dict[str, Any]:
    parts = {"starts": drawn.starts, "points": drawn.points, "rows": drawn.rows}
    return {name: arrays.place(array) for name, array in parts.items() if array is not None}
