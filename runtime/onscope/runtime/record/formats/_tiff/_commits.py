"""Writes of one image, gathered: what waits while the disk is busy goes to it together, and shares its fsync."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

MAX_BYTES = 32 << 20
"""As much of what waits is written at once."""
Item = TypeVar("Item")
Written = Future[None]
"""Done when an item is on the disk, and a reader finds it there; raises OSError when it is not."""


class Commits(Generic[Item]):
    """Hands items to `commit`, in order and in a thread of its own, each of at most `nbytes`.

    It writes all of them, or some of the first ones and says how many; when it raises OSError none of them is written.
    After the first item that cannot be written all later ones fail as well: what is written has no gap.
    """

    def __init__(self, name: str, commit: Callable[[Sequence[Item]], int], nbytes: int) -> None:
        self._commit = commit
        self._most = max(1, MAX_BYTES // nbytes)
        self._waiting: SimpleQueue[tuple[Item, Written] | None] = SimpleQueue()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def add(self, item: Item) -> Written:
        """Have an item written."""
        written = Written()
        self._waiting.put((item, written))
        return written

    def close(self) -> None:
        """Wait for all that was added."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < self._most and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    self._waiting.put(None)
                    break
                batch.append(more)
            while batch:
                del batch[: self._write(batch)]

    def _write(self, batch: Sequence[tuple[Item, Written]]) -> int:
        """Write some of the first items; how many of them are settled."""
        try:
            if self._failure is not None:
                raise self._failure
            count = self._commit([item for item, _ in batch])
        except Exception as error:  # whoever waits must hear of it, whatever it is
            if len(batch) > 1 and self._failure is None:
                return self._write(batch[: len(batch) // 2])  # some may fit yet
            self._failure = self._failure or (error if isinstance(error, OSError) else OSError(repr(error)))
            for _, written in batch:
                written.set_exception(self._failure)
            return len(batch)
        for _, written in batch[:count]:
            written.set_result(None)
        return count
