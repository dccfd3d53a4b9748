"""Recordings whose raw frames are in a data set that the acquisition saved itself: pixels there, identities here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from onscope.runtime import FrameSpec, RecordError, SourceError
from onscope.runtime.record import RecordedRun, crc32, read_inputs

from ._reel import Reel, Shot


class LinkedReel:
    """The frames that answers were computed from, in the order of the data set, known by the checksums of their pixels.

    They have the identity, index, names, times and exposure of the recording. Frames of which the recording has no
    answer are not in it: `open_reel` opens the data set itself, which has them all.
    """

    def __init__(
        self,
        run: RecordedRun,
        open_reel: Callable[[Path], Reel],
        camera: str | None,
        pixel_size_um: float | None,
    ) -> None:
        self._folder = run.folder
        self._reels = [open_reel(_there(run.folder, link.path)) for link in run.links]
        self._pixel_size_um = pixel_size_um
        self._rows = [row for row in _rows(run) if camera in (None, row["camera"])]
        with closing(cast("Any", self.shots())) as shots:
            first: dict[str | None, Shot] = {}
            cameras = {row["camera"] for row in self._rows}
            for shot in shots:
                first.setdefault(shot.camera, shot)
                if len(first) == len(cameras):
                    break
        if not first:
            raise SourceError(
                f"found none of the {len(self._rows)} frames that {run.folder} was computed from in the data sets that "
                "it points to, expected them there: put back the data as they were"
            )
        self._specs = [_spec(shot) for shot in first.values()]

    @property
    def specs(self) -> list[FrameSpec]:
        return self._specs

    def shots(self) -> Iterator[Shot]:
        """As they were computed with; images that nothing was computed from are passed over."""
        waiting: dict[int, deque[Mapping[str, Any]]] = {}
        for row in self._rows:
            waiting.setdefault(row["crc32"], deque()).append(row)
        began_ns = min((row["received_ns"] for row in self._rows), default=0)
        for reel in self._reels:
            for shot in reel.shots():
                rows = waiting.get(crc32(shot.pixels))
                if rows:
                    yield self._shot(shot, rows.popleft(), began_ns)

    def _shot(self, shot: Shot, row: Mapping[str, Any], began_ns: int) -> Shot:
        return replace(
            shot,
            index=MappingProxyType(row["position"]),
            labels=MappingProxyType(row["labels"]),
            seq=row["seq"],
            chapter=row["segment"],
            seconds=(row["received_ns"] - began_ns) / 1e9,
            pixel_size_um=self._pixel_size_um or row["pixel_size_um"],
            exposure_ms=row["exposure_ms"],
            camera=row["camera"],
            run=row["run"],
        )


def _rows(run: RecordedRun) -> list[dict[str, Any]]:
    """The table of inputs, by the time of their receipt."""
    try:
        return read_inputs(run)
    except RecordError as error:
        raise SourceError(str(error)) from error


def _there(folder: Path, path: Path | None) -> Path:
    if path is None or not path.exists():
        raise SourceError(
            f"found no data set at {path or 'a place that is not known'}, expected the raw frames of {folder} there: "
            "put it back, or beside the recording as it was"
        )
    return path


def _spec(shot: Shot) -> FrameSpec:
    pixels = shot.pixels
    axes = "yx" if pixels.ndim == 2 else "yxs"
    return FrameSpec(
        pixels.shape, pixels.dtype.name, axes, shot.camera or "replay", shot.pixel_size_um, 8 * pixels.dtype.itemsize
    )
