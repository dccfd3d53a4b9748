"""Chunks to the workers and back: a bounded number under way, lines in their order, nothing twice."""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._errors import OnscopeError, WorkerError
from ._chunks import Chunk
from ._store import Store
from ._worker import compute

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_DEATHS = 25
"""Workers that may die over one chunk before it is given up."""


def task(work: str, chunk: Mapping[str, Any]) -> dict[str, Any]:
    """`compute`, and where it ran: the next chunk of a line goes to the worker that remembers it."""
    from distributed import get_worker

    return {**compute(work, chunk), "worker": get_worker().address}


@dataclass
class Drive:
    """Has all chunks computed that are not done. `most` tasks per worker are under way at once: the scheduler never
    knows of more, however long the recording is."""

    client: Client
    store: Store
    most: int
    seen: Callable[[Chunk], object]
    """Is told of each chunk that is done, now or before."""
    computed: int = 0
    there: int = 0
    _under_way: dict[Future, Chunk] = field(default_factory=dict)
    _waiting: dict[str, deque[Chunk]] = field(default_factory=dict)
    _home: dict[str, str] = field(default_factory=dict)
    _deaths: Counter[str] = field(default_factory=Counter)

    def run(self, chunks: Iterator[Chunk]) -> None:
        """Return when all is done; raises what a task raises, or WorkerError when workers or scheduler are gone."""
        from distributed import as_completed

        landed = as_completed(loop=self.client.loop, raise_errors=False)
        more = True
        try:
            while more or self._under_way:
                while more and self._room():
                    chunk = next(chunks, None)
                    more = chunk is not None
                    if chunk is not None:
                        self._take(chunk, landed)
                if self._under_way:
                    self._landed(next(landed), landed)
        finally:
            for future in self._under_way:
                future.cancel()

    def _room(self) -> bool:
        workers = max(1, len(self.client.nthreads()))
        waiting = sum(map(len, self._waiting.values()))
        return len(self._under_way) < self.most * workers and waiting < 4 * self.most * workers

    def _take(self, chunk: Chunk, landed: Any) -> None:
        if chunk.line in self._waiting:
            self._waiting[chunk.line].append(chunk)
        elif self.store.has(chunk.key):
            self.there += chunk.windows
            self.seen(chunk)
        else:
            if chunk.line:
                self._waiting[chunk.line] = deque()
            self._send(chunk, landed)

    def _send(self, chunk: Chunk, landed: Any) -> None:
        home = self._home.get(chunk.line)
        near = {"workers": [home], "allow_other_workers": True} if home else {}
        # A name of its own: the scheduler answers with what came of an earlier task of the same name, errors too.
        name = f"onscope-{chunk.key}-{uuid.uuid4().hex[:8]}"
        future = self.client.submit(task, str(self.store.work), chunk.message, key=name, pure=False, **near)
        self._under_way[future] = chunk
        landed.add(future)

    def _landed(self, future: Future, landed: Any) -> None:
        from distributed import KilledWorker

        chunk = self._under_way.pop(future)
        if future.status in ("cancelled", "lost"):
            raise WorkerError(
                f"the scheduler of Dask went away after {self.computed} windows: what is done is kept, run it again"
            )
        if future.status == "error":
            error = future.exception()
            self._deaths[chunk.key] += 1
            if not isinstance(error, KilledWorker) or self._deaths[chunk.key] > MOST_DEATHS:
                raise _told(error)
            self._home.pop(chunk.line, None)
            self._send(chunk, landed)
            return
        told = future.result()
        self.computed += told["computed"]
        self.there += chunk.windows - told["computed"]
        self._home[chunk.line] = told["worker"]
        self.seen(chunk)
        if chunk.line:
            self._next(chunk.line, landed)

    def _next(self, line: str, landed: Any) -> None:
        """The next chunk of a line; those that are done already are passed over."""
        waiting = self._waiting[line]
        while waiting:
            chunk = waiting.popleft()
            if not self.store.has(chunk.key):
                self._send(chunk, landed)
                return
            self.there += chunk.windows
            self.seen(chunk)
        del self._waiting[line]


def _told(error: BaseException) -> BaseException:
    if isinstance(error, OnscopeError):
        return error
    return WorkerError(f"a worker of Dask failed ({type(error).__name__}: {error}): what is done is kept, run it again")
