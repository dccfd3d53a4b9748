"""OME-TIFF: one BigTIFF file per image, a page per frame, uncompressed, behind each other as they come.

A page is chained to the one before it when its pixels are on the disk, so that anything can read the file at any
moment, also after a crash. Meanwhile its OME-XML says that there are as many images along t as there are pages, in
their order; `finish` puts one in its place that says which page is which element, and when and where it was taken.
Each page has a private tag (65123) with what is known of its frame as JSON: the file can be completed from itself.
Specification: https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html
"""

from __future__ import annotations

import contextlib

from ...._errors import RecordError
from .._about import ManyElements, Pages, RawAbout, last_page
from . import _file
from ._file import mend
from ._images import OmeTiffImages
from ._series import OmeTiffSeries

SUFFIX = ".ome.tif"

__all__ = ["SUFFIX", "finish", "make", "mend", "read", "remove", "resume"]


def make(about: RawAbout) -> OmeTiffSeries:
    """See `Format`."""
    if about.length is not None:
        raise RecordError(
            "found a rolling window for OME-TIFF, expected none: its files only grow; record ome-zarr, or all frames"
        )
    return OmeTiffSeries(about, None)


def resume(about: RawAbout, pages: int) -> OmeTiffSeries:
    """See `Format`."""
    return OmeTiffSeries(about, pages)


def finish(about: RawAbout, at: ManyElements, pages: Pages) -> None:
    """See `Format`."""
    _file.finish(about.path, about.spec, 1 + last_page(about, pages))


def remove(about: RawAbout) -> None:
    """See `Format`."""
    with contextlib.suppress(OSError):
        about.path.unlink(missing_ok=True)


def read(about: RawAbout) -> OmeTiffImages:
    """See `Format`."""
    return OmeTiffImages(about)
