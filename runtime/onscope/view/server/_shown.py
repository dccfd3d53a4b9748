"""The newest frames as the server has them, and what was made of them for viewers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from onscope.runtime.shared import SharedSlots
from onscope.runtime.worker import Message

from .._values import Wanted

Array = npt.NDArray[Any]
Place = tuple[Any, ...]
T = TypeVar("T")
RAW = "raw"
MOST_MADE = 96
"""Pictures, histograms and outlines that are kept of a frame."""
MOST_PLACES = 256
MOST_BYTES = 512 << 20
"""Of frames that are kept; the newest is kept whatever its size."""


@dataclass(eq=False)
class Shown:
    """A result: its images and tables by name, as private arrays. Made things are kept for those who want the same."""

    number: int
    head: Message
    images: Mapping[str, Array]
    tables: Mapping[str, Array]
    history: dict[str, Any] = field(default_factory=dict)
    """Places of tracks until now, by table."""
    was_sent: bool = False
    _made: OrderedDict[Hashable, asyncio.Future[Any]] = field(default_factory=OrderedDict)

    @property
    def place(self) -> Place:
        """Camera and place in the acquisition, but for the time."""
        index = self.head["frame"]["index"]
        return (self.head["frame"]["camera"], *sorted((axis, at) for axis, at in index.items() if axis != "t"))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the raw frame."""
        rows, columns = self.images[RAW].shape[:2]
        return rows, columns

    @property
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

    async def once(self, pool: Executor, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made in the pool, once for all who give this key."""
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = asyncio.get_running_loop().run_in_executor(pool, make)
            while len(self._made) > MOST_MADE:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        result: T = await asyncio.shield(made)  # one who leaves does not take it from the others
        return result


class Frames:
    """The newest frame of each place, in bounded memory."""

    def __init__(self) -> None:
        self._of: OrderedDict[Place, Shown] = OrderedDict()

    def add(self, shown: Shown) -> None:
        """It takes the place of the one before it."""
        self._of[shown.place] = shown
        self._of.move_to_end(shown.place)
        while len(self._of) > 1 and (len(self._of) > MOST_PLACES or self._nbytes > MOST_BYTES):
            self._of.popitem(last=False)

    def newest(self, wanted: Wanted) -> Shown | None:
        """The newest frame that has what is wanted."""
        return next((shown for shown in reversed(self._of.values()) if shown.suits(wanted)), None)

    def at(self, place: Place) -> Shown | None:
        """The newest frame of a place."""
        return self._of.get(place)

    @property
    def _nbytes(self) -> int:
        return sum(shown.nbytes for shown in self._of.values())


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
