"""The light budget under routine frames: once it is spent they are paused; where that does not help, made safe."""

from __future__ import annotations

from collections.abc import Callable

from ..._clock import now_ns
from ..._frame import Frame
from .._actions import Pause
from .._proposal import Proposal
from ._hold import Hold

PRIORITY = 1 << 30
"""Before all that rules may ask for."""


class Budget:
    """`lit` is called with every routine frame; `propose` has the pause proposed, judged as any other proposal."""

    def __init__(self, hold: Hold, patience_s: float, propose: Callable[[Proposal, Frame], object]) -> None:
        self._hold, self._patience_s, self._propose = hold, patience_s, propose
        self._spent_ns = 0

    def anew(self) -> None:
        """What was asked for in shadow mode counts for nothing: it is asked for again."""
        self._spent_ns = 0

    def lit(self, frame: Frame, spent: str) -> None:
        """The light of a frame was booked; `spent`: why routine imaging has to pause, in words (empty: it has not)."""
        now = now_ns()
        if not spent:
            self._spent_ns = 0
        elif not self._spent_ns:
            self._spent_ns = now
            pause = Proposal("light budget", Pause(), spent, frame.id, frame.received_ns, now, PRIORITY)
            self._propose(pause, frame)
        elif (now - self._spent_ns) / 1e9 > self._patience_s:
            self._hold.take(f"{spent}; and frames are taken on")
