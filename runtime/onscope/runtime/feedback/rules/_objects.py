"""The objects that one rule looks at in one result, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ._roster import Roster
from ._tables import Tables

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
TRACKED: Mapping[str, str] = {
    "track": "its number",
    "age_frames": "frames since it was seen first",
    "gone_frames": "results in a row in which it is missing; 0: it is there",
    "speed_um_s": "of the stage's micrometres, since it was seen before",
    "travelled_um": "all its ways together",
    "displaced_um": "straight from where it was seen first",
    "new": "whether it was never seen before, though its place was looked at",
    "daughter": "whether it is one of two that another has divided into just now",
    "lost": "whether it is missing for so long just now that it counts as lost",
}
"""What is known of tracked objects beside the columns of tables."""
OWN: Mapping[str, str] = {
    **TRACKED,
    "from_middle_px": "from the frame's middle, pixels",
    "stage_x_um": "where it is on the stage",
    "stage_y_um": "where it is on the stage",
}
"""What is known of objects beside the columns of tables."""
GONE = ("gone_frames", "lost")
"""What also those have that are no longer there."""


class Objects:
    """The rows of the table `stage`, and where `gone` behind them the tracked objects that are not there.

    `x_um`, `y_um`: of the rows, on the stage.
    """

    def __init__(
        self,
        tables: Tables,
        stage: str,
        roster: Roster | None,
        tracks: str | None,
        um: tuple[Floats, Floats],
        gone: bool,
    ) -> None:
        self.tables, self.stage, self.roster = tables, stage, roster
        self.here = len(tables[stage])
        self._gone: Integers = roster.gone() if gone and roster is not None else np.zeros(0, np.int64)
        self.slots: Integers = np.zeros(0, np.int64)
        self.parent: Integers = np.zeros(self.here, np.int64)
        track: Integers = np.zeros(self.here, np.int64)
        if roster is not None and tracks is not None:
            at = tables.aligned(tracks, stage)
            nobody = len(roster.column("track", 0)) - 1
            self.slots = np.where(at >= 0, np.append(roster.slots, nobody)[at], nobody)
            self.slots = np.concatenate([self.slots, self._gone])
            track = roster.column("track", 0)[self.slots[: self.here]]
            if "parent" in tables.names(tracks):
                self.parent = np.nan_to_num(tables.column(tracks, "parent", stage)).astype(np.int64)
        y, x = tables.places(stage)
        self.y, self.x = self._with(y), self._with(x)
        self.y_um, self.x_um = self._with(um[0]), self._with(um[1])
        self.label = self._with(tables.labels(stage).astype(np.float64), 0.0).astype(np.int64)
        self.track: Integers = (
            track if roster is None else np.concatenate([track, roster.column("track", 0)[self._gone]])
        )
        shape = tables.seen.shape
        self._from_middle = np.hypot(self.y - (shape[0] - 1) / 2, self.x - (shape[1] - 1) / 2)

    def __len__(self) -> int:
        return self.here + len(self._gone)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which of them are there."""
        return np.arange(len(self)) < self.here

    def recall(self, name: Hashable, fill: Any, dtype: Any = np.float64, tail: tuple[int, ...] = ()) -> Array:
        """What is remembered of each under a name, a copy."""
        return self._known().column(name, fill, dtype, tail)[self.slots]

    def keep(self, name: Hashable, fill: Any, values: Array) -> None:
        """Remember it, of those that have a track."""
        column = self._known().column(name, fill, values.dtype, values.shape[1:])
        known = self.track > 0
        column[self.slots[known]] = values[known]

    def value(self, name: str) -> Floats | None:
        """What is known of each by a name: a column, or one of OWN; None: there is nothing of that name here."""
        if name == "track" and self.roster is not None:
            return np.where(self.track > 0, self.track, np.nan)
        if name in self.tables.names(self.stage):
            return self._with(self.tables.column(self.stage, name, self.stage))
        if name in OWN:
            return self._own(name)
        stage, _, column = name.partition(".")
        if column and stage in self.tables:
            return self._with(self.tables.column(stage, column, self.stage))
        return None

    def _own(self, name: str) -> Floats:
        if name == "from_middle_px":
            return self._from_middle
        if name in ("stage_x_um", "stage_y_um"):
            return self.x_um if name == "stage_x_um" else self.y_um
        roster = self._known(name)
        told = roster.column
        if name == "gone_frames":
            values = (roster.results - told("seen", 0)[self.slots]).astype(np.float64)
        elif name == "lost":
            values = roster.lost(self.slots).astype(np.float64)
        elif name == "age_frames":
            values = (roster.frame - told("first", 0)[self.slots]).astype(np.float64)
        elif name == "displaced_um":
            dx = told("x_um", np.nan) - told("x0_um", np.nan)
            dy = told("y_um", np.nan) - told("y0_um", np.nan)
            values = np.hypot(dx, dy)[self.slots]
        elif name == "daughter":
            values = np.append(self.parent > 0, np.zeros(len(self._gone), bool)).astype(np.float64)
        else:
            values = told(name, np.nan)[self.slots].astype(np.float64)
        known = self.track > 0 if name in GONE else (self.track > 0) & self.present
        return np.where(known, values, np.nan)

    def _known(self, name: str = "what was before") -> Roster:
        if self.roster is None:
            raise RuleError(
                f"found no tracks of the objects of {self.stage!r}, expected them for {name}: add a stage that tracks"
            )
        return self.roster

    def _with(self, values: Floats, fill: float = np.nan) -> Floats:
        """The same with `fill` for those that are gone."""
        return np.append(values, np.full(len(self._gone), fill)) if len(self._gone) else values
