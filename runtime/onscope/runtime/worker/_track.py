"""`track`: the same objects from frame to frame, at each place by a tracker of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib import recfunctions

from .._errors import PipelineError
from .._frame import Pixels
from ..track import Tracker, TrackSettings
from ._hosted import HOST, Opening, Table

MOST_PLACES = 4096
"""Places remembered; tracks of the one seen longest ago end for one more."""
APPEARANCE = "appearance_"
BOX = ("y0", "x0", "y1", "x1")


class TrackStage:
    """Tracks the objects of one stage's table. Raises PipelineError for one that does not say where they are."""

    provider, graph = HOST, ""

    def __init__(self, opening: Opening) -> None:
        self.told: list[str] = []
        self.began_anew = False
        message = opening.message
        self._name, self._of = message["name"], message["reads"]
        settings = dict(message["settings"])
        self._appearance: str | None = settings.pop("appearance", None)
        self._settings = TrackSettings(**settings)
        self._size = opening.raw.pixel_size_um
        self._numbers = opening.numbers
        self._trackers: OrderedDict[int, Tracker] = OrderedDict()
        self._columns(opening)
        # Two frames of two objects, so that nothing is loaded when frames come.
        tables = {name: np.zeros(2, table.dtype) for name, table in opening.tables.items()}
        warm = Tracker(self._settings)
        for number in range(2):
            self._empty: Table = warm.update(number, self._objects(tables), self._size)[:0].copy()

    def empty(self) -> Table:
        return self._empty

    def run(
        self, window: Sequence[Pixels], answers: Mapping[str, Table], place: int | None, number: int, reset: bool
    ) -> Table:
        tracker = None if place is None or reset else self._trackers.pop(place, None)
        self.began_anew = tracker is None
        if tracker is None:
            tracker = Tracker(self._settings)
        tracker.next_track = self._numbers.of(self._name)
        try:
            tracks = tracker.update(number, self._objects(answers), self._size)
        except ValueError as error:
            raise PipelineError(f"objects of {self._of!r} cannot be tracked: {error}") from error
        self._numbers.raise_to({self._name: tracker.next_track})
        if place is not None:
            self._trackers[place] = tracker
            if len(self._trackers) > MOST_PLACES:
                self._trackers.popitem(last=False)
        return tracks

    def forget(self, place: int | None) -> None:
        """The tracks of a place that failed in the middle have ended; a frame that failed before is a gap in them."""
        # `run` has taken the tracker out while it works, and only puts back one that is whole.

    def known(self) -> tuple[list[list[int | None]], list[Table | None]]:
        """What is remembered: of each place its number and that of its last frame, and its tracks."""
        told: list[list[int | None]] = [[place, each.memory[1]] for place, each in self._trackers.items()]
        return told, [each.memory[0] for each in self._trackers.values()]

    def take(self, told: Sequence[Sequence[int | None]], alive: Sequence[Table | None]) -> None:
        """Remember what another one has told by `known`, and nothing else."""
        self._trackers.clear()
        for (place, last), tracks in zip(told, alive, strict=True):
            tracker = Tracker(self._settings)
            tracker.remember(tracks, last)
            self._trackers[int(place or 0)] = tracker

    def _columns(self, opening: Opening) -> None:
        names = opening.tables[self._of].dtype.names or ()
        if not ({"y", "x"} <= set(names) or set(BOX) <= set(names)):
            raise PipelineError(
                f"found the columns {', '.join(names)} of the stage {self._of!r} for {self._name!r}, expected y and x: "
                "track a table that says where objects are"
            )
        if self._appearance is not None:
            looks = opening.tables[self._appearance].dtype.names or ()
            if not any(name.startswith(APPEARANCE) for name in looks):
                raise PipelineError(
                    f"found the columns {', '.join(looks)} of the stage {self._appearance!r}, expected some that begin "
                    f"with {APPEARANCE}: its package must answer with a vector for each object"
                )

    def _objects(self, answers: Mapping[str, Table]) -> Table:
        """The table that is tracked, with y and x, and with the columns of appearance."""
        table = answers[self._of]
        names = table.dtype.names or ()
        more: dict[str, Table] = {}
        if not {"y", "x"} <= set(names):  # boxes: their end is not in them
            more |= {axis: (table[f"{axis}0"] + table[f"{axis}1"] - 1) / 2 for axis in "yx"}
        if self._appearance is not None:
            looks = answers[self._appearance]
            if len(looks) != len(table):
                raise PipelineError(
                    f"found {len(looks)} rows of {self._appearance!r} for {len(table)} of {self._of!r}, expected one "
                    "for each: let it read the same stage"
                )
            more |= {name: looks[name] for name in looks.dtype.names or () if name.startswith(APPEARANCE)}
        if not more:
            return table
        whole: Table = recfunctions.append_fields(table, list(more), list(more.values()), usemask=False)
        return whole
