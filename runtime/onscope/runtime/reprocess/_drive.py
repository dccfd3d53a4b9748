"""Chunks to the workers and back: a bounded number under way, lines in their order, nothing twice."""

from __future__ import annotations

import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from .._errors import OnscopeError, WorkerError
from ._chunks import Chunk
from ._store import Store
from ._worker import compute

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_DEATHS = 25
"""Workers that may die over one chunk before it is given up."""
ASK_S = 1.0
"""How often the scheduler is asked for its workers, at most."""
LOOK_S = 2.0
"""How long nothing may come before it is looked whether workers and scheduler are there."""


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
    _sent_to: dict[Future, str] = field(default_factory=dict)
    _came: SimpleQueue[Future] = field(default_factory=SimpleQueue)
    _there: Collection[str] = ()
    _asked_s: float = -60.0
    _deaths: Counter[str] = field(default_factory=Counter)

    def run(self, chunks: Iterator[Chunk]) -> None:
        """Return when all is done; raises what a task raises, or WorkerError when workers or scheduler are gone."""
        more = True
        try:
            while more or self._under_way:
                while more and self._room():
                    chunk = next(chunks, None)
                    more = chunk is not None
                    if chunk is not None:
                        self._take(chunk)
                if self._under_way:
                    self._wait()
        finally:
            for future in self._under_way:
                future.cancel()

    def _wait(self) -> None:
        try:
            future = self._came.get(timeout=LOOK_S)
        except Empty:
            if self.client.status in ("closed", "closing"):
                raise self._gone() from None
            self._look_for_homes()
            return
        if future in self._under_way:  # else another one does it
            self._landed(future)

    def _workers(self) -> Collection[str]:
        """The addresses of the workers, as they were a moment ago; raises WorkerError without a scheduler."""
        if time.monotonic() - self._asked_s > ASK_S:
            try:
                self._there = frozenset(self.client.nthreads())
            except (OSError, TimeoutError, ValueError) as error:
                raise self._gone() from error
            self._asked_s = time.monotonic()
        return self._there

    def _gone(self) -> WorkerError:
        return WorkerError(
            f"the scheduler of Dask went away after {self.computed} windows: what is done is kept, run it again"
        )

    def _look_for_homes(self) -> None:
        # A task that waits for a worker that died is given to no other while there is none at all, and then forgotten.
        there = self._workers()
        for future, home in list(self._sent_to.items()):
            if home not in there:
                chunk = self._under_way.pop(future)
                del self._sent_to[future]
                self._home.pop(chunk.line, None)
                future.cancel()
                self._send(chunk)

    def _room(self) -> bool:
        workers = max(1, len(self._workers()))
        waiting = sum(map(len, self._waiting.values()))
        return len(self._under_way) < self.most * workers and waiting < 4 * self.most * workers

    def _take(self, chunk: Chunk) -> None:
        if chunk.line in self._waiting:
            self._waiting[chunk.line].append(chunk)
        elif self.store.has(chunk.key):
            self.there += chunk.windows
            self.seen(chunk)
        else:
            if chunk.line:
                self._waiting[chunk.line] = deque()
            self._send(chunk)

    def _send(self, chunk: Chunk) -> None:
        home = self._home.get(chunk.line)
        if home is not None and home not in self._workers():
            home = None
        near = {"workers": [home], "allow_other_workers": True} if home else {}
        # A name of its own: the scheduler answers with what came of an earlier task of the same name, errors too.
        name = f"onscope-{chunk.key}-{uuid.uuid4().hex[:8]}"
        future = self.client.submit(task, str(self.store.work), chunk.message, key=name, pure=False, **near)
        self._under_way[future] = chunk
        if home:
            self._sent_to[future] = home
        future.add_done_callback(self._came.put)

    def _landed(self, future: Future) -> None:
        from distributed import KilledWorker

        chunk = self._under_way.pop(future)
        self._sent_to.pop(future, None)
        if future.status != "finished":
            # A task whose home has just died may come back as cancelled, though the scheduler is well.
            error = future.exception() if future.status == "error" else None
            self._deaths[chunk.key] += 1
            if error is None and (self.client.status != "running" or self._deaths[chunk.key] > MOST_DEATHS):
                raise self._gone()
            if error is not None and (not isinstance(error, KilledWorker) or self._deaths[chunk.key] > MOST_DEATHS):
                raise _told(error)
            self._home.pop(chunk.line, None)
            self._asked_s = -ASK_S
            self._send(chunk)
            return
        told = future.result()
        self.computed += told["computed"]
        self.there += chunk.windows - told["computed"]
        self.seen(chunk)
        if chunk.line:
            self._home[chunk.line] = told["worker"]
            self._next(chunk.line)

    def _next(self, line: str) -> None:
        """The next chunk of a line; those that are done already are passed over."""
        waiting = self._waiting[line]
        while waiting:
            chunk = waiting.popleft()
            if not self.store.has(chunk.key):
                self._send(chunk)
                return
            self.there += chunk.windows
            self.seen(chunk)
        del self._waiting[line]


def _told(error: BaseException) -> BaseException:
    if isinstance(error, OnscopeError):
        return error
    return WorkerError(f"a worker of Dask failed ({type(error).__name__}: {error}): what is done is kept, run it again")
