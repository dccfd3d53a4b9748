"""Tracks: the same objects from frame to frame, as they come, and as other programs read them.

tracker = Tracker(TrackSettings(max_distance=12, gap=2, divisions=True))
told = [tracker.update(number, objects) for number, objects in enumerate(tables)]  # row for row those of `objects`
tracks = tracks_from(told, tables)                                                 # all of them, in one table
write_ctc("ctc", tracks, labels.__getitem__)                                       # and write_trackmate, write_napari
"""

from ._columns import COLUMNS, TRACK
from ._ctc import write_ctc
from ._lineage import links, trees
from ._napari import napari_tracks, write_napari
from ._settings import TrackSettings
from ._smooth import smooth
from ._table import Tracks, tracks_from, tracks_of
from ._tracker import Tracker
from ._trackmate import write_trackmate

__all__ = [
    "COLUMNS",
    "TRACK",
    "TrackSettings",
    "Tracker",
    "Tracks",
    "links",
    "napari_tracks",
    "smooth",
    "tracks_from",
    "tracks_of",
    "trees",
    "write_ctc",
    "write_napari",
    "write_trackmate",
]
