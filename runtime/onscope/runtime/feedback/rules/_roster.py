"""Who is who at one spot: tracked objects, the same through gaps and through tracks that begin anew."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
MOST_GONE = 4096
"""Objects that are no longer there and remembered all the same; beyond it the ones gone longest are forgotten."""
FIRST = 256


@dataclass(slots=True)
class Totals:
    """Since the start, at all spots of one stage."""

    divisions: int = 0
    new_tracks: int = 0
    lost_tracks: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """What a tracker said of one result: of each row its `track` (0: none) and `parent`, and its place on the stage
    (`x_um`, `y_um`; NaN: not known). `frame` and `ns` count frames at the spot, and time."""

    track: Integers
    parent: Integers
    y_um: Floats
    x_um: Floats
    frame: int
    ns: int
    began_anew: bool


class Roster:
    """Objects have a slot each, for as long as they are remembered; columns hold what is known by slot.

    A track that begins anew with all others (the stage has moved, say) goes on as the object that stood nearest to
    its place on the stage, if it is within `same_within_um` and no other track is nearer to that one. The last slot is
    nobody's: rows without a track have it, and it is empty for each result.
    """

    def __init__(self, same_within_um: float, lost_after: int, totals: Totals) -> None:
        self._within, self._lost_after, self._totals = same_within_um, lost_after, totals
        self.results = self.frame = 0
        self._identities = 0
        self._columns: dict[Hashable, tuple[Array, Any]] = {}
        self._size = FIRST
        for name in ("track", "identity", "first", "seen"):
            self.column(name, 0, np.int64)
        for name in ("x_um", "y_um", "x0_um", "y0_um", "speed_um_s", "travelled_um"):
            self.column(name, np.nan)
        self.column("ns", 0, np.int64)
        for name in ("new", "divided", "away"):
            self.column(name, False, np.bool_)
        self.slots: Integers = np.zeros(0, np.int64)
        """Of each row of the last result."""

    def __len__(self) -> int:
        return int(np.count_nonzero(self.column("track", 0)[:-1]))

    def column(self, name: Hashable, fill: Any, dtype: Any = np.float64, tail: tuple[int, ...] = ()) -> Array:
        """A column by slot, with `fill` in those that nobody has; to be read and written until the next `update`."""
        if name not in self._columns:
            self._columns[name] = np.full((self._size + 1, *tail), fill, dtype), fill
        return self._columns[name][0]

    def update(self, told: Tracked) -> None:
        """Take a result in."""
        first = self.results == 0
        self.results, self.frame = self.results + 1, told.frame
        self._clear(np.array([self._size]))
        self.column("new", False)[:] = False
        self.slots = self._find(told.track)
        fresh = (self.slots < 0) & (told.track > 0)
        if told.began_anew and not first:
            self._again(told, fresh)
            fresh = (self.slots < 0) & (told.track > 0)
            here = np.zeros(self._size + 1, bool)
            here[self.slots[self.slots >= 0]] = True
            self.column("away", False)[~here] = True
        self._begin(told, fresh, not first and not told.began_anew)
        self.slots[self.slots < 0] = self._size
        self._follow(told)
        self._count(told, fresh, first or told.began_anew)
        self._forget()

    def gone(self) -> Integers:
        """Slots of objects that are not there in this result."""
        seen, track = self.column("seen", 0), self.column("track", 0)
        return np.flatnonzero((track[:-1] > 0) & (seen[:-1] != self.results))

    def lost(self, slots: Integers) -> npt.NDArray[np.bool_]:
        """Which of them were lost just now: for the first time missing so long that they count as lost."""
        since = self.results - self.column("seen", 0)[slots]
        told: npt.NDArray[np.bool_] = (since == self._lost_after) & ~self._excused(slots)
        return told

    def still(self, identity: int) -> int:
        """The slot of an object that is not lost; -1: it is."""
        found = np.flatnonzero(self.column("identity", 0)[:-1] == identity)
        if not identity or not len(found) or self.results - self.column("seen", 0)[found[0]] >= self._lost_after:
            return -1
        return -1 if self.column("divided", False)[found[0]] else int(found[0])

    def put(self, identities: Integers, name: Hashable, value: Any) -> None:
        """Write a value into a column, for the objects that are still remembered."""
        slots = np.flatnonzero(np.isin(self.column("identity", 0)[:-1], identities[identities > 0]))
        self.column(name, 0)[slots] = value

    def _excused(self, slots: Integers) -> npt.NDArray[np.bool_]:
        told: npt.NDArray[np.bool_] = self.column("divided", False)[slots] | self.column("away", False)[slots]
        return told

    def _find(self, track: Integers) -> Integers:
        known = self.column("track", 0)[:-1]
        used = np.flatnonzero(known)
        used = used[np.argsort(known[used], kind="stable")]
        if not len(used):
            return np.full(len(track), -1, np.int64)
        at = np.minimum(np.searchsorted(known[used], track), len(used) - 1)
        return np.where((known[used][at] == track) & (track > 0), used[at], -1).astype(np.int64)

    def _again(self, told: Tracked, fresh: npt.NDArray[np.bool_]) -> None:
        """Objects that were there before go on in tracks that begin anew."""
        from scipy.spatial import KDTree

        rows = np.flatnonzero(fresh & np.isfinite(told.x_um) & np.isfinite(told.y_um))
        rows = rows[np.sort(np.unique(told.track[rows], return_index=True)[1])]
        x_um, y_um = self.column("x_um", np.nan), self.column("y_um", np.nan)
        taken = np.zeros(self._size + 1, bool)
        taken[self.slots[self.slots >= 0]] = True
        slots = np.flatnonzero(
            (self.column("track", 0) > 0) & ~taken & np.isfinite(x_um) & ~self.column("divided", False)
        )
        if not len(rows) or not len(slots):
            return
        now = np.stack([told.x_um[rows], told.y_um[rows]], axis=1)
        before = np.stack([x_um[slots], y_um[slots]], axis=1)
        distance, nearest = KDTree(before).query(now, distance_upper_bound=self._within)
        near = np.isfinite(distance)
        back = KDTree(now).query(before)[1]
        mutual = np.flatnonzero(near)
        mutual = mutual[back[nearest[mutual]] == mutual]
        self.slots[rows[mutual]] = slots[nearest[mutual]]
        self.column("track", 0)[slots[nearest[mutual]]] = told.track[rows[mutual]]

    def _begin(self, told: Tracked, fresh: npt.NDArray[np.bool_], new: bool) -> None:
        rows = np.flatnonzero(fresh)
        tracks, at, each = np.unique(told.track[rows], return_index=True, return_inverse=True)
        self._grow(len(tracks))
        free = np.flatnonzero(self.column("track", 0)[:-1] == 0)[: len(tracks)]
        first = rows[at]
        self.column("track", 0)[free] = tracks
        self.column("identity", 0)[free] = self._identities + 1 + np.arange(len(tracks))
        self._identities += len(tracks)
        self.column("first", 0)[free] = told.frame
        self.column("new", False)[free] = new
        for name, values in (("x", told.x_um), ("y", told.y_um)):
            self.column(f"{name}_um", np.nan)[free] = self.column(f"{name}0_um", np.nan)[free] = values[first]
        self.column("travelled_um", np.nan)[free] = np.where(
            np.isfinite(told.x_um[first] + told.y_um[first]), 0, np.nan
        )
        self.slots[rows] = free[each.ravel()]

    def _follow(self, told: Tracked) -> None:
        slots = self.slots
        x_um, y_um, ns = self.column("x_um", np.nan), self.column("y_um", np.nan), self.column("ns", 0)
        with np.errstate(invalid="ignore", over="ignore"):
            way = np.hypot(told.x_um - x_um[slots], told.y_um - y_um[slots])
        before = ns[slots]
        seconds = np.where((before > 0) & (told.ns > before), (told.ns - before) / 1e9, np.nan)
        self.column("speed_um_s", np.nan)[slots] = way / seconds
        self.column("travelled_um", np.nan)[slots] += way
        x_um[slots], y_um[slots], ns[slots] = told.x_um, told.y_um, told.ns
        self.column("seen", 0)[slots] = self.results
        self.column("away", False)[slots] = False

    def _count(self, told: Tracked, fresh: npt.NDArray[np.bool_], first: bool) -> None:
        mothers = np.unique(told.parent[fresh & (told.parent > 0)])
        slots = self._find(mothers)
        self.column("divided", False)[slots[slots >= 0]] = True
        self._totals.divisions += len(mothers)
        self._totals.new_tracks += 0 if first else len(np.unique(told.track[fresh]))
        self._totals.lost_tracks += int(self.lost(self.gone()).sum())

    def _forget(self) -> None:
        gone = self.gone()
        if len(gone) > MOST_GONE:
            longest = np.argsort(self.column("seen", 0)[gone], kind="stable")[: len(gone) - MOST_GONE]
            self._clear(gone[longest])

    def _clear(self, slots: Array) -> None:
        for values, fill in self._columns.values():
            values[slots] = fill

    def _grow(self, more: int) -> None:
        needed = len(self) + more
        if needed <= self._size:
            return
        size = self._size
        while size < needed:
            size *= 2
        for name, (values, fill) in self._columns.items():
            larger = np.full((size + 1, *values.shape[1:]), fill, values.dtype)
            larger[: self._size] = values[: self._size]
            self._columns[name] = larger, fill
        self._size = size
