"""Writes under way: a bounded number of bytes, acknowledged in order when they are on the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import RecordError
from ._array import TENSORSTORE_ERRORS

MAX_BYTES = 64 << 20
MAX_WRITES = 64


@dataclass(frozen=True, slots=True)
class _Write:
    what: str
    futures: Sequence[Any]
    nbytes: int
    acknowledge: Callable[[], None]


class Flight:
    """The writes of one stream of frames; used by one thread at a time.

    `add` returns at once while at most MAX_WRITES writes and `max_bytes` (or two writes) are under way, and waits for
    the oldest when there are more: a slow disk slows its caller and never grows memory. `acknowledge` is called in the
    order of the writes, on the caller's thread, after the write is on the disk: by `reap`, `drain`, or an `add` that
    waits.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._writes: deque[_Write] = deque()
        self._max_bytes = max_bytes
        self._nbytes = 0
        self._failure: RecordError | None = None

    def __len__(self) -> int:
        """Writes under way."""
        return len(self._writes)

    @property
    def nbytes(self) -> int:
        """Their bytes, not compressed."""
        return self._nbytes

    def add(self, what: str, futures: Sequence[Any], nbytes: int, acknowledge: Callable[[], None]) -> None:
        """Take on a write; raises RecordError when an earlier one failed."""
        self._writes.append(_Write(what, futures, nbytes, acknowledge))
        self._nbytes += nbytes
        while self._too_many():
            self._land()

    def reap(self) -> None:
        """Acknowledge what is on the disk by now; raises RecordError when a write failed."""
        while self._writes and all(future.done() for future in self._writes[0].futures):
            self._land()

    def drain(self) -> None:
        """Wait for all writes; raises RecordError when one failed, now or before (the others are acknowledged)."""
        while self._writes:
            self._land()
        if self._failure is not None:
            raise self._failure

    def _too_many(self) -> bool:
        return len(self._writes) > (2 if self._nbytes > self._max_bytes else MAX_WRITES)

    def _land(self) -> None:
        write = self._writes.popleft()
        self._nbytes -= write.nbytes
        error = failure_of(write.futures)
        if error is None:
            write.acknowledge()
            return
        self._failure = self._failure or RecordError(
            f"{write.what} could not be written ({reason(error)}): what was saved before it is whole; make room or "
            "choose another disk"
        )
        while self._writes:  # what reached the disk all the same is acknowledged, so that it can be found again
            later = self._writes.popleft()
            if failure_of(later.futures) is None:
                later.acknowledge()
        self._nbytes = 0
        raise self._failure from error


def most_in_flight(nbytes: int) -> int:
    """How many writes of so many bytes each may be under way at once."""
    return min(MAX_WRITES, max(2, MAX_BYTES // nbytes)) + 1


def failure_of(futures: Sequence[Any]) -> Exception | None:
    """Wait for all the futures; the first one's error, if any."""
    first: Exception | None = None
    for future in futures:
        try:
            future.result()
        except TENSORSTORE_ERRORS as error:
            first = first or error
    return first


def reason(error: Exception) -> str:
    """The last part of TensorStore's chain of messages, which names the system's reason."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rsplit(": ", 1)[-1].split(" [")[0]
