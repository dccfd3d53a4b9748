"""Times that scatter: a number, or any of those that were measured."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from ._loop import Loop

Times = float | tuple[float, ...]
"""Milliseconds: always the same, or measured ones, of which each is as likely."""


class Draw:
    """The next time in ns, by a seed."""

    def __init__(self, times: Times, seed: str) -> None:
        several = times if isinstance(times, tuple) else (times,)
        self._ns = [int(ms * 1e6) for ms in several]
        self._random = random.Random(seed)

    def __call__(self) -> int:
        if len(self._ns) == 1:
            return self._ns[0]
        return self._ns[int(self._random.random() * len(self._ns))]


class Pipe:
    """Messages between two processes: each takes its time, none overtakes another."""

    def __init__(self, loop: Loop, times: Times, seed: str) -> None:
        self._loop, self._draw, self._last = loop, Draw(times, seed), 0

    def send(self, there: Callable[[Any], object], what: Any) -> None:
        """Have `there(what)` called when the message has come, at once where that takes no time."""
        now = self._loop.now
        self._last = max(self._last, now + self._draw())
        if self._last == now:
            there(what)
        else:
            self._loop.at(self._last, there, what)
