"""No other proposal for a while: of a rule, at a position, for an object."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
import numpy.typing as npt

from ..._frame import FrameId
from ._objects import Objects
from ._texts import NEVER_NS, Cooldown

MOST = 4096
"""Positions that are remembered, and proposals that may still turn out to be refused."""
RETRY_NS = 1_000_000_000


class Begun:
    """Cooldowns that began with a proposal, which is refused perhaps: then it may be asked for again after a second, or
    after the cooldown, where that is shorter."""

    def __init__(self) -> None:
        self._begun: OrderedDict[tuple[FrameId, int], tuple[int, Callable[[], None]]] = OrderedDict()

    def note(self, frame: FrameId, track: int, proposals: int, undo: Callable[[], None]) -> None:
        """So many proposals were made of a frame for a track (0: for none); `undo` shortens their cooldown."""
        self._begun[frame, track] = proposals, undo
        if len(self._begun) > MOST:
            self._begun.popitem(last=False)

    def refused(self, frame: FrameId, track: int) -> None:
        """One of them was refused; when all are, the cooldown is shortened."""
        left, undo = self._begun.pop((frame, track), (0, None))
        if left > 1 and undo is not None:
            self._begun[frame, track] = left - 1, undo
        elif undo is not None:
            undo()


class Cooldowns:
    """Of one rule. Objects' are kept where all is kept that is known of them; of those without a track nothing is, and
    nothing is ever asked for them."""

    def __init__(self, told: Cooldown | None, key: int) -> None:
        self._told, self._key = told, (key, "cooldown")
        self._until: OrderedDict[Hashable, int] = OrderedDict()

    @property
    def one_at_a_time(self) -> bool:
        """Whether several objects of one frame have one cooldown together."""
        return self._told is not None and self._told.scope != "object"

    def ready(self, position: Hashable, objects: Objects | None, ns: int) -> npt.NDArray[np.bool_]:
        """Of each object, or of the frame: whether something may be asked for."""
        if self._told is None:
            return np.asarray(True)
        if self._told.scope == "object" and objects is not None:
            told: npt.NDArray[np.bool_] = (objects.recall(self._key, 0, np.int64) <= ns) & (objects.track > 0)
            return told
        return np.asarray(self._until.get(self._place(position), 0) <= ns)

    def begin(
        self, position: Hashable, objects: Objects | None, rows: npt.NDArray[np.intp], ns: int
    ) -> Callable[[], None]:
        """Something was asked for, for the objects in some rows; the answer shortens the cooldown to a second."""
        if self._told is None:
            return _nothing
        until, soon = min(ns + self._told.ns, NEVER_NS), ns + min(self._told.ns, RETRY_NS)
        if self._told.scope == "object" and objects is not None and objects.roster is not None:
            roster = objects.roster
            identities = roster.column("identity", 0)[objects.slots[rows]]
            values = objects.recall(self._key, 0, np.int64)
            values[rows] = until
            objects.keep(self._key, 0, values)
            return lambda: roster.put(identities, self._key, soon)
        place = self._place(position)
        self._put(place, until)
        return lambda: self._put(place, soon)

    def _put(self, place: Hashable, until: int) -> None:
        self._until[place] = until
        self._until.move_to_end(place)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def _place(self, position: Hashable) -> Hashable:
        return position if self._told is not None and self._told.scope == "position" else ()


def _nothing() -> None:
    """No cooldown has begun."""
