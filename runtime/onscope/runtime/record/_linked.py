"""Raw frames of a recording in the data sets that it points to, known by the checksums of their pixels."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from typing import Any, cast

from .._elsewhere import SavedElsewhere
from .._errors import RecordError, SourceError
from .._frame import Frame, FrameId
from .._sources import open_source
from ._crc32 import crc32
from ._reader import RecordedRun
from ._who import id_of


def read_inputs(run: RecordedRun) -> list[dict[str, Any]]:
    """The rows of the table `inputs` of a recording by the time of their receipt (none: it has no such table).

    `position` and `labels` are mappings. Raises RecordError when the table is damaged.
    """
    if "inputs" not in run.manifest["tables"]:
        return []
    try:
        rows: list[dict[str, Any]] = run.table("inputs").to_pylist()
        for row in rows:
            row |= {name: json.loads(row[name]) for name in ("position", "labels")}
            if not all(isinstance(row[name], dict) for name in ("position", "labels")):
                raise ValueError("a position that is none")
            id_of(row)
        return sorted(rows, key=lambda row: int(row["received_ns"]))
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise RecordError(
            f"found that the table inputs of {run.folder} cannot be read ({error}), expected that of a recording: "
            "restore it"
        ) from error


class LinkedFrames:
    """The rows of the table `inputs` of a recording, and their pixels. Raises RecordError when the table is damaged."""

    def __init__(self, run: RecordedRun) -> None:
        self._links = run.links
        self.rows: Mapping[FrameId, dict[str, Any]] = {id_of(row): row for row in read_inputs(run)}

    def find(self, wanted: Collection[FrameId]) -> dict[FrameId, Frame]:
        """Those of the frames that are there, with the identity, position and times that they were computed with.

        Every image of the linked data sets is read once. Raises RecordError when one cannot be read.
        """
        by_crc: dict[int, list[FrameId]] = {}
        for who in wanted:
            if who in self.rows:
                by_crc.setdefault(self.rows[who]["crc32"], []).append(who)
        found: dict[FrameId, Frame] = {}
        for link in self._links:
            for pixels, axes in _images(link) if by_crc else ():
                for who in by_crc.pop(crc32(pixels), ()):
                    row = self.rows[who]
                    known = row["position"], row["received_ns"], None, row["pixel_size_um"], row["exposure_ms"]
                    found[who] = Frame(who, pixels, axes, *known, None, row["labels"])
                if not by_crc:
                    return found
        return found

    def missing(self) -> list[FrameId]:
        """Frames whose pixels are in none of the data sets; raises RecordError when one cannot be read."""
        crcs = {crc32(pixels) for link in self._links for pixels, _ in _images(link)}
        return [who for who, row in self.rows.items() if row["crc32"] not in crcs]


def _images(link: SavedElsewhere) -> Iterator[tuple[Any, str]]:
    if link.path is None or not link.path.exists():
        place = "a place that is not known" if link.path is None else str(link.path)
        raise RecordError(
            f"found no data set at {place}, expected the raw frames that {link.by or 'the acquisition'} saved there: "
            "put it back, or beside the recording as it was"
        )
    try:
        with open_source(f"replay:{link.path}") as source, closing(cast("Any", source.frames())) as frames:
            for frame in frames:
                yield frame.pixels, frame.axes
    except SourceError as error:
        raise RecordError(str(error)) from error
