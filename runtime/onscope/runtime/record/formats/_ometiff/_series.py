"""Writes one OME-TIFF file: a page per frame, behind each other as they come."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from io import FileIO
from typing import Any, NamedTuple

from ...._errors import RecordError
from ...._frame import Pixels
from .._about import Element, RawAbout
from .._tiff import BIG, Commits, Written, about_image, little, new_file, page_at, put, sync
from ._file import End, cut_to, name_of
from ._xml import provisional_xml, size_at, size_text


class _Image(NamedTuple):
    pixels: Pixels
    known: bytes


class OmeTiffSeries:
    """See `RawSeries`; the file is written by a thread of its own. `pages` of a file that is there are kept.

    With None a new file is made.
    """

    def __init__(self, about: RawAbout, pages: int | None) -> None:
        self._about = about
        self._count = self._written = pages or 0
        self._end = End(BIG.first, BIG.header.size)
        try:
            if pages:
                self._end = cut_to(about.path, about.spec, pages)
                self._file = FileIO(about.path, "r+")
            else:
                self._file = new_file(about.path, BIG.header.pack(b"II", 43, 8, 0, 0))
        except OSError as error:
            raise RecordError(
                f"{about.path} cannot be made ({error.strerror}): choose a folder that can be written to"
            ) from error
        self._began_ns = self._end.began_ns
        self._commits: Commits[_Image] = Commits(f"onscope-{about.path.name}", self._commit, about.spec.nbytes)

    def write(self, at: Element, pixels: Pixels, note: Mapping[str, Any]) -> tuple[int, Written]:
        """See `RawSeries`; the page is the number of the frame in the file."""
        if self._began_ns is None:
            self._began_ns = note["received_ns"]
        place = dict(zip(self._about.leading, map(int, at), strict=True))
        known = about_image(self._about.spec, note, place, place, self._began_ns)
        page, self._count = self._count, self._count + 1
        return page, self._commits.add(_Image(pixels, known))

    def close(self) -> None:
        """See `RawSeries`."""
        self._commits.close()
        self._file.close()

    def _commit(self, images: Sequence[_Image]) -> int:
        """Write pages, then chain them to those before; raises OSError, and the file is as it was then."""
        before = after = self._end
        try:
            for number, image in enumerate(images):
                after = self._put_page(image, after, last=number + 1 == len(images))
            sync(self._file)
            put(self._file, before.next_at, BIG.offset.pack(before.end))
            put(self._file, after.size_at, size_text(self._written + len(images)))
            sync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                put(self._file, before.next_at, BIG.offset.pack(0))
                if self._written:
                    put(self._file, before.size_at, size_text(self._written))
                self._file.truncate(before.end)
            raise
        self._end = after
        self._written += len(images)
        return len(images)

    def _put_page(self, image: _Image, end: End, *, last: bool) -> End:
        first = end.next_at == BIG.first
        xml = provisional_xml(self._about.spec, name_of(self._about.path)) if first else None
        page = page_at(BIG, end.end, self._about.spec, image.known, xml)
        in_xml = end.size_at if xml is None else end.end + page.head.index(xml) + size_at(xml)
        if not last:
            BIG.offset.pack_into(page.head, page.next_at - page.start, page.end)
        put(self._file, page.start, page.head)
        put(self._file, page.pixels_at, little(image.pixels))
        return End(page.next_at, page.end, in_xml, self._began_ns)
