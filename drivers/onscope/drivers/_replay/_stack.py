"""TIFF stacks, read page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from onscope.runtime import FrameSpec, SourceError

from ._grid import check_pick
from ._micromanager import Told, read_tags
from ._ome_xml import ImageXml, read_ome_xml
from ._reel import Shot, axes_of, greying, plain
from ._tiff import Stored, imagej_pixel_size_um, images_in_series, leading, open_tiff, tags_of


class StackReel:
    """The images of a TIFF file: plain, ImageJ, OME or Micro-Manager; of several files where it is one of these.

    The series of an OME-TIFF are positions, one behind the other; of other files the first series is taken.
    """

    def __init__(
        self, path: Path, camera: str | None, pick: Mapping[str, int], colour: bool | None, pixel_size_um: float | None
    ) -> None:
        self._path, self._pick, self._pixel_size_um = path, dict(pick), pixel_size_um
        with open_tiff(path) as file:
            self._images = _descriptions(file, path)
            several = self._several = len(self._images) > 1
            if several:
                series = pick.get("p", 0)
                check_pick({"p": series}, {"p": len(self._images)}, path)
            else:
                series = 0
            sizes = leading(file.series[series], path)
            check_pick({axis: n for axis, n in pick.items() if axis != "p" or not several}, sizes, path)
            first = next(iter(images_in_series(file, file.series[series], path)), None)
            if first is None:
                raise SourceError(f"found none of the images of {path}, expected at least one: are its files together?")
            told = read_tags(tags_of(first.page))
            self._greying = greying(first.pixels, colour)
            pixels = plain(first.pixels, self._greying, path)
            self._spec = FrameSpec(
                pixels.shape,
                pixels.dtype.name,
                axes_of(pixels, path),
                camera or told.camera or "replay",
                self._size(told, self._images[series], file),
                8 * pixels.dtype.itemsize,
            )

    @property
    def specs(self) -> list[FrameSpec]:
        return [self._spec]

    def shots(self) -> Iterator[Shot]:
        """The planes in the order of the file; those that were picked, counted from 0."""
        with open_tiff(self._path) as file:
            interval_s = (file.imagej_metadata or {}).get("finterval") if file.is_imagej else None
            seq, first = 0, None
            for p, (series, xml) in enumerate(zip(file.series, self._images, strict=False)):
                if self._several and self._pick.get("p", p) != p:
                    continue
                sizes = leading(series, self._path)
                picked = [number for number in range(_length(sizes)) if self._takes(self._place(sizes, number, p))]
                seqs = {number: seq + k for k, number in enumerate(picked)}
                seq += len(picked)
                for stored in images_in_series(file, series, self._path):
                    if stored.number not in seqs:
                        continue
                    place = self._place(sizes, stored.number, p)
                    told = read_tags(tags_of(stored.page) if file.is_micromanager else None)
                    seconds = place.get("t", 0) * float(interval_s) if interval_s else told.seconds
                    seconds = xml.plane(place).seconds if seconds is None else seconds
                    first = seconds if first is None else first
                    since = None if seconds is None or first is None else seconds - first
                    yield self._shot(stored, place, seqs[stored.number], since, told, xml, file)

    def _takes(self, place: Mapping[str, int]) -> bool:
        return all(place.get(axis) == wanted for axis, wanted in self._pick.items())

    def _place(self, sizes: Mapping[str, int], number: int, p: int) -> dict[str, int]:
        place = dict(zip(sizes, map(int, np.unravel_index(number, tuple(sizes.values()) or (1,))), strict=False))
        return place | {"p": p} if self._several else place

    def _shot(
        self,
        stored: Stored,
        place: dict[str, int],
        seq: int,
        seconds: float | None,
        told: Told,
        xml: ImageXml,
        file: Any,
    ) -> Shot:
        pixels = plain(stored.pixels, self._greying, self._path)
        if pixels.shape != self._spec.shape or pixels.dtype != self._spec.dtype:
            raise SourceError(
                f"found {'x'.join(map(str, pixels.shape))} {pixels.dtype} at {place} in {self._path}, expected "
                f"{'x'.join(map(str, self._spec.shape))} {self._spec.dtype} as before it: pick one series, "
                f"p={place.get('p', 0)}"
            )
        if pixels.base is not None or not pixels.flags.owndata:
            pixels = pixels.copy()
        plane, labels = xml.plane(place), {}
        channel = place.get("c", len(xml.channels))
        if name := (xml.channels[channel] if channel < len(xml.channels) else "") or told.channel:
            labels["c"] = name
        if name := told.position or xml.name:
            labels["p"] = name
        return Shot(
            pixels,
            MappingProxyType(place or {"t": 0}),
            seq,
            0,
            seconds,
            self._size(told, xml, file),
            told.exposure_ms or plane.exposure_ms,
            told.stage_um or plane.stage_um,
            MappingProxyType({axis: name for axis, name in labels.items() if axis in place}),
        )

    def _size(self, told: Told, xml: ImageXml, file: Any) -> float | None:
        return self._pixel_size_um or told.pixel_size_um or xml.pixel_size_um or imagej_pixel_size_um(file)


def _descriptions(file: Any, path: Path) -> list[ImageXml]:
    """What is known of each series that is an image of its own."""
    if not file.is_ome or file.ome_metadata is None:
        return [ImageXml()]
    found = read_ome_xml(file.ome_metadata, path)
    return found if len(found) == len(file.series) else [found[0] if found else ImageXml()]


def _length(sizes: Mapping[str, int]) -> int:
    return int(np.prod(tuple(sizes.values()), dtype=np.int64))
