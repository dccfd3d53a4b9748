"""Read a recording back: raw frames one by one, answers by index, tables whole."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._clock import ClockPair
from .._errors import RecordError
from .._frame import Frame, FrameId, FrameSpec, Segment
from ._flight import reason
from ._images import TENSORSTORE_ERRORS, open_images
from ._manifest import NAME, read_manifest
from ._tables import read_table
from .recorder import merge_state, read_frames, read_state, spec_of_entry

TRIES = 3


class RecordedImages:
    """One image series of a recording, read a frame at a time: (y, x) or (y, x, samples)."""

    def __init__(self, folder: Path, entry: dict[str, Any]) -> None:
        self.path = folder / entry["path"]
        if self.path.is_symlink() or (self.path / "0").is_symlink():
            raise RecordError(f"found a link at {self.path}, expected an image of this recording: put the image there")
        self.role: str = entry["role"]
        self.stage: str | None = entry.get("stage")
        self.shape: tuple[int, ...] = tuple(entry["shape"])
        self.dtype = np.dtype(entry["dtype"])
        self.pixel_size_um: float | None = entry["pixel_size_um"]
        self.scale: float = entry.get("scale", 1.0)
        self._array = open_images(self.path)

    def __getitem__(self, index: int) -> npt.NDArray[Any]:
        try:
            stored = np.asarray(self._array[index].read().result())
        except TENSORSTORE_ERRORS as error:
            raise RecordError(
                f"element {index} of {self.path} cannot be read ({reason(error)}): restore it from a copy"
            ) from error
        return np.ascontiguousarray(np.moveaxis(stored, 0, -1)) if stored.ndim == 3 else stored


class RecordedRun:
    """A recording in a folder; also of a run that was cut off: its tables name exactly what was saved.

    `manifest` is the content of recording.json, `images` all image series by their folder's name. Of a rolling window
    only the frames that still exist are told.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
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
            entry["path"]: RecordedImages(self.folder, entry)
            for entry in self.manifest["images"]
            if entry["path"] in named or (self.folder / entry["path"]).exists()  # made ready, and removed at the end
        }

    def __len__(self) -> int:
        """Raw frames that were saved."""
        return int(self._frames.num_rows)

    def table(self, name: str) -> Any:
        """A pyarrow.Table: "frames", "results", or a stage of objects; raises RecordError when there is none."""
        return self._frames if name == "frames" else read_table(self.folder, name)

    def spec(self) -> FrameSpec:
        """What the raw frames of the first segment look like; raises RecordError when there are none."""
        if not len(self):
            raise RecordError(f"found no raw frames in {self.folder}, expected at least one: the run ended before it")
        return self._specs[self._frames["array"][0].as_py()]

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
            return zlib.crc32(self.frame(row).pixels.data)
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
        stage = (known["stage_x_um"], known["stage_y_um"], known["stage_z_um"])
        return Frame(
            FrameId(known["run"], known["camera"], known["segment"], known["seq"]),
            images[known["index"]],
            self._specs[known["array"]].axes,
            position,
            known["received_ns"],
            known["exposure_end_ns"],
            known["pixel_size_um"],
            known["exposure_ms"],
            None if None in stage else stage,
            labels,
        )

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        """The raw frames in the order they were saved; the first `n`, or all."""
        for row in range(len(self) if n is None else min(n, len(self))):
            yield self.frame(row)


def open_recording(folder: str | Path) -> RecordedRun:
    """Open a recording for reading; raises RecordError when the folder is none."""
    return RecordedRun(folder)
