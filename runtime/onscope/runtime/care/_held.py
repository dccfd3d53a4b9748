"""Who holds the care of this process, and what begins and ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._events import log
from ._awake import Awake
from ._switch import ShortTurns

Say = Callable[[str], object]

_lock = threading.Lock()
_holders = 0
_awake: Awake | None = None
_turns: ShortTurns | None = None
_said: set[str] = set()


class Care:
    """Holds the care from when it is made until `end`, which may be called more than once and from any thread.

    `say` is told in one sentence what this system could not do; each sentence once per process. It may be called from
    a thread of its own.
    """

    def __init__(self, say: Say = log.info) -> None:
        global _holders, _awake, _turns
        self._ended = False
        with _lock:
            _holders += 1
            if _holders == 1:
                _turns = ShortTurns()
                _awake = Awake(lambda sentence: _say_once(say, sentence))

    def end(self) -> None:
        """Let go; the last one restores what was."""
        global _holders, _awake, _turns
        with _lock:
            if self._ended:
                return
            self._ended = True
            _holders -= 1
            if _holders or _awake is None or _turns is None:
                return
            _awake.end()
            _turns.end()
            _awake = _turns = None


@contextmanager
def cared_for(say: Say = log.info) -> Iterator[None]:
    """Hold the care while the block runs."""
    care = Care(say)
    try:
        yield
    finally:
        care.end()


def _say_once(say: Say, sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        say(sentence)
