"""What becomes of an OME-TIFF file when nobody adds to it: completed, cut to what counts, mended after a crash.

All of it is worked out from the file alone.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...._errors import FrameMismatchError
from ...._frame import DTYPES, FrameSpec
from .._tiff import BIG, STAGE, put, sync, writing
from ._pages import Description, Pages, Stored
from ._xml import END, Plane, Series, complete_xml, size_at, size_text


class End(NamedTuple):
    """Where the next page goes: `next_at` is where its place is told, `end` that place itself.

    `size_at`: where the provisional OME-XML has the number of images. `began_ns`: when the first one was received.
    """

    next_at: int
    end: int
    size_at: int = 0
    began_ns: int | None = None


def name_of(path: Path) -> str:
    """The name of the image in a file."""
    return path.name.split(".")[0]


def complete(path: Path) -> bool:
    """Put the whole OME-XML in the place of the provisional one; False when it was there. Raises RecordError."""
    with Pages(path) as pages:
        stored = list(pages)
        if not stored:
            return False
        told = _description(pages, stored[0])
        xml = complete_xml(_series(pages, stored))
        if pages.bytes_of((told.place, told.length)) == xml:
            return False
        end = stored[-1].end if told.place < stored[-1].end else pages.nbytes + pages.nbytes % 2
    with writing(path) as file:
        put(file, end, xml)
        sync(file)
        put(file, told.told_at, BIG.offset.pack(len(xml)) + BIG.offset.pack(end))
        file.truncate(end + len(xml))
        sync(file)
    return True


def finish(path: Path, spec: FrameSpec, count: int) -> None:
    """Cut a file to `count` pages when it has more, and complete it. Raises RecordError."""
    with Pages(path) as pages:
        found = sum(1 for _ in pages)
    if found != count:
        cut_to(path, spec, count)
    complete(path)


def cut_to(path: Path, spec: FrameSpec, count: int) -> End:
    """Cut a file to `count` pages, at least one, with the provisional OME-XML again. Raises RecordError."""
    with Pages(path) as pages:
        stored = [page for page, _ in zip(pages, range(count), strict=False)]
        if len(stored) < count or stored[0].shape != spec.shape or stored[0].pixels[1] != spec.nbytes:
            raise pages.wrong(f"{len(stored)} such pages, {count} were saved")
        began_ns = pages.about(stored[0])["onscope"].get("received_ns")
        xml_at, length = _provisional(pages, stored[0])
        in_xml = xml_at + size_at(pages.bytes_of((xml_at, length)))
        told = _description(pages, stored[0])
    last = stored[-1]
    with writing(path) as file:
        put(file, told.told_at, BIG.offset.pack(length) + BIG.offset.pack(xml_at))
        put(file, in_xml, size_text(count))
        put(file, last.next_at, BIG.offset.pack(0))
        sync(file)
        file.truncate(last.end)
        sync(file)
    return End(last.next_at, last.end, in_xml, began_ns)


def mend(path: Path) -> list[str]:
    """Make a file whole that a crash left behind: a sentence on each thing that was done, none when it was whole.

    A page that was never finished goes, and nothing else does. Raises RecordError when it is no such file.
    """
    done: list[str] = []
    with Pages(path) as pages:
        stored = list(pages)
        last = stored[-1] if stored else None
        next_at, end = (last.next_at, last.end) if last else (BIG.first, BIG.header.size)
        torn = bool(last.following if last else pages.first)
        told = _description(pages, stored[0]) if stored else None
        behind = max(end, told.place + told.length) if told else end
        extra = pages.nbytes - behind
    if torn or extra > 1:
        with writing(path) as file:
            put(file, next_at, BIG.offset.pack(0))
            sync(file)
            if extra > 0:
                file.truncate(behind)
            sync(file)
        done.append(f"{path.name}: {max(extra, 0)} bytes of a frame that was never finished were removed")
    if complete(path):
        done.append(f"{path.name}: the OME-XML of {len(stored)} frames was completed")
    return done


def _series(pages: Pages, stored: list[Stored]) -> Series:
    channels: dict[int, str] = {}
    planes = []
    try:
        for page in stored:
            about = pages.about(page)
            place = about["onscope"]["place"]
            t, c, z = (int(place.get(axis, 0)) for axis in "tcz")
            if "Channel" in about:
                channels.setdefault(c, str(about["Channel"]))
            stage = tuple(float(about[name]) for name in STAGE if name in about)
            planes.append(Plane((t, c, z), about["ElapsedTime-ms"] / 1e3, about.get("Exposure"), stage))
        first = pages.about(stored[0])
        spec = _spec(stored[0], first)
        return Series(spec, name_of(pages.path), planes, channels, first.get("ReceivedTime"))
    except (KeyError, TypeError, ValueError, FrameMismatchError) as error:
        raise pages.wrong(f"what stands beside its images is damaged: {error!r}") from error


def _spec(page: Stored, about: dict[str, Any]) -> FrameSpec:
    dtype = {np.dtype(name).itemsize: name for name in DTYPES}[page.pixels[1] // math.prod(page.shape)]
    axes = "yxs"[: len(page.shape)]
    return FrameSpec(page.shape, dtype, axes, about["Camera"], about.get("PixelSizeUm"), about["BitDepth"])


def _provisional(pages: Pages, first: Stored) -> tuple[int, int]:
    """Where the XML is that the file was begun with: behind the first directory, before all other values."""
    place = first.next_at + BIG.offset.size
    length = pages.bytes_of((place, first.pixels[0] - place)).find(END) + 1
    if not length:
        raise pages.wrong("no OME-XML at its beginning")
    return place, length


def _description(pages: Pages, first: Stored) -> Description:
    if first.description is None:
        raise pages.wrong("no OME-XML in its first page")
    return first.description
