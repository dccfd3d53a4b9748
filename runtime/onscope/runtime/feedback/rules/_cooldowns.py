"""No other proposal for a while: of a rule, at a position, for an object."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from ._objects import Objects
from ._texts import NEVER_NS, Cooldown

MOST = 4096
"""Positions that are remembered."""


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

    def begin(self, position: Hashable, objects: Objects | None, rows: npt.NDArray[np.intp], ns: int) -> None:
        """Something was asked for, for the objects in some rows."""
        if self._told is None:
            return
        until = min(ns + self._told.ns, NEVER_NS)
        if self._told.scope == "object" and objects is not None:
            values = objects.recall(self._key, 0, np.int64)
            values[rows] = until
            objects.keep(self._key, 0, values)
            return
        place = self._place(position)
        self._until[place] = until
        self._until.move_to_end(place)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def _place(self, position: Hashable) -> Hashable:
        return position if self._told is not None and self._told.scope == "position" else ()
