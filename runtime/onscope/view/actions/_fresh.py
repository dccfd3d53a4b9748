"""The result that a snapshot is of: the next one that comes, or the last one where none comes any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from onscope.runtime import Admission, OnscopeError, Result, SourceError, keep_newest

WAIT_S = 2.0
TAILS = 64
"""Places of the acquisition whose tracks are remembered."""


class Takes(Protocol):
    """A subscription."""

    def take(self, timeout_s: float | None = None) -> Result | None: ...
    def close(self) -> None: ...


class Gives(Protocol):
    """A runtime, or a player of a recording."""

    def subscribe(self, admission: Admission | None = None) -> Any: ...


class Pictured(NamedTuple):
    """A result in private memory, and where its tracks were, by table: (track, y, x) of frames, the newest last."""

    result: Result
    history: dict[str, tuple[np.ndarray[Any, Any], ...]]


class Fresh:
    """Results of one run for snapshots; nothing is held between them but small tables and the last one asked for."""

    def __init__(self, runtime: Gives) -> None:
        from ..server._vectors import Histories

        self._runtime = runtime
        self._lock = threading.Lock()
        self._histories = Histories(TAILS)
        self._tails: dict[Any, dict[str, Any]] = {}
        self._last: Result | None = None

    def saw(self, result: Result) -> None:
        """Remember where its tracks are; called with each result, by who reads them anyway."""
        tables = {name: each for name, each in result.answers.items() if each.dtype.names is not None}
        if any("track" in (each.dtype.names or ()) for each in tables.values()):
            place = _place(result)
            found = self._histories.add(place, result.frame.id[:3], result.frame.id.seq, tables)
            with self._lock:
                self._tails.pop(place, None)
                self._tails[place] = found
                while len(self._tails) > TAILS:
                    del self._tails[next(iter(self._tails))]

    def keep(self, result: Result | None = None) -> None:
        """Copy a result (None: the next one) for later: nothing more will come for a while."""
        result = self._next() if result is None else result
        if result is not None:
            self._last = result.copied()

    def __call__(self) -> Pictured:
        """Raises SourceError when there was none yet."""
        self.keep()
        if self._last is None:
            raise SourceError(f"found no result within {WAIT_S:g} s, expected one: ask again when frames come")
        with self._lock:
            return Pictured(self._last, dict(self._tails.get(_place(self._last), {})))

    def _next(self) -> Result | None:
        results: Takes = self._runtime.subscribe(keep_newest(1))
        try:
            return results.take(WAIT_S)
        except OnscopeError:
            return None
        finally:
            results.close()


def _place(result: Result) -> Any:
    frame = result.frame
    return (frame.id.camera, *sorted((axis, at) for axis, at in frame.index.items() if axis != "t"))


Newest = Callable[[], Pictured]
