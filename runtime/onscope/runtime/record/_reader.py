"""Read a recording back: raw frames one by one, answers by index, tables whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from .._clock import ClockPair
from .._elsewhere import SavedElsewhere
from .._errors import RecordError
from .._frame import Frame, FrameSpec, Segment
from ._crc32 import crc32
from ._frame_of import frame_of
from ._links import read_links
from ._manifest import NAME, read_manifest
from ._recorded_images import RecordedImages, whole
from ._rows_of_images import elements, frame_at, rows_of, why_missing
from ._tables import has_table, read_table
from ._who import id_of
from .recorder import merge_state, read_frames, read_state, spec_of_entry

TRIES = 3


class RecordedRun:
    """A recording in a folder; also of a run that was cut off: its tables name exactly what was saved.

    `manifest` is the content of recording.json, `images` all image series by their folder's name. Of a rolling window
    only the frames that still exist are told.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._pages: dict[str, dict[tuple[int, ...], int | None]] = {}
        for _ in range(TRIES):
            state = read_state(self.folder)  # first: once it is gone, the manifest has all
            self.manifest = read_manifest(self.folder)
            merge_state(state, self.manifest)  # of a run that is open, or was cut off
            self._frames = read_frames(self.folder, self.manifest.get("keep"))
            self._specs = {
                entry["path"]: spec_of_entry(entry) for entry in self.manifest["images"] if entry["role"] == "raw"
            }
            named = set(self._frames["array"].to_pylist())
            if named <= self._specs.keys():
                break  # else an image came to it meanwhile
        else:
            raise RecordError(
                f"found frames of {min(named - self._specs.keys())} in the table of {self.folder}, but not that image "
                f"in {NAME} or raw.json, expected it in one of them: restore them from a copy"
            )
        self.images = {
            entry["path"]: RecordedImages(self.folder, entry, self._told, self._why, self._page)
            for entry in self.manifest["images"]
            if entry["path"] in named or (self.folder / entry["path"]).exists()  # made ready, and removed at the end
        }

    def __len__(self) -> int:
        """Raw frames that were saved."""
        return int(self._frames.num_rows)

    def table(self, name: str) -> Any:
        """A pyarrow.Table: "frames", "results", or a stage of objects; raises RecordError when there is none."""
        return self._frames if name == "frames" else read_table(self.folder, name)

    def __getitem__(self, name: str) -> list[RecordedImages]:
        """The images of a stage, or "raw": one, or several when frames differ in size, type, position or camera."""
        found = [each for each in self.images.values() if (each.stage if each.role == "derived" else "raw") == name]
        if not found:
            known = {each.stage if each.role == "derived" else "raw" for each in self.images.values()}
            raise RecordError(
                f"found no images of {name!r} in {self.folder}, expected one of {', '.join(sorted(map(str, known)))}"
            )
        return found

    def answer(self, stage: str, row: int) -> npt.NDArray[Any]:
        """The image that a stage answered with, by the row of the table "results"; raises RecordError."""
        known = self._results.slice(row, 1).to_pylist() if 0 <= row < self._results.num_rows else []
        array, at = (known[0].get(f"{stage}_{what}") if known else None for what in ("array", "index"))
        if array not in self.images or at is None:
            raise RecordError(
                f"found no image of {stage!r} in row {row} of the results in {self.folder}, expected one: the stage "
                "did not run on this frame, or answers with objects"
            )
        at, images = whole(at), self.images[array]
        if self.manifest.get("keep") is not None and images.raw is not None:
            frame = frame_at(self._frames, images.raw, at)  # a rolling window counts along t alone
            if frame is None or id_of(frame) != id_of(known[0]):
                raise RecordError(
                    f"found row {row} of the results in {self.folder} outside of the rolling window, expected one of "
                    f"the last {self.manifest['keep']} frames: its image was let go"
                )
        return images.read(at)

    @cached_property
    def _results(self) -> Any:
        return self.table("results")

    def _told(self, entry: dict[str, Any]) -> npt.NDArray[np.int64]:
        """The elements of an image that rows of the tables name; of a rolling window, those of frames that are told."""
        if entry["role"] == "raw":
            return elements(self._frames, "", entry["path"])
        if not has_table(self.folder, "results"):  # the run was cut off before the first result
            return np.zeros((0, len(entry.get("along", "t"))), np.int64)
        results = self._results
        if self.manifest.get("keep") is not None and entry.get("raw") is not None:
            results = rows_of(results, self._frames)
        return elements(results, f"{entry.get('stage')}_", entry["path"])

    def _why(self, entry: dict[str, Any], at: tuple[int, ...]) -> str:
        return why_missing(self.folder, self._frames, entry, at)

    def _page(self, entry: dict[str, Any], at: tuple[int, ...]) -> int | None:
        if entry["path"] not in self._pages:
            rows = self._frames.filter(pc.equal(self._frames["array"], entry["path"]))
            known = zip(rows["index"].to_pylist(), rows["page"].to_pylist(), strict=True)
            self._pages[entry["path"]] = {tuple(element): page for element, page in known}
        return self._pages[entry["path"]].get(at)

    def spec(self) -> FrameSpec:
        """What the raw frames of the first segment look like; raises RecordError when there are none."""
        if not len(self):
            raise RecordError(f"found no raw frames in {self.folder}, expected at least one: the run ended before it")
        return self._specs[self._frames["array"][0].as_py()]

    @property
    def links(self) -> list[SavedElsewhere]:
        """Data sets that hold raw frames of this run: its acquisition saved them itself. They may be gone."""
        return read_links(self.manifest, self.folder)

    @property
    def segments(self) -> list[Segment]:
        """The unbroken sequences of frames, in the order they began: the look of their frames, exposure and moment.

        `began` is the receipt of a segment's first frame (of a rolling window: the first that still exists).
        """
        names = ("run", "camera", "segment", "array")
        first: dict[tuple[Any, ...], int] = {}
        for row, who in enumerate(zip(*(self._frames[name].to_pylist() for name in names), strict=True)):
            first.setdefault(who, row)
        clock = ClockPair(**self.manifest["clock"])
        found = []
        for (run, _, index, array), row in first.items():
            exposure_ms, received_ns = (self._frames[name][row].as_py() for name in ("exposure_ms", "received_ns"))
            began = ClockPair(clock.wall_of(received_ns), received_ns)
            found.append(Segment(run, index, self._specs[array], exposure_ms, began))
        return found

    def verify(self) -> list[int]:
        """Rows of the table "frames" whose pixels are not those that the camera gave (by their CRC-32), or are lost."""
        return [row for row, crc32 in enumerate(self._frames["crc32"].to_pylist()) if self._crc32(row) != crc32]

    def _crc32(self, row: int) -> int | None:
        try:
            return crc32(self.frame(row).pixels)
        except RecordError:
            return None

    def frame(self, row: int) -> Frame:
        """The raw frame in a row of the table "frames", with the identity and the times it was recorded with."""
        known = self._frames.slice(row, 1).to_pylist()[0]
        images = self.images[known["array"]]
        try:
            position, labels = json.loads(known["position"]), json.loads(known["labels"])
        except (ValueError, TypeError, RecursionError) as error:
            raise RecordError(
                f"row {row} of the frames in {self.folder} cannot be read ({error}): restore it"
            ) from error
        pixels = images.read(known["index"], known["page"])
        return frame_of(known, pixels, self._specs[known["array"]].axes, position, labels)

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        """The raw frames in the order they were saved; the first `n`, or all."""
        for row in range(len(self) if n is None else min(n, len(self))):
            yield self.frame(row)


def open_recording(folder: str | Path) -> RecordedRun:
    """Open a recording for reading; raises RecordError when the folder is none."""
    return RecordedRun(folder)
