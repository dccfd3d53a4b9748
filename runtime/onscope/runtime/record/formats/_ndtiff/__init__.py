"""NDTiff 3.3, the format of Micro-Manager 2 and pycro-manager: a folder of TIFF files of up to 4 GB, and an index.

Axes are time, channel, z and position; each image has metadata by Micro-Manager's names. An entry of the index is
written when its image is on the disk, so that ndstorage can open the folder at any moment, also after a crash.
The files are written here, not with ndstorage: its writer keeps entries of the index in memory, cannot go on with
a data set that is there, and knows no RGB. docs/decisions/0015 has more.
Format: https://github.com/micro-manager/NDTiffStorage
"""

from __future__ import annotations

import contextlib

from ...._errors import RecordError
from .._about import ManyElements, Pages, RawAbout, last_page
from . import _folder
from ._folder import mend
from ._images import NdTiffImages
from ._index import NAME, entries_of
from ._series import NdTiffSeries

SUFFIX = ".ndtiff"

__all__ = ["SUFFIX", "finish", "make", "mend", "read", "remove", "resume"]


def make(about: RawAbout) -> NdTiffSeries:
    """See `Format`."""
    if about.length is not None:
        raise RecordError(
            "found a rolling window for NDTiff, expected none: its files only grow; record ome-zarr, or all frames"
        )
    return NdTiffSeries(about, None)


def resume(about: RawAbout, pages: int) -> NdTiffSeries:
    """See `Format`."""
    return NdTiffSeries(about, pages)


def finish(about: RawAbout, at: ManyElements, pages: Pages) -> None:
    """See `Format`."""
    count = 1 + last_page(about, pages)
    entries, of = entries_of(about.path)
    if len(entries) < count:
        raise RecordError(
            f"found {len(entries)} images in the index of {about.path}, expected {count} as in the table of frames: "
            "restore the folder from a copy"
        )
    _folder.cut_to(about.path, entries[:count], of)


def remove(about: RawAbout) -> None:
    """See `Format`."""
    with contextlib.suppress(OSError):
        for path in (about.path / NAME, *_folder.stacks(about.path)):
            path.unlink(missing_ok=True)
        about.path.rmdir()


def read(about: RawAbout) -> NdTiffImages:
    """See `Format`."""
    return NdTiffImages(about)
