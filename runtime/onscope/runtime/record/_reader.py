"""Read a recording back: raw frames one by one, answers by index, tables whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from .._frame import Frame, FrameId, FrameSpec
from ._images import open_images
from ._manifest import read_manifest
from ._tables import read_table


class RecordedImages:
    """One image series of a recording, read a frame at a time: (y, x) or (y, x, samples)."""

    def __init__(self, folder: Path, entry: dict[str, Any]) -> None:
        self.path = folder / entry["path"]
        self.role: str = entry["role"]
        self.stage: str | None = entry.get("stage")
        self.shape: tuple[int, ...] = tuple(entry["shape"])
        self.dtype = np.dtype(entry["dtype"])
        self.pixel_size_um: float | None = entry["pixel_size_um"]
        self.scale: float = entry.get("scale", 1.0)
        self._array = open_images(self.path)

    def __getitem__(self, index: int) -> npt.NDArray[Any]:
        stored = np.asarray(self._array[index].read().result())
        return np.ascontiguousarray(np.moveaxis(stored, 0, -1)) if stored.ndim == 3 else stored


class RecordedRun:
    """A recording in a folder; also of a run that was cut off: its tables name exactly what was saved.

    `manifest` is the content of recording.json, `images` all image series by their folder's name.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.images = {entry["path"]: RecordedImages(self.folder, entry) for entry in self.manifest["images"]}
        self._frames = read_table(self.folder, "frames")

    def __len__(self) -> int:
        """Raw frames that were saved."""
        return int(self._frames.num_rows)

    def table(self, name: str) -> Any:
        """A pyarrow.Table: "frames", "results", or a stage of objects; raises RecordError when there is none."""
        return self._frames if name == "frames" else read_table(self.folder, name)

    def spec(self) -> FrameSpec:
        """What the raw frames of the first segment look like; raises RecordError when there are none."""
        raw = next((image for image in self.images.values() if image.role == "raw"), None)
        if raw is None:
            raise RecordError(f"found no raw frames in {self.folder}, expected at least one: the run ended before it")
        entry = next(entry for entry in self.manifest["images"] if entry["path"] == raw.path.name)
        return FrameSpec(
            raw.shape,
            raw.dtype.name,
            "yxs" if len(raw.shape) == 3 else "yx",
            entry["camera"],
            raw.pixel_size_um,
            8 * raw.dtype.itemsize,
        )

    def frame(self, row: int) -> Frame:
        """The raw frame in a row of the table "frames", with the identity and the times it was recorded with."""
        known = self._frames.slice(row, 1).to_pylist()[0]
        images = self.images[known["array"]]
        stage = (known["stage_x_um"], known["stage_y_um"], known["stage_z_um"])
        return Frame(
            FrameId(known["run"], known["camera"], known["segment"], known["seq"]),
            images[known["index"]],
            "yxs" if len(images.shape) == 3 else "yx",
            json.loads(known["position"]),
            known["received_ns"],
            known["exposure_end_ns"],
            known["pixel_size_um"],
            known["exposure_ms"],
            None if None in stage else stage,
        )

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        """The raw frames in the order they were saved; the first `n`, or all."""
        for row in range(len(self) if n is None else min(n, len(self))):
            yield self.frame(row)


def open_recording(folder: str | Path) -> RecordedRun:
    """Open a recording for reading; raises RecordError when the folder is none."""
    return RecordedRun(folder)
