"""The board: shared memory in which one result at a time is handed to the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import Result
from onscope.runtime.shared import SharedSlots
from onscope.runtime.worker import Message

SLOTS = 2
"""One is written while the other is read."""
ALIGN = 64
RAW = "raw"


class Board:
    """Slots for results; larger ones are made when a larger result comes.

    Raises WorkerError when shared memory is too small.
    """

    def __init__(self) -> None:
        self._memory: SharedSlots | None = None
        self._free: list[int] = []

    @property
    def free(self) -> bool:
        """Whether a result can be put down now."""
        return self._memory is None or bool(self._free)

    def give_back(self, name: str, slot: int) -> None:
        """The server has read a slot."""
        if self._memory is not None and self._memory.name == name and slot not in self._free:
            self._free.append(slot)

    def put(self, result: Result) -> Message:
        """Copy the raw frame and all answers into a free slot; where they are."""
        arrays, end = [], 0
        for name, array in arrays_of(result):
            arrays.append((name, array, end))
            end += -(-array.nbytes // ALIGN) * ALIGN
        memory = self._for(end)
        slot = self._free.pop()
        for _, array, offset in arrays:
            np.copyto(memory.view(slot, array.shape, array.dtype, offset), array)
        return {
            "memory": {"name": memory.name, "slot_bytes": memory.slot_bytes, "slots": memory.slots},
            "slot": slot,
            "arrays": [
                {"name": name, "shape": array.shape, "dtype": described(array.dtype), "offset": offset}
                for name, array, offset in arrays
            ],
        }

    def _for(self, size: int) -> SharedSlots:
        if self._memory is None or self._memory.slot_bytes < size:
            self.close()
            self._memory = SharedSlots.create(max(size + size // 4, ALIGN), SLOTS)  # tables grow from frame to frame
            self._free = list(range(SLOTS))
        return self._memory

    def close(self) -> None:
        """Forget the memory; what the server still reads stays until it is read."""
        if self._memory is not None:
            self._memory.close()
        self._memory, self._free = None, []


def arrays_of(result: Result) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The raw frame, named "raw", and all answers."""
    yield RAW, result.frame.pixels
    yield from result.answers.items()


def described(dtype: np.dtype[Any]) -> Any:
    """A type as JSON can hold it: its word, or a list of name and word for a table."""
    if dtype.names is None:
        return dtype.str
    return [[name, dtype[name].str] for name in dtype.names]
