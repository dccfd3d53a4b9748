"""The result that a snapshot is of: the one that its viewer sees where it is at hand, else the next one that comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from onscope.runtime import Admission, FrameId, OnscopeError, Result, SourceError, keep_newest

WAIT_S = 2.0
TAILS = 64
"""Places of the acquisition whose tracks are remembered."""
UNDER_WAY = 16
"""Results that may still come after a pause was asked for: each of them is copied, the last one stays to be seen."""
Suits = Callable[[Result], bool]


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
    """Results of one run for snapshots; nothing is held between them but small tables and the last one asked for.

    Any thread may call it. Copying every result would cost the acquisition: only those of a pause are kept.
    """

    def __init__(self, runtime: Gives) -> None:
        from ..server._vectors import Histories

        self._runtime = runtime
        self._lock = threading.Lock()
        self._histories = Histories(TAILS)
        self._tails: dict[Any, dict[str, Any]] = {}
        self._last: Result | None = None
        self._under_way = 0

    def saw(self, result: Result) -> None:
        """Remember where its tracks are; called with each result, by who reads them anyway."""
        if self._under_way:
            self._under_way -= 1
            self._last = result.copied()
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
        """Copy a result for later, as nothing more will come for a while (None: the next one, and those after it that
        are under way)."""
        if result is None:
            result = self._next(lambda each: True)
            self._under_way = UNDER_WAY
        if result is not None:
            self._last = result.copied()

    def __call__(self, seen: FrameId | None = None, suits: Suits = lambda result: True) -> Pictured:
        """The result of the frame `seen` where it was kept, else the next one that `suits`, or the last one where none
        comes any more. Raises SourceError when there is none."""
        found = self._last
        if found is None or found.frame.id != seen:
            found = self._next(suits) or found
        if found is None or not suits(found):
            raise SourceError(
                f"found no result of what is shown within {WAIT_S:g} s, expected one: ask again when its frames come"
            )
        self._last = found
        with self._lock:
            return Pictured(found, dict(self._tails.get(_place(found), {})))

    def _next(self, suits: Suits) -> Result | None:
        """A copy of the next one that suits."""
        ends = time.monotonic() + WAIT_S
        results: Takes = self._runtime.subscribe(keep_newest(1))
        try:
            while (left := ends - time.monotonic()) > 0:
                result = results.take(left)
                if result is None:
                    break
                if suits(result):
                    return result.copied()
        except OnscopeError:
            pass  # it has ended
        finally:
            results.close()
        return None


def _place(result: Result) -> Any:
    frame = result.frame
    return (frame.id.camera, *sorted((axis, at) for axis, at in frame.index.items() if axis != "t"))
