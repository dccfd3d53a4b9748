"""What rules look at: one result, and what is remembered of its spot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from .._controller import Setting
from .._proposal import Seen
from ..aim import STRAIGHT, AimSettings, FramePlace
from ._objects import Objects
from ._region_model import RegionModel
from ._roster import Roster, Totals, Tracked
from ._spot import Spot
from ._tables import Tables

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Known:
    """What a book knows beside results: `links` between stages, `regions` by name, how pixels lie to the stage."""

    links: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, RegionModel] = field(default_factory=dict)
    aim: AimSettings = STRAIGHT
    same_within_um: float = 5.0
    lost_after: int = 3
    totals: dict[str, Totals] = field(default_factory=dict)


class Look:
    """One result, taken in once, for all rules."""

    def __init__(self, seen: Seen, spot: Spot, known: Known) -> None:
        self.seen, self.spot, self.known = seen, spot, known
        self.tables = Tables(seen, known.links)
        self._place = _place(seen, known.aim)
        self._taken: set[str] = set()
        self._objects: dict[tuple[str, str | None, bool], Objects] = {}

    @property
    def ns(self) -> int:
        """The time that cooldowns count in: that of the frame, so that a replay decides as the experiment did."""
        return self.seen.frame.received_ns

    def number(self, name: str) -> float:
        """A number by its name; NaN where this result does not have it."""
        told = self.seen.numbers.get(name)
        if told is None:
            told = self._trust(name) if name.count(".") else None
        if told is None:
            told = self._frame(name)
        return math.nan if told is None else float(told)

    def _trust(self, name: str) -> float | None:
        stage, _, value = name.partition(".")
        if value == "suspect" and stage in self.seen.trust:
            return float(bool(self.seen.suspect.get(stage)))
        return self.seen.trust.get(stage, {}).get(value.replace("_", " "), self.seen.trust.get(stage, {}).get(value))

    def _frame(self, name: str) -> float | None:
        frame = self.seen.frame
        x_um, y_um, z_um = frame.stage_um or (None, None, None)
        told = {"frame.x_um": x_um, "frame.y_um": y_um, "frame.z_um": z_um, "frame.exposure_ms": frame.exposure_ms}
        return told.get(name)

    def objects(self, stage: str, tracks: str | None = None, gone: bool = False) -> Objects:
        """The objects of a stage, tracked by `tracks` (None: by what tracks them, if something does)."""
        tracks = tracks if tracks is not None else self.tables.tracked(stage)
        key = stage, tracks, gone
        if key not in self._objects:
            roster = None if tracks is None else self.roster(tracks)
            self._objects[key] = Objects(self.tables, stage, roster, tracks, self.on_stage(stage), gone)
        return self._objects[key]

    def roster(self, tracks: str) -> Roster:
        """Who is who among the objects that a stage tracks; brought up to date at its first use in a result."""
        if tracks not in self.spot.rosters:
            totals = self.known.totals.setdefault(tracks, Totals())
            self.spot.rosters[tracks] = Roster(self.known.same_within_um, self.known.lost_after, totals)
        roster: Roster = self.spot.rosters[tracks]
        if tracks not in self._taken:
            self._taken.add(tracks)
            table = self.tables[tracks]
            if not {"track", "parent"} <= set(self.tables.names(tracks)):
                raise RuleError(f"found no tracks in the stage {tracks!r}, expected the columns track and parent")
            y_um, x_um = self.on_stage(tracks)
            track, parent = np.asarray(table["track"], np.int64), np.asarray(table["parent"], np.int64)
            roster.update(Tracked(track, parent, y_um, x_um, self.spot.frames, self.ns, self.spot.began_anew))
        return roster

    def on_stage(self, stage: str) -> tuple[Floats, Floats]:
        """y and x of a stage's objects in micrometres of the microscope's stage; NaN where that is not known."""
        y, x = self.tables.places(stage)
        if self._place is None:
            return np.full(len(y), np.nan), np.full(len(x), np.nan)
        height, width = self.seen.shape
        middle_x, middle_y = self._place.middle
        dx, dy = self.known.aim.on_stage(y - (height - 1) / 2, x - (width - 1) / 2, self._place.pixel_um)
        return middle_y + dy, middle_x + dx


def _place(seen: Seen, settings: AimSettings) -> FramePlace | None:
    try:
        return FramePlace.of(seen.frame, Setting(shape=seen.shape), settings)
    except RuleError:
        return None
