"""Writes one NDTiff data set: images into files of up to 4 GB, an entry of the index for each."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from io import FileIO
from typing import Any, NamedTuple

from ...._errors import RecordError
from ...._frame import Pixels
from ..._files import sync_folder
from .._about import Element, RawAbout
from .._tiff import CLASSIC, Commits, Page, Written, about_image, little, new_file, page_at, put, sync
from ._channels import Channels
from ._folder import cut_to, header, known, number_of, stack_name, stacks
from ._index import NAME, Entry, entries_of, pixel_type

FILE_BYTES = 1 << 32
"""A place in such a file has 32 bits."""


class _Image(NamedTuple):
    axes: Mapping[str, int | str]
    pixels: Pixels
    known: bytes


class NdTiffSeries:
    """See `RawSeries`; the files are written by a thread of their own. `pages` of a data set that is there are kept.

    With None a new one is made.
    """

    def __init__(self, about: RawAbout, pages: int | None) -> None:
        pixel_type(about.spec)
        self._about = about
        self._channels = Channels()
        self._began_ns: int | None = None
        self._count = pages or 0
        self._stack, self._entered = 0, False
        self._file: FileIO
        self._end = self._next_at = self._index_end = 0
        try:
            if pages:
                self._resume(pages)
            else:
                about.path.mkdir(parents=True, exist_ok=True)
                for path in stacks(about.path):
                    path.unlink()
                self._index = new_file(about.path / NAME, b"")
                self._new_stack(0)
        except OSError as error:
            raise RecordError(
                f"{about.path} cannot be made ({error.strerror}): choose a folder that can be written to"
            ) from error
        self._commits: Commits[_Image] = Commits(f"onscope-{about.path.name}", self._commit, about.spec.nbytes)

    def write(self, at: Element, pixels: Pixels, note: Mapping[str, Any]) -> tuple[int, Written]:
        """See `RawSeries`; the page is the number of the frame in the index."""
        if self._began_ns is None:
            self._began_ns = note["received_ns"]
        place = dict(zip(self._about.leading, map(int, at), strict=True))
        axes = self._channels.axes(place, note)
        about = about_image(self._about.spec, note, place, axes, self._began_ns)
        page, self._count = self._count, self._count + 1
        return page, self._commits.add(_Image(axes, pixels, about))

    def close(self) -> None:
        """See `RawSeries`."""
        self._commits.close()
        self._file.close()
        self._index.close()

    def _commit(self, images: Sequence[_Image]) -> int:
        """Write those that fit into a file, then enter them into the index; raises OSError, and all is as before."""
        end = page_at(CLASSIC, self._end, self._about.spec, images[0].known).end
        if end > FILE_BYTES and self._entered:
            self._new_stack(self._stack + 1)
        pages: list[Page] = []
        entries = b""
        end = self._end
        for image in images:
            page = page_at(CLASSIC, end, self._about.spec, image.known)
            if page.end > FILE_BYTES and pages:
                break
            if pages:
                CLASSIC.offset.pack_into(pages[-1].head, pages[-1].next_at - pages[-1].start, end)
            about_at = end + page.head.rindex(image.known)
            entry = Entry(
                image.axes, stack_name(self._stack), self._about.spec, page.pixels_at, about_at, len(image.known)
            )
            entries += entry.pack()
            pages.append(page)
            end = page.end
        self._put(pages, images, entries)
        return len(pages)

    def _put(self, pages: Sequence[Page], images: Sequence[_Image], entries: bytes) -> None:
        start, chain_at = self._end, self._next_at
        try:
            for page, image in zip(pages, images, strict=False):
                put(self._file, page.start, page.head)
                put(self._file, page.pixels_at, little(image.pixels))
            sync(self._file)
            put(self._file, chain_at, CLASSIC.offset.pack(start))
            sync(self._file)
            put(self._index, self._index_end, entries)
            sync(self._index)
        except OSError:
            with contextlib.suppress(OSError):
                self._index.truncate(self._index_end)
                put(self._file, chain_at, CLASSIC.offset.pack(0))
                self._file.truncate(start)
            raise
        self._index_end += len(entries)
        self._end, self._next_at = pages[-1].end, pages[-1].next_at
        self._entered = True

    def _new_stack(self, number: int) -> None:
        head = header(self._about.spec)
        file = new_file(self._about.path / stack_name(number), head)
        if number:
            self._file.close()
        self._file, self._stack, self._entered = file, number, False
        self._end, self._next_at = len(head), CLASSIC.first

    def _resume(self, pages: int) -> None:
        folder = self._about.path
        entries, of = entries_of(folder)
        kept = entries[:pages]
        if len(kept) < pages:
            raise RecordError(
                f"found {len(kept)} images in the index of {folder}, expected {pages} as in the table of frames: what "
                "was saved is left as it is; record into another folder"
            )
        cut_to(folder, kept, of)
        try:
            first = known(folder, kept[0])["onscope"]
            self._began_ns = int(first["received_ns"])
            self._channels = Channels.of(folder, kept)
        except (ValueError, KeyError, TypeError) as error:
            raise RecordError(
                f"{folder} cannot be read ({error!r}), expected NDTiff of onscope: is it whole?"
            ) from error
        last = kept[-1]
        self._stack, self._entered = number_of(last.file), True
        self._file = FileIO(folder / last.file, "r+")
        self._end, self._next_at = last.end, last.next_at
        self._index = FileIO(folder / NAME, "r+")
        self._index_end = last.behind
        sync_folder(folder)
