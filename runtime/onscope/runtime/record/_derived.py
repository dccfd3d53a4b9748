"""Answers on their way to the disk: an image per stage with its own dtype, a table per stage of objects.

An answer stands at the element of its raw frame. Of a frame without one (skipped, failed) the element stays empty:
nothing is filled in.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from .._columns import structured_columns
from .._errors import OnscopeError, RecordError
from .._frame import Frame, FrameId
from .._result import Result
from ._beside import BesideAnswers
from ._elements import Element, Elements
from ._files import require_space
from ._flight import Flight
from ._places import Places, most_unnamed_of
from ._result_row import columns_of, row_of
from ._stage_images import StageImage, StageImages, Written
from ._stages import check_stages, is_image
from ._tables import TableWriter
from ._who import COLUMNS, ids_of
from .recorder import DiskWatch, read_frames, rows_by_image

RAW = [("raw_array", pa.string()), *((f"raw_{axis}", pa.int64()) for axis in "tcz")]
"""Columns of a table of objects: the element that their raw frame is, null where there is none."""
POLL_S = 0.001


class Raw(Protocol):
    """The raw frames of the same recording: where they are, how many are under way, what ended their saving.

    `bytes_at_most` may be under way at once: the camera goes on for a while after it was told to stop.
    """

    places: Places
    failure: OnscopeError | None

    @property
    def waiting(self) -> int: ...
    @property
    def bytes_at_most(self) -> int: ...
    def check_place(self) -> None: ...


class DerivedWriter:
    """Images and tables of all stages, the table `results` and those beside it. Safe to use from several threads.

    `stages`, of these `images` and of these `labels` are those of the pipeline, where it is known: a stage may run on
    some frames only. `on_image` is told of each image that was made, with its entry of the manifest. With `keep`, the
    raw frames are a rolling window: their answers roll with them.
    """

    def __init__(
        self,
        folder: Path,
        raw: Raw,
        on_image: Callable[[dict[str, Any]], None],
        expected: Callable[[], int | None],
        stages: Sequence[str] = (),
        images: Sequence[str] = (),
        labels: Collection[str] = (),
        keep: int | None = None,
    ) -> None:
        self._stages = tuple(stages)
        self._pictures = tuple(images)
        self._folder = folder
        self._raw = raw
        self._expected = expected
        self._keep = keep
        self._lock = threading.Lock()
        self._elements = Elements(raw.places)
        self._images = StageImages(folder, labels, on_image, expected, rolling=keep is not None)
        self._tables: dict[str, TableWriter] = {}
        self._results: TableWriter | None = None
        self._beside = BesideAnswers(folder)
        self._flight = Flight()
        self._disk = DiskWatch(folder)
        self._rows: Mapping[str, Any] = {}
        self._told: set[FrameId] | None = None
        self._closed = False
        self.failure: Exception | None = None
        """Why results that were given are not on the disk, if so."""

    @property
    def tables(self) -> list[str]:
        """Names of the tables: `results`, the stages whose answers are objects, and those beside the answers."""
        if self._results is None:
            return []
        return ["results", *(table.name for table in self._other_tables)]

    def add(self, result: Result) -> None:
        """Begin to save a result; waits when the disk is behind. Raises RecordError when it cannot be saved."""
        with self._lock, self._noting_failure():
            if self._closed:
                raise RecordError(f"result {result.frame.id} came after the recording was finished, expected none")
            pictures = {stage: answer for stage, answer in result.answers.items() if is_image(answer)}
            element = self._elements.of(result.frame)
            if self._results is None:
                self._begin(result, pictures)
            self._make_tables(result, pictures)
            if self._keep is not None and element.recorded:
                self._wait_for_room(result.frame)
            self._leave_room(result)
            places = {stage: self._images.write(result, stage, element) for stage in pictures}
            futures = [future for written in places.values() for future in written.futures]
            nbytes = sum(written.image.files.nbytes for written in places.values())
            what = f"the result of frame {result.frame.id}"
            self._flight.add(what, futures, nbytes, partial(self._acknowledge, result, element, places))
            self._flight.reap()

    def _leave_room(self, result: Result) -> None:
        """Raw frames go first: whatever waits for its recorder, and comes meanwhile, must find room beside answers."""
        if self._disk.count(sum(answer.nbytes for answer in result.answers.values())):
            waiting = self._raw.waiting * result.frame.pixels.nbytes
            self._disk.reserve_for(max(waiting, self._raw.bytes_at_most) + self._flight.nbytes)
            self._disk.ask()

    def _wait_for_room(self, frame: Frame) -> None:
        """In a rolling window, until the element of the answer is that of no raw frame that is still told."""
        while self._raw.waiting > most_unnamed_of(frame.pixels.nbytes) and self._raw.failure is None:
            time.sleep(POLL_S)

    def drain(self) -> None:
        """Wait until every result that was given is on the disk."""
        with self._lock, self._noting_failure():
            self._flight.drain()

    @contextlib.contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.failure = self.failure or error
            raise

    def steps_of_closing(self) -> Iterator[Callable[[], object]]:
        """What must be done to close, each to be tried even when another fails."""
        with self._lock:
            self._closed = True
        yield self.drain
        yield self._look_at_frames
        for image in self._images.all():
            yield partial(self._close_image, image)
        for table in self._other_tables:
            yield table.close
        if self._results is not None:
            yield self._results.close

    def _look_at_frames(self) -> None:
        if self._images.all():
            frames = read_frames(self._folder, self._keep)
            self._rows = rows_by_image(frames)
            if self._keep is not None:
                self._told = set(ids_of(frames))

    def _close_image(self, image: StageImage) -> None:
        image.close(self._rows.get(image.raw or ""), self._told if image.raw else None)

    def counts(self) -> dict[str, dict[str, int]]:
        """Answers on the disk and elements without one (`frames`, `missing`), by the paths of the images."""
        return {image.path: image.files.counts() for image in self._images.all()}

    def _begin(self, result: Result, pictures: Mapping[str, np.ndarray[Any, Any]]) -> None:
        check_stages(self._stages or tuple(result))
        frames = self._expected()
        if frames is not None:
            each = sum(answer.nbytes for answer in pictures.values())
            require_space(self._folder, each * frames, f"the images that {frames} frames give")
        self._stages = self._stages or tuple(result)
        self._pictures = self._pictures or tuple(pictures)
        self._results = TableWriter(self._folder, "results", columns_of(result, self._stages, self._pictures))

    def _make_tables(self, result: Result, pictures: Mapping[str, np.ndarray[Any, Any]]) -> None:
        for stage, answer in result.answers.items():
            if stage not in self._stages:
                raise RecordError(
                    f"found an answer of the stage {stage!r}, expected one of {', '.join(self._stages)}: give the "
                    "recording its pipeline"
                )
            if stage not in pictures and stage not in self._tables:
                fields = [(name, pa.from_numpy_dtype(each.dtype)) for name, each in structured_columns(answer).items()]
                self._tables[stage] = TableWriter(self._folder, stage, pa.schema([*COLUMNS, *RAW, *fields]), csv=True)

    def _acknowledge(self, result: Result, element: Element, places: Mapping[str, Written]) -> None:
        assert self._results is not None
        self._raw.check_place()  # a file's path may lead elsewhere by now, where its images were written then
        values = row_of(result)
        for stage, written in places.items():
            values |= {f"{stage}_array": written.image.path, f"{stage}_index": list(written.at)}
        with self._together():
            self._append(result, element, values)
        for written in places.values():
            written.image.files.present.mark(written.at)

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """Rows of one result: all of them, or none."""
        sizes = {table.name: table.size for table in self._other_tables}
        try:
            yield
        except Exception:
            for table in self._other_tables:
                with contextlib.suppress(RecordError):  # the first refusal is told
                    table.cut(sizes.get(table.name))
            raise

    @property
    def _other_tables(self) -> list[TableWriter]:
        return [*self._tables.values(), *self._beside.tables]

    def _append(self, result: Result, element: Element, values: Mapping[str, Any]) -> None:
        assert self._results is not None
        who, where = result.frame.id, self._raw_columns(element)
        for stage, table in self._tables.items():
            if stage in result.answers:
                columns = structured_columns(result[stage])
                rows = len(next(iter(columns.values())))
                table.append([*([value] * rows for value in (*who, *where)), *columns.values()])
        self._beside.add(result, recorded=element.recorded)
        self._results.append([[values.get(name)] for name in self._results.columns])

    @staticmethod
    def _raw_columns(element: Element) -> list[Any]:
        at = dict(zip(element.place.axes, element.place.at, strict=True))
        return [element.raw, *(at.get(axis) for axis in "tcz")]
