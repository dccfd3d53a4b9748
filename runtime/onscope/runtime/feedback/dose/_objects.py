"""Doses of tracked objects: each is given what falls on the place where it was seen last.

An object that is new begins with the highest of what its place was given and of what objects were given that have just
been lost near it: a daughter with its mother's dose, a track with the dose of the one that it continues, and after a
restart those of the run before.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ._light import Lit, Pattern, Square

NEAR_UM = 20.0
"""How far from a lost object a new one may be to be taken for it."""
MOST = 20_000
"""Objects that are kept; of those that were lost, the ones lost first are dropped."""

Floats = npt.NDArray[np.float64]


class Objects:
    """Columns of objects: `key` (from 1 on, never given twice in a file), `y`, `x` (um of the stage), `dose` (J/cm2).

    `radius_um` of an object: light that comes nearer to its middle falls on it.
    """

    def __init__(self, radius_um: float) -> None:
        self._radius = radius_um
        self._keys = 0
        self._run: object = None
        self._row: dict[int, int] = {}
        self.key = np.zeros(0, np.int64)
        self.y, self.x, self.dose = np.zeros(0), np.zeros(0), np.zeros(0)
        self._told = np.zeros(0, np.int64)
        self._tellings = 0

    def __len__(self) -> int:
        return len(self.key)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which were there when objects were told last."""
        return np.asarray(self._told == self._tellings)

    def of(self, track: int) -> float:
        """The dose of a track of this run; 0 where it was never told."""
        row = self._row.get(track)
        return 0.0 if row is None else float(self.dose[row])

    def begin(self, run: object) -> None:
        """Tracks of another run are others, whatever their numbers."""
        if run != self._run:
            self._run = run
            self._row.clear()

    def tell(self, tracks: npt.NDArray[np.int64], y: Floats, x: Floats, places: Floats) -> None:
        """Where objects are now (um of the stage), and what these `places` were given; each track once."""
        self._tellings += 1
        numbers = tracks.tolist()
        rows = np.array([self._row.get(track, -1) for track in numbers], np.int64)
        known = rows >= 0
        at = rows[known]
        self.y[at], self.x[at], self._told[at] = y[known], x[known], self._tellings
        new = np.flatnonzero(~known)
        if len(new):
            lost = np.flatnonzero(~self.present)
            first = [self._begins(y[one], x[one], places[one], lost) for one in new]
            self._append([numbers[one] for one in new], y[new], x[new], np.array(first))
            self._drop()

    def _begins(self, y: float, x: float, place: float, lost: npt.NDArray[np.intp]) -> float:
        near = lost[(self.y[lost] - y) ** 2 + (self.x[lost] - x) ** 2 <= NEAR_UM**2]
        return max(float(place), float(self.dose[near].max(initial=0.0)))

    def _append(self, tracks: list[int], y: Floats, x: Floats, dose: Floats) -> None:
        count = len(self)
        self._row.update({track: count + index for index, track in enumerate(tracks)})
        self.key = np.r_[self.key, self._keys + 1 + np.arange(len(tracks))]
        self._keys += len(tracks)
        self.y, self.x, self.dose = np.r_[self.y, y], np.r_[self.x, x], np.r_[self.dose, dose]
        self._told = np.r_[self._told, np.full(len(tracks), self._tellings)]

    def _drop(self) -> None:
        if len(self) <= MOST:
            return
        kept = np.sort(np.argsort(self._told, kind="stable")[len(self) - MOST // 2 :])
        kept = np.union1d(kept, np.flatnonzero(self.present))
        moved = {int(old): new for new, old in enumerate(kept)}
        self._row = {track: moved[row] for track, row in self._row.items() if row in moved}
        for name in ("key", "y", "x", "dose", "_told"):
            setattr(self, name, getattr(self, name)[kept])

    def given(self, parts: tuple[Lit, ...]) -> Floats:
        """What these would add to each object, J/cm2."""
        more = np.zeros(len(self))
        for part in parts:
            if isinstance(part, Square):
                half = part.side_um / 2 + self._radius
                hit = (np.abs(self.x - part.x_um) <= half) & (np.abs(self.y - part.y_um) <= half)
                more[hit] += part.j_cm2
            else:
                more[self._on(part)] += part.j_cm2
        return more

    def _on(self, part: Pattern) -> list[int]:
        """Those with a lit pixel within their radius (of the square around them)."""
        size, reach = part.pixel_um, self._radius
        lit_rows, lit_columns = np.flatnonzero(part.lit.any(axis=1)), np.flatnonzero(part.lit.any(axis=0))
        if not len(lit_rows):
            return []
        y = self.y - part.y_um + part.lit.shape[0] * size / 2  # from the mask's corner
        x = self.x - part.x_um + part.lit.shape[1] * size / 2
        close = (y >= lit_rows[0] * size - reach) & (y <= (lit_rows[-1] + 1) * size + reach)
        close &= (x >= lit_columns[0] * size - reach) & (x <= (lit_columns[-1] + 1) * size + reach)
        hit = []
        for index in np.flatnonzero(close).tolist():
            top, bottom = max(int((y[index] - reach) // size), 0), int((y[index] + reach) // size) + 1
            left, right = max(int((x[index] - reach) // size), 0), int((x[index] + reach) // size) + 1
            if part.lit[top:bottom, left:right].any():
                hit.append(index)
        return hit

    def rows(self, which: npt.NDArray[np.bool_] | None = None) -> Floats:
        """(n, 4): key, y, x, dose of all, or of those."""
        rows = np.stack([self.key.astype(np.float64), self.y, self.x, self.dose], axis=1)
        return rows if which is None else rows[which]

    def restore(self, rows: Iterable[Floats]) -> None:
        """What a file had, in its order: objects that are lost, the last row of each key."""
        last = {row[0]: row for table in rows for row in table.tolist()}
        kept = sorted(last.values())[-MOST:]
        self._keys = int(kept[-1][0]) if kept else 0
        columns = np.array(kept, np.float64).reshape(-1, 4).T
        self.key = columns[0].astype(np.int64)
        self.y, self.x, self.dose = columns[1].copy(), columns[2].copy(), columns[3].copy()
        self._told = np.full(len(kept), -1)
