"""Truth read back, of a recording that ended in order or was cut off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameId, RecordError
from onscope.runtime.record import open_images, read_table
from onscope.specimen import Truth, View

from ._tables import objects_of
from ._writer import FOLDER, NAME

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """What is true of one frame.

    `counts` is float32 (rows, columns): what a camera without noise would have given; `truth` has the labels and the
    objects of that moment, `view` says where in the sample the camera looked, drift included. `exposure` is the number
    of the exposure, `frame` the recording's frame (None: it was made by other software).
    """

    exposure: int
    frame: FrameId | None
    counts: npt.NDArray[np.float32]
    truth: Truth
    view: View


class RecordedTruth:
    """The truth in a folder: `about` it, `frames` and `objects` as pyarrow tables; made by `read_truth`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.about: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecordError(f"found no {NAME} in {folder}, expected it beside the truth of a recording") from error
        self.frames = read_table(folder, "frames")
        self.objects = read_table(folder, "objects")
        names = ("run", "camera", "segment", "seq")
        who = zip(*(self.frames[name].to_pylist() for name in names), strict=True)
        self._exposures = self.frames["exposure"].to_pylist()
        self._by_frame = {FrameId(*each): row for row, each in enumerate(who) if None not in each}
        self._by_exposure = {number: row for row, number in enumerate(self._exposures)}
        self._of_objects = self.objects["exposure"].to_numpy()
        self._arrays: dict[str, Any] = {}

    def __len__(self) -> int:
        """Frames whose truth is known."""
        return int(self.frames.num_rows - self.frames["counts_index"].null_count)

    @property
    def missing(self) -> int:
        """Frames whose truth was not known any more when it was to be saved."""
        return int(self.about.get("missing", self.frames["counts_index"].null_count))

    def of(self, frame: FrameId | int) -> SeenFrame:
        """The truth of a recording's frame, or of an exposure by its number (the tag SpecimenExposure).

        Raises RecordError when it is not known, or an image cannot be read.
        """
        row = self._by_exposure.get(frame) if isinstance(frame, int) else self._by_frame.get(frame)
        known = None if row is None else self.frames.slice(row, 1).to_pylist()[0]
        if row is None or known is None or known["counts_index"] is None:
            raise RecordError(
                f"found no truth of {frame} in {self.folder}, expected one of the {len(self)} frames whose truth was "
                "saved: see the table `frames`"
            )
        exposure = known["exposure"]
        counts, labels, nuclei = (
            self._read(known[f"{name}_array"], known[f"{name}_index"]) for name in ("counts", "labels", "nuclei")
        )
        first, last = np.searchsorted(self._of_objects, [exposure, exposure + 1])
        objects = objects_of(self.objects.slice(first, last - first))
        view = View((known["y_um"], known["x_um"]), labels.shape, known["pixel_um"])
        who = (known["run"], known["camera"], known["segment"], known["seq"])
        named = None if None in who else FrameId(*who)
        return SeenFrame(exposure, named, counts, Truth(known["time_s"], labels, nuclei, objects), view)

    def _read(self, name: str, index: int) -> Array:
        if name not in self._arrays:
            if Path(name).name != name:
                raise RecordError(f"found the image {name!r} in {self.folder}, expected the name of one beside it")
            self._arrays[name] = open_images(self.folder / name)
        try:
            return np.asarray(self._arrays[name][index].read().result())
        except (ValueError, RuntimeError, OSError) as error:
            raise RecordError(
                f"element {index} of {self.folder / name} cannot be read ({error}): restore it from a copy"
            ) from error


def read_truth(folder: str | Path) -> RecordedTruth:
    """The truth of a recording (its folder, or the folder `truth` in it); also of a run that was cut off.

    Raises RecordError when there is none.
    """
    path = Path(folder)
    return RecordedTruth(path if (path / NAME).is_file() else path / FOLDER)
