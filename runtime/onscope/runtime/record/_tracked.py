"""The tracks of a recording, place by place, with the objects that they link and their label images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .._errors import RecordError
from .._frame import FrameId
from ._reader import RecordedRun
from ._who import WHO, ids_of

if TYPE_CHECKING:
    from ..track import Tracks

PLACE = ("run", "camera", "segment", "raw_array", "raw_c", "raw_z")


@dataclass(frozen=True)
class TrackedPlace:
    """One position, channel and plane of a recording.

    `tracks` are told with the columns of the objects that were tracked; `table` (pyarrow) has the same rows with
    `frame` and all columns. Frames are numbered as the elements of the raw image. `shape` is (y, x) of the raw frames.
    """

    name: str
    tracks: Tracks
    table: Any
    shape: tuple[int, int]
    _run: RecordedRun
    _labels: str | None
    _answers: Mapping[int, int]

    @property
    def labelled(self) -> bool:
        """Whether the objects come from label images of the frames' own pixels."""
        return any(self.labels(frame) is not None for frame in list(self._answers)[:1])

    def labels(self, frame: int) -> npt.NDArray[Any] | None:
        """The label image (y, x) of a frame, or None: there is none, or it has other pixels than the frame."""
        row = self._answers.get(frame)
        if row is None or self._labels is None:
            return None
        image = self._run.answer(self._labels, row)
        return image if image.shape == self.shape else None


def tracked(run: RecordedRun, stage: str | None = None) -> list[TrackedPlace]:
    """The places of the stage that tracks, or of the one named `stage`; none where nothing was ever tracked.

    Raises RecordError when there is no such stage, or several and none is named, or a table cannot be read.
    """
    stages = {each["name"]: each for each in _stages(run)}
    able = [name for name, each in stages.items() if each.get("kind") in ("track", "pairs")]
    if (stage is None and len(able) != 1) or (stage is not None and stage not in able):
        found = f"the stage {stage!r}" if stage is not None else f"{len(able)} stages that track"
        words = f"one of {', '.join(able)}: name it" if able else "a run of a pipeline with `track`"
        raise RecordError(f"found {found} in {run.folder}, expected {words}")
    name = able[0] if stage is None else stage
    read = str(stages[name]["reads"])
    measured = stages.get(read, {})
    labels = str(measured["reads"]) if measured.get("kind") == "measure" else None
    if name not in run.manifest["tables"]:
        return []
    table = _joined(run.table(name), run.table(read))
    return [_place(run, labels, rows) for rows in _by_place(table)] if table.num_rows else []


def _stages(run: RecordedRun) -> list[dict[str, Any]]:
    told = run.manifest["pipeline"]
    stages = told.get("stages") if isinstance(told, dict) else None
    return [each for each in stages if isinstance(each, dict) and "name" in each] if isinstance(stages, list) else []


def _joined(tracks: Any, objects: Any) -> Any:
    """The tracks, with the columns of their objects that they have none of: row `row` of the same frame."""
    starts: dict[FrameId, int] = {}
    for number, who in enumerate(ids_of(objects)):
        starts.setdefault(who, number)
    try:
        first = np.array([starts[who] for who in ids_of(tracks)], np.int64)
        taken = objects.take(first + tracks["row"].to_numpy())
    except (KeyError, IndexError, pa.ArrowException) as error:
        raise RecordError(
            f"found tracks of objects that are not in the recording ({error}): restore its tables"
        ) from error
    for column in taken.column_names:
        if column not in tracks.column_names:
            tracks = tracks.append_column(column, taken[column])
    return tracks


def _by_place(table: Any) -> list[Any]:
    keys = list(zip(*(table[name].to_pylist() for name in PLACE), strict=True))
    rows: dict[Any, list[int]] = {}
    for number, key in enumerate(keys):
        rows.setdefault(key, []).append(number)
    return [table.take(numbers) for numbers in rows.values()]


def _place(run: RecordedRun, labels: str | None, rows: Any) -> TrackedPlace:
    from ..track import tracks_of

    array, c, z = (rows[name][0].as_py() for name in ("raw_array", "raw_c", "raw_z"))
    seqs = rows["seq"].to_numpy()
    frame = seqs - seqs.min() if array is None else rows["raw_t"].to_numpy().astype(np.int64)
    numbers = dict(zip(ids_of(rows), frame.tolist(), strict=True))
    answers = {numbers[who]: row for row, who in enumerate(ids_of(run.table("results"))) if who in numbers}
    images = None if array is None else run.images.get(array)
    own = {*WHO, *(name for name in rows.column_names if name.startswith("raw_"))}
    names = [name for name in rows.column_names if name not in own]
    columns = {name: rows[name].to_numpy(zero_copy_only=False) for name in names}
    told = {name: columns.pop(name) for name in ("track", "parent", "y", "x", "age", "vy", "vx", "missed")}
    columns.pop("row")
    tracks = tracks_of(
        frame,
        told,
        columns,
        frames=_frames(run, array),
        pixel_size_um=None if images is None else images.pixel_size_um,
        interval_s=_interval_s(run, numbers),
    )
    shape = (0, 0) if images is None else (int(images.shape[-2]), int(images.shape[-1]))
    if images is not None and len(images.shape) == 3 and images.shape[-1] in (3, 4):
        shape = (int(images.shape[0]), int(images.shape[1]))
    where = [
        str(array or "frames").removesuffix(".ome.zarr"),
        *(f"{axis}{at}" for axis, at in (("c", c), ("z", z)) if at is not None),
    ]
    table = rows.append_column("frame", pa.array(frame))
    return TrackedPlace("-".join(where).replace("/", "-"), tracks, table, shape, run, labels, answers)


def _frames(run: RecordedRun, array: str | None) -> int:
    """How many time points the raw image has."""
    table = run.table("frames")
    mine = [
        at[0] for at, name in zip(table["index"].to_pylist(), table["array"].to_pylist(), strict=True) if name == array
    ]
    return max(mine, default=-1) + 1


def _interval_s(run: RecordedRun, numbers: Mapping[FrameId, int]) -> float | None:
    """Seconds from frame to frame: the median, by when they came."""
    results = run.table("results")
    came = {
        numbers[who]: at
        for who, at in zip(ids_of(results), results["received_ns"].to_pylist(), strict=True)
        if who in numbers
    }
    at = np.array(sorted(came))
    if len(at) < 2:
        return None
    times = np.array([came[number] for number in at.tolist()])
    return float(np.median(np.diff(times) / np.diff(at)) / 1e9) or None
