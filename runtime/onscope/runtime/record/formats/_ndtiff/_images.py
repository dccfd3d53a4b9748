"""Reads an NDTiff data set of this program, image by image, also while it grows."""

from __future__ import annotations

import threading

import numpy as np

from ...._frame import Pixels
from .._about import Element, RawAbout
from ._folder import known
from ._index import Entry, entries_of


class NdTiffImages:
    """See `RawImages`. Safe to use from several threads."""

    def __init__(self, about: RawAbout) -> None:
        self._about = about
        self._lock = threading.Lock()
        self._entries, _ = entries_of(about.path)

    def read(self, at: Element, page: int | None) -> Pixels:
        """See `RawImages`."""
        folder, spec = self._about.path, self._about.spec
        entry = self._entry(page)
        if (entry.spec.shape, entry.spec.dtype) != (spec.shape, spec.dtype):
            raise ValueError(f"found {entry.spec.shape} pixels as image {page}, expected {spec.shape} {spec.dtype}")
        place = known(folder, entry)["onscope"].get("place", {})
        if tuple(place.get(axis) for axis in self._about.leading) != tuple(at):
            raise ValueError(f"image {page} is of the element {place}")
        with open(folder / entry.file, "rb") as file:
            file.seek(entry.pixels_at)
            data = file.read(spec.nbytes)
        if len(data) != spec.nbytes:
            raise ValueError(f"found {len(data)} bytes of image {page}, expected {spec.nbytes}")
        pixels = np.frombuffer(data, np.dtype(spec.dtype).newbyteorder("<"))
        return pixels.astype(spec.dtype, copy=False).reshape(spec.shape)

    def _entry(self, page: int | None) -> Entry:
        if page is None or page < 0:
            raise ValueError(f"found the image number {page}, expected one from 0 on")
        with self._lock:
            if page >= len(self._entries):  # the index has grown since it was read
                self._entries, _ = entries_of(self._about.path)
            if page >= len(self._entries):
                raise ValueError(f"found {len(self._entries)} images in the index, expected number {page} among them")
            return self._entries[page]
