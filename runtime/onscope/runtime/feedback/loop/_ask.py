"""Results on their way to the rules, one at a time; and the proposals that come back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..._clock import now_ns
from ..._frame import Frame, Pixels
from ..._result import Result
from .._controller import Setting
from .._proposal import Proposal
from ..rules import seen_of
from ._rules import Answer, RulesEnd


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the rules are asked about: a result (without pixels once it was shown), and the setting of its frame."""

    number: int
    result: Result
    setting: Setting


MOST_REFUSED = 1000
Got = Callable[[Shown, Answer], object]


class Asker:
    """Asks the rules about the newest result; what comes while they think takes the place of what waits.

    `got` is called with each answer, in the rules' thread.
    """

    def __init__(self, got: Got) -> None:
        self.skipped = 0
        self.rules: RulesEnd | None = None
        self._got = got
        self._lock = threading.Lock()
        self._asked: Shown | None = None
        self._asked_ns = 0
        self._waiting: Shown | None = None
        self._refused: deque[Proposal] = deque(maxlen=MOST_REFUSED)

    @property
    def asked_ns(self) -> int:
        """Since when an answer is waited for; 0: none is."""
        return self._asked_ns

    @property
    def idle(self) -> bool:
        with self._lock:
            return self._asked is None and self._waiting is None

    def offer(self, shown: Shown) -> None:
        """Ask now, or when they have answered what they were asked before."""
        with self._lock:
            if self._asked is not None:
                self.skipped += self._waiting is not None
                self._waiting = shown
                return
            self._asked, self._asked_ns = shown, now_ns()
        self._ask(shown)

    def answered(self, answer: Answer) -> None:
        """What they say; called in the rules' thread."""
        with self._lock:
            shown = self._asked
        if shown is None or shown.number != answer.number:
            return
        try:
            self._got(shown, answer)
        finally:
            with self._lock:
                following = self._waiting
                self._asked, self._waiting = following, None
                self._asked_ns = 0 if following is None else now_ns()
            if following is not None:
                self._ask(following)

    def refused(self, proposal: Proposal) -> None:
        """One of theirs did not pass: they are told with the next result."""
        self._refused.append(proposal)

    def forget(self) -> None:
        """The rules have ended: nothing is waited for."""
        with self._lock:
            self._asked = self._waiting = None
            self._asked_ns = 0

    def _ask(self, shown: Shown) -> None:
        rules = self.rules
        try:
            if rules is None:
                raise OSError("no rules")
            seen = seen_of(shown.result, shown.number, now_ns(), rules.needs)
            with self._lock:
                if self._asked is shown:  # the slots of its frames need not wait for the rules
                    self._asked = replace(shown, result=slim(shown.result))
            refused = [self._refused.popleft() for _ in range(len(self._refused))]
            rules.ask(seen, refused)
        except OSError:  # they have ended, which is told where they are listened to
            self.forget()


def bare(frame: Frame) -> Frame:
    """A frame that holds no memory: its pixels are zeros that take no room, of the same shape and type."""
    return replace(frame, pixels=_nothing(frame.pixels.shape, frame.pixels.dtype.str))


def slim(result: Result) -> Result:
    """A result whose frames hold no memory, nor slots of the live path."""
    bared = {id(frame): bare(frame) for frame in result.frames}
    return replace(result, frames=tuple(bared[id(frame)] for frame in result.frames))


@cache
def _nothing(shape: tuple[int, ...], dtype: str) -> Pixels:
    return np.broadcast_to(np.zeros((), dtype), shape)
