"""The newest frames as the server has them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime.shared import SharedSlots
from onscope.runtime.worker import Message

from .._values import Wanted

Array = npt.NDArray[Any]
Place = tuple[Any, ...]
RAW = "raw"
MOST_PLACES = 256
MOST_BYTES = 512 << 20
"""Of frames that are kept; the newest is kept whatever its size."""
MOST_FOUND = 1024
"""Answers to what viewers want that are kept until another frame comes."""


@dataclass(eq=False)
class Shown:
    """A result: its images and tables by name, as private arrays."""

    number: int
    head: Message
    images: Mapping[str, Array]
    tables: Mapping[str, Array]
    history: dict[str, Any] = field(default_factory=dict)
    """Places of tracks until now, by table."""
    was_sent: bool = False

    @cached_property
    def place(self) -> Place:
        """Camera and place in the acquisition, but for the time."""
        index = self.head["frame"]["index"]
        return (self.head["frame"]["camera"], *sorted((axis, at) for axis, at in index.items() if axis != "t"))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the raw frame."""
        rows, columns = self.images[RAW].shape[:2]
        return rows, columns

    @cached_property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in (*self.images.values(), *self.tables.values()))

    def suits(self, wanted: Wanted) -> bool:
        """Whether it has what a viewer wants; a frame without an axis is number 0 of it."""
        frame = self.head["frame"]
        return (
            wanted.camera in ("", frame["camera"])
            and wanted.image in self.images
            and all(frame["index"].get(axis, 0) == at for axis, at in wanted.index.items() if axis != "t")
        )


class Frames:
    """The newest frame of each place, in bounded memory. `forget` is told the numbers of those that go."""

    def __init__(self, forget: Callable[[int], object] = lambda number: None) -> None:
        self._of: OrderedDict[Place, Shown] = OrderedDict()
        self._forget = forget
        self._bytes = 0
        self._found: dict[tuple[Any, ...], Shown | None] = {}

    def add(self, shown: Shown) -> None:
        """It takes the place of the one before it."""
        self._drop(shown.place)
        self._of[shown.place] = shown
        self._bytes += shown.nbytes
        self._found.clear()
        while len(self._of) > 1 and (len(self._of) > MOST_PLACES or self._bytes > MOST_BYTES):
            self._drop(next(iter(self._of)))

    def newest(self, wanted: Wanted) -> Shown | None:
        """The newest frame that has what is wanted; one of an older place may have come later."""
        key = wanted.camera, wanted.image, *sorted(wanted.index.items())
        if key not in self._found:
            if len(self._found) > MOST_FOUND:
                self._found.clear()
            suiting = (shown for shown in self._of.values() if shown.suits(wanted))
            self._found[key] = max(suiting, key=lambda shown: shown.number, default=None)
        return self._found[key]

    def _drop(self, place: Place) -> None:
        gone = self._of.pop(place, None)
        if gone is not None:
            self._bytes -= gone.nbytes
            self._forget(gone.number)


class Slots:
    """The acquisition's board as this process sees it. Of one thread alone."""

    def __init__(self) -> None:
        self._memory: SharedSlots | None = None

    def read(self, message: Message) -> Shown:
        """Copy a result out of its slot. Raises OSError when the board is gone, which means that a newer one came."""
        where = message["memory"]
        if self._memory is None or self._memory.name != where["name"]:
            self.close()
            self._memory = SharedSlots.attach(where["name"], where["slot_bytes"], where["slots"])
        images: dict[str, Array] = {}
        tables: dict[str, Array] = {}
        for each in message["arrays"]:
            described = each["dtype"]
            dtype = np.dtype(described if isinstance(described, str) else [tuple(column) for column in described])
            array = self._memory.view(message["slot"], tuple(each["shape"]), dtype, each["offset"]).copy()
            (images if dtype.names is None else tables)[each["name"]] = array
        return Shown(message["number"], message["head"], images, tables)

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
        self._memory = None
