"""What the two TIFF formats share: pages as bytes, gathered writes, and what stands beside each image."""

from ._commits import Commits, Written
from ._directory import BIG, CLASSIC, DESCRIPTION, STRIP_BYTES, STRIP_OFFSETS, Flavour, Page, page_at
from ._metadata import STAGE, about_image, about_series, date
from ._put import little, new_file, put, sync, writing

__all__ = [
    "BIG",
    "CLASSIC",
    "DESCRIPTION",
    "STAGE",
    "STRIP_BYTES",
    "STRIP_OFFSETS",
    "Commits",
    "Flavour",
    "Page",
    "Written",
    "about_image",
    "about_series",
    "date",
    "little",
    "new_file",
    "page_at",
    "put",
    "sync",
    "writing",
]
