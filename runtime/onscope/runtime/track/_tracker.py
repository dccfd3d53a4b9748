"""The online tracker: objects of one frame in, a row of their tracks each out, nothing looked up later."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from ._assign import assign
from ._columns import TRACK, Detections, read_detections
from ._costs import Pairs, links
from ._divide import divisions
from ._motion import alive_dtype, begin, follow, predict
from ._settings import TrackSettings

Table = np.ndarray[Any, np.dtype[Any]]
Indices = npt.NDArray[np.intp]


class Tracker:
    """Links objects frame by frame. One thread at a time.

    In each frame the tracks that were seen in the last one are linked to its objects, all together at the least cost.
    What is left of the objects goes to tracks that are missing for up to `gap` frames, or becomes a daughter beside a
    track that goes on: such a mother's track ends, and both daughters begin, with its id as their parent. All others
    begin tracks. What was said of a frame is never changed later.

    The same frames in the same order give the same bits; neither the order of the rows nor anything far away counts.
    Ids rise from `first` on and are never given twice. What is kept are the tracks that may go on: at most the objects
    of `gap` + 1 frames.
    """

    def __init__(self, settings: TrackSettings, first: int = 1) -> None:
        self.settings = settings
        self.next_track = first
        """The id that the next new track gets; may be raised, where several trackers share their ids."""
        self._alive: Table | None = None
        self._last: int | None = None

    def reset(self) -> None:
        """Forget all tracks; ids go on from where they were, frames may be numbered anew."""
        self._alive = self._last = None

    @property
    def memory(self) -> tuple[Table | None, int | None]:
        """The tracks that may go on, and the number of the last frame; `remember` goes on from there."""
        return self._alive, self._last

    def remember(self, alive: Table | None, last: int | None) -> None:
        """Go on from the `memory` of another tracker with the same settings."""
        self._alive, self._last = alive, last

    def update(self, number: int, objects: Table, pixel_size_um: float | None = None) -> Table:
        """The tracks of the objects of one frame: a row for each of theirs, with the columns TRACK.

        `objects` is a structured array with y and x in pixels, and where they are known `area`, `touches_border`,
        `intensity_*` and `appearance_*`. `number` counts frames; in those between the last one and this all objects
        were missing. Raises PipelineError for a number that does not rise, a place that is no
        number, and columns or a pixel size that are missing; the tracker is then as it was.
        """
        if self._last is not None and number <= self._last:
            raise PipelineError(
                f"found frame {number} after frame {self._last}, expected rising numbers: reset() the tracker"
            )
        found = read_detections(objects, self.settings)
        largest, reach = self.settings.distances(pixel_size_um)
        alive = self._still_alive(number, found.appearance.shape[1])
        expected = predict(alive, number, self.settings)
        one = _Frame(expected, found, number, self.settings)
        current = np.flatnonzero(expected["last"] == self._last) if self._last is not None else np.zeros(0, np.intp)
        one.link(current, largest)
        lost = np.setdiff1d(np.arange(len(alive)), current)
        one.link_and_divide(lost, reach if self.settings.divisions else None, largest)
        answer = self._conclude(one, alive, largest)
        self._last = number
        return answer

    def _still_alive(self, number: int, looks: int) -> Table:
        if self._alive is None:
            return np.zeros(0, alive_dtype(looks))
        if self._alive.dtype != alive_dtype(looks):
            raise PipelineError(
                f"found objects with {looks} appearance columns after others, expected the same: reset() the tracker"
            )
        return self._alive[number - self._alive["last"] <= self.settings.gap + 1]

    def _conclude(self, one: _Frame, alive: Table, largest: float) -> Table:
        """The rows of the answer, and the tracks that are kept."""
        found, number = one.found, one.number
        goes_on = np.flatnonzero((one.track >= 0) & (one.mother < 0))
        fresh = np.flatnonzero((one.track < 0) | (one.mother >= 0))
        before = one.track[goes_on]
        seen = follow(one.expected[before], found, goes_on, number, self.settings)
        born = begin(found, fresh, number, largest, self.settings)
        born["track"] = self.next_track + np.arange(len(fresh))
        born["first_frame"] = self._last is None
        told = np.zeros(len(found), TRACK)
        told["y"], told["x"] = found.places.T
        told["row"] = found.order
        told["track"][goes_on], told["track"][fresh] = seen["track"], born["track"]
        daughters = np.flatnonzero(one.mother >= 0)
        told["parent"][daughters] = alive["track"][one.mother[daughters]]
        told["age"][goes_on] = number - seen["began"]
        told["vy"][goes_on], told["vx"][goes_on] = seen["vy"], seen["vx"]
        told["missed"][goes_on] = number - alive["last"][before] - 1
        waits = np.setdiff1d(np.arange(len(alive)), np.concatenate([one.track, one.mother]))
        waits = waits[number - alive["last"][waits] <= self.settings.gap]
        kept = np.concatenate([alive[waits], seen, born])
        self._alive = kept[np.argsort(kept["track"], kind="stable")]
        self.next_track += len(fresh)
        answer = np.empty_like(told)
        answer[found.order] = told
        return answer


class _Frame:
    """One frame while its objects are linked: of each object the track and the mother, as rows of `expected`, or -1."""

    def __init__(self, expected: Table, found: Detections, number: int, settings: TrackSettings) -> None:
        self.expected, self.found, self.number, self.settings = expected, found, number, settings
        self.track = np.full(len(found), -1, dtype=np.intp)
        self.mother = np.full(len(found), -1, dtype=np.intp)

    @property
    def _free(self) -> Indices:
        return np.flatnonzero((self.track < 0) & (self.mother < 0))

    def link(self, tracks: Indices, largest: float) -> None:
        """Link some tracks to the objects that are free."""
        self._take(self._links(tracks, largest), None)

    def link_and_divide(self, lost: Indices, reach: float | None, largest: float) -> None:
        """Link tracks that were missing, and let those that go on divide: both for the same objects, at once."""
        if reach is None:
            return self.link(lost, largest)
        self._take(self._links(lost, largest), self._divisions(reach))
        again = self._divisions(reach)  # of those that were missing until now
        return self._take(None, again)

    def _links(self, tracks: Indices, largest: float) -> Pairs:
        """Rows of `expected` and of the objects."""
        free = self._free
        pairs = links(self.expected[tracks], self.number, largest, self.found.only(free), self.settings)
        return Pairs(tracks[pairs.tracks], free[pairs.objects], pairs.costs)

    def _divisions(self, reach: float) -> Pairs:
        one = np.flatnonzero((self.track >= 0) & (self.mother < 0))
        free, mothers = self._free, self.track[one]
        pairs = divisions(self.expected[mothers], one, free, self.number, reach, self.found, self.settings)
        return Pairs(mothers[pairs.tracks], free[pairs.objects], pairs.costs)

    def _take(self, going_on: Pairs | None, dividing: Pairs | None) -> None:
        """The cheapest of the links and divisions together; an object can be in one of them alone."""
        parts = [pairs for pairs in (going_on, dividing) if pairs is not None]
        tracks = np.concatenate([pairs.tracks for pairs in parts])
        objects = np.concatenate([pairs.objects for pairs in parts])
        costs = np.concatenate([pairs.costs for pairs in parts])
        linked = assign(tracks, objects, costs, 2 * self.settings.unlinked_cost)
        links_first = 0 if going_on is None else len(going_on.tracks)
        plain, split = linked[linked < links_first], linked[linked >= links_first]
        self.track[objects[plain]] = tracks[plain]
        if len(split):
            sister = np.full(len(self.expected), -1, dtype=np.intp)
            known = np.flatnonzero((self.track >= 0) & (self.mother < 0))
            sister[self.track[known]] = known
            self.mother[objects[split]] = tracks[split]
            self.mother[sister[tracks[split]]] = tracks[split]
