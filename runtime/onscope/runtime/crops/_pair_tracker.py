"""A tracker that asks a pairwise network which object has become which."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ..track import TRACK
from ._links import LEAST_SCORE, Links, check_links, chosen
from ._pairs import PairNetwork, Seen

Table = npt.NDArray[Any]


class PairTracker:
    """Tracks the objects of one place, frame by frame, by a PairNetwork. One thread at a time.

    An object that goes on as one keeps its track. One that goes on as two ends it, and both begin new ones with it as
    their parent. Whatever comes from nowhere begins a track. Frames further apart than `gap` lost ones are not
    compared: then all tracks begin anew. Ids rise from `first` on and are never given twice; a frame's answers are not
    changed by later ones. Several trackers may share a network.
    """

    def __init__(self, network: PairNetwork, *, gap: int = 0, least_score: float = LEAST_SCORE, first: int = 1) -> None:
        check_links(gap, least_score)
        self._network = network
        self._gap, self._least = gap, least_score
        self.next_track = first
        """The id that the next new track gets."""
        self._seen: Seen | None = None
        self._tracks = np.zeros(0, TRACK)
        self._last = 0

    def reset(self) -> None:
        """Forget all tracks; ids go on from where they were, frames may be numbered anew."""
        self._seen = None

    def update(self, number: int, image: Pixels, labels: npt.NDArray[np.int32], objects: Table) -> Table:
        """The tracks of the objects of one frame, row for row, with the columns TRACK of `onscope.runtime.track`.

        `number` counts frames: it jumps where some were lost. `image` (y, x), `labels` and `objects` are as in
        `PairNetwork.look`. Raises PipelineError for a number that does not rise, and what the network raises; the
        tracker is then as it was.
        """
        if self._seen is not None and number <= self._last:
            raise PipelineError(
                f"found frame {number} after frame {self._last}, expected rising numbers: reset() the tracker"
            )
        now = self._network.look(image, labels, objects)
        tracks = np.zeros(len(objects), TRACK)
        tracks["row"] = np.arange(len(objects))
        tracks["y"], tracks["x"] = objects["y"], objects["x"]
        if self._seen is not None and number - self._last <= self._gap + 1:
            self._follow(tracks, chosen(self._network.links(self._seen, now), self._least), number - self._last)
        fresh = tracks["track"] == 0
        tracks["track"][fresh] = self.next_track + np.arange(np.count_nonzero(fresh))
        self.next_track += int(np.count_nonzero(fresh))
        self._seen, self._last, self._tracks = now, number, tracks
        return tracks.copy()

    def _follow(self, tracks: Table, links: Links, frames: int) -> None:
        """Write what the links say into the rows of `tracks`, `frames` after the last ones."""
        became = np.bincount(links.before, minlength=len(self._tracks))
        alone = became[links.before] == 1
        before, now = self._tracks[links.before[alone]], links.now[alone]
        tracks["track"][now], tracks["parent"][now] = before["track"], before["parent"]
        tracks["age"][now] = before["age"] + frames
        for axis in ("y", "x"):
            tracks[f"v{axis}"][now] = (tracks[axis][now] - before[axis]) / frames
        tracks["missed"][now] = frames - 1
        tracks["parent"][links.now[~alone]] = self._tracks["track"][links.before[~alone]]
