"""Of several objects the one that a rule stays with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ._look import Look
from ._objects import Objects
from ._texts import Pick

Rows = npt.NDArray[np.intp]


class Choice:
    """`pick:` of one rule. At each spot one object is chosen and kept until it is lost; what it divides into is chosen
    from first then. Objects that nothing tracks are chosen anew in each frame."""

    def __init__(self, pick: Pick, key: int) -> None:
        self._pick, self._key = pick, (key, "picked")

    def of(self, holds: npt.NDArray[np.bool_], look: Look, objects: Objects) -> Rows:
        """Its row, if the condition holds for it; else none."""
        roster = objects.roster
        if roster is None:
            return self._best(np.flatnonzero(holds), objects)
        identity, track = look.spot.field.get(self._key, (0, 0))
        slot = roster.still(identity)
        if slot >= 0:
            look.spot.field[self._key] = identity, int(roster.column("track", 0)[slot])
            return np.flatnonzero((objects.slots == slot) & holds & objects.present)[:1]
        candidates = np.flatnonzero(holds & objects.present & (objects.track > 0))
        parents = objects.parent[candidates]
        daughters = candidates[(parents == track) & (track > 0)]
        chosen = self._best(daughters if len(daughters) else candidates, objects)
        if len(chosen):
            slot = int(objects.slots[chosen[0]])
            look.spot.field[self._key] = int(roster.column("identity", 0)[slot]), int(objects.track[chosen[0]])
        return chosen

    def _best(self, rows: Rows, objects: Objects) -> Rows:
        values = objects.value(self._pick.column)
        if values is None and "." not in self._pick.column and objects.tables.root(objects.stage) != objects.stage:
            values = objects.value(f"{objects.tables.root(objects.stage)}.{self._pick.column}")  # the area, of tracks
        if values is None:
            raise RuleError(
                f"found no column {self._pick.column!r} of {objects.stage!r}, expected it to pick by: name it "
                "as STAGE.COLUMN"
            )
        ordered = np.nan_to_num(self._pick.sign * values[rows], nan=-np.inf)
        return rows[np.argsort(-ordered, kind="stable")][:1]
