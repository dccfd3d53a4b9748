"""Reads an OME-TIFF file of this program, page by page, also while it grows."""

from __future__ import annotations

import threading

import numpy as np

from ...._frame import Pixels
from .._about import Element, RawAbout
from ._pages import Pages, Stored


class OmeTiffImages:
    """See `RawImages`. Safe to use from several threads."""

    def __init__(self, about: RawAbout) -> None:
        self._about = about
        self._lock = threading.Lock()
        self._file = Pages(about.path)
        self._chain = iter(self._file)
        self._pages: list[Stored] = []

    def read(self, at: Element, page: int | None) -> Pixels:
        """See `RawImages`."""
        with self._lock:
            return self._read(at, self._find(page), page)

    def _read(self, at: Element, stored: Stored, page: int | None) -> Pixels:
        spec = self._about.spec
        if stored.shape != spec.shape or stored.pixels[1] != spec.nbytes:
            raise ValueError(f"found {stored.shape} pixels in page {page}, expected {spec.shape} {spec.dtype}")
        place = self._file.about(stored)["onscope"]["place"]
        if tuple(place.get(axis) for axis in self._about.leading) != tuple(at):
            raise ValueError(f"page {page} is of the element {place}")
        pixels = np.frombuffer(self._file.bytes_of(stored.pixels), np.dtype(spec.dtype).newbyteorder("<"))
        return pixels.astype(spec.dtype, copy=False).reshape(spec.shape)

    def _find(self, page: int | None) -> Stored:
        if page is None or page < 0:
            raise ValueError(f"found the page {page}, expected a number")
        if page >= len(self._pages):
            self._follow(page)
        if page >= len(self._pages):  # the file has grown since it was opened
            self._file.close()
            self._file = Pages(self._about.path)
            self._chain = iter(self._file)
            self._pages.clear()
            self._follow(page)
        if page >= len(self._pages):
            raise ValueError(f"found {len(self._pages)} whole pages, expected page {page} among them")
        return self._pages[page]

    def _follow(self, page: int) -> None:
        for stored in self._chain:
            self._pages.append(stored)
            if len(self._pages) > page:
                return
