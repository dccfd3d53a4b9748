"""Formats that raw frames are written in: a module each, found by name and imported when it is used.

The recorder process makes a series for each raw image, writes the frames into it, and closes it. What an image needs at
the end (its length, what says which element is where) is made by `finish` from the files and the table `frames` alone:
whoever is left can do it after a crash. `docs/recordings.md` says what the files of each format are.
"""

from ._about import Format, Future, RawAbout, RawImages, RawSeries
from ._table import DEFAULT, FORMATS, format_of, suffix_of
from ._zarr import ZarrImages

__all__ = [
    "DEFAULT",
    "FORMATS",
    "Format",
    "Future",
    "RawAbout",
    "RawImages",
    "RawSeries",
    "ZarrImages",
    "format_of",
    "suffix_of",
]
