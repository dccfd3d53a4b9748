"""What was made of frames for viewers: once for all who want the same, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Executor
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
Key = tuple[int, Hashable]
"""The number of the frame, and what is made of it."""
MOST_BYTES = 256 << 20
MOST_MADE = 4096
"""Pictures, histograms, outlines and what is made of them."""


class Maker:
    """Of the event loop's thread alone; things are made in the pool."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._made: OrderedDict[Key, asyncio.Future[Any]] = OrderedDict()
        self._bytes: dict[Key, int] = {}
        self._all = 0

    async def once(self, number: int, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives of the frame of a number, made in the pool, once for all who give this key."""
        return await self._shared((number, key), lambda: asyncio.get_running_loop().run_in_executor(self._pool, make))

    async def put_together(self, number: int, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The same of what is put together of several such things."""
        return await self._shared((number, key), lambda: asyncio.ensure_future(make()))

    def forget(self, number: int) -> None:
        """A frame has gone, and what was made of it goes too; who waits for it still gets it."""
        for key in [key for key in self._made if key[0] == number]:
            self._drop(key)

    async def _shared(self, key: Key, make: Callable[[], asyncio.Future[T]]) -> T:
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = make()
            made.add_done_callback(lambda done: self._weigh(key, done))
        else:
            self._made.move_to_end(key)
        result: T = await asyncio.shield(made)  # one who leaves does not take it from the others
        return result

    def _weigh(self, key: Key, made: asyncio.Future[Any]) -> None:
        if self._made.get(key) is not made:
            return
        if made.cancelled() or made.exception() is not None:
            self._drop(key)
            return
        self._bytes[key] = weight(made.result())
        self._all += self._bytes[key]
        while (self._all > MOST_BYTES or len(self._made) > MOST_MADE) and len(self._made) > 1:
            self._drop(next(iter(self._made)))

    def _drop(self, key: Key) -> None:
        self._made.pop(key, None)
        self._all -= self._bytes.pop(key, 0)


def weight(made: Any) -> int:
    """Bytes of the arrays in what was made, about."""
    if isinstance(made, np.ndarray):
        return made.nbytes
    if isinstance(made, bytes):
        return len(made)
    if isinstance(made, dict):
        return sum(map(weight, made.values()))
    slots = getattr(type(made), "__slots__", ())
    return sum(weight(getattr(made, name)) for name in slots)
