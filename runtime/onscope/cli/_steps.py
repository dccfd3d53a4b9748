"""Frame by frame from the keyboard: Enter gives the next frame, a number so many, the end of the input ends it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from onscope.runtime import Source, SourceError


@runtime_checkable
class ByHand(Protocol):
    """A source whose frames come when they are asked for."""

    def step(self, n: int = 1) -> None: ...
    def end(self) -> None: ...


@contextmanager
def by_hand(source: Source, wanted: bool) -> Iterator[None]:
    """While the block lasts, lines from the standard input ask for frames; raises SourceError for other sources."""
    if not wanted:
        yield
        return
    if not isinstance(source, ByHand):
        raise SourceError("found a source that runs by itself, expected replay:PATH with --step: leave it out")
    threading.Thread(target=_listen, args=(source,), name="onscope-steps", daemon=True).start()
    yield


def _listen(source: ByHand) -> None:
    for line in sys.stdin:
        word = line.strip()
        if word == "q":
            break
        source.step(int(word) if word.isdecimal() and len(word) < 7 else 1)
    source.end()
