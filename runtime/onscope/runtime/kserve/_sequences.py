"""Sequences: what a server remembers of a recurrent network, one for each memory that is held here."""

from __future__ import annotations

import secrets
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._errors import ProviderError
from ..engines import Stayed, TensorSpec
from ._window import Remembered

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Step:
    """A window's place in a sequence: its first, its last, or on the way."""

    number: int
    begins: bool
    ends: bool = False


class Sequences:
    """The sequences of one session. A server keeps each until it is told that it ends, or long was not used."""

    def __init__(self) -> None:
        self._steps: dict[int, int] = {}
        self._dropped: deque[tuple[int, int]] = deque()

    def next(
        self, memories: Sequence[Array | Stayed], specs: Sequence[TensorSpec]
    ) -> tuple[Step, tuple[Remembered, ...]]:
        """The step of a window that goes on with these memories, and what it leaves (of `specs`; none: it is alone).

        Raises ProviderError for memories that the server has not.
        """
        first = memories[0]
        if isinstance(first, Remembered):
            if self._steps.get(first.number) != first.step:
                raise ProviderError("found a memory from before another window, expected the last: the server has that")
            number, begins = first.number, False
        else:
            if any(np.any(each) for each in memories if isinstance(each, np.ndarray)):
                raise ProviderError("found a memory that begins with numbers, expected zeros: the server begins it")
            number, begins = secrets.randbits(63) | 1, True
        if not specs:
            return Step(number, begins, ends=begins), ()
        step = self._steps[number] = 1 if begins else self._steps[number] + 1
        left = tuple(Remembered(number, step, spec) for spec in specs)
        weakref.finalize(left[0], self._dropped.append, (number, step)).atexit = False
        return Step(number, begins), left

    def failed(self, step: Step) -> None:
        """Nobody knows what the server has of it now."""
        self._steps.pop(step.number, None)

    def over(self) -> list[Step]:
        """Those that nobody here holds any more: the server may forget them."""
        ended = []
        while self._dropped:
            number, step = self._dropped.popleft()
            if self._steps.get(number) == step:  # else a later window has left a newer one
                del self._steps[number]
                ended.append(Step(number, False, ends=True))
        return ended
