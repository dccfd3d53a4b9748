"""Answers on their way to the disk: an image per stage with its own dtype, a table per stage of objects.

A frame without a result (skipped, failed) has no place in them: nothing is filled in.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .._errors import RecordError
from .._result import Result
from ._files import require_space
from ._flight import Flight
from ._images import ImageWriter
from ._tables import TableWriter, structured_columns

WHO = [("run", pa.string()), ("camera", pa.string()), ("segment", pa.int64()), ("seq", pa.int64())]
TIMES = [
    ("state", pa.string()),
    ("received_ns", pa.int64()),
    ("delivered_ns", pa.int64()),
    ("latency_ms", pa.float64()),
    ("look_ahead_ms", pa.float64()),
]
WINDOW = [("frames", pa.int64()), ("target", pa.int64()), ("padded", pa.int64()), ("state_reset", pa.bool_())]
"""What the result's window was; docs/recordings.md says what each column is."""
RESERVED = ("raw", "frames", "results", "ledger", "latency", "overview", "recording")
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""No names of files on Windows."""


class DerivedWriter:
    """Images and tables of all stages, and the table `results`. Safe to use from several threads.

    `stages` and, of these, `images` are those of the pipeline, where it is known: a stage may run on some frames only.
    """

    def __init__(
        self,
        folder: Path,
        on_image: Callable[[ImageWriter, Result, str], None],
        expected: Callable[[], int | None],
        stages: Sequence[str] = (),
        images: Sequence[str] = (),
    ) -> None:
        self._stages = tuple(stages)
        self._pictures = tuple(images)
        self._folder = folder
        self._on_image = on_image
        self._expected = expected
        self._lock = threading.Lock()
        self._images: dict[tuple[object, ...], ImageWriter] = {}
        self._on_disk: dict[ImageWriter, int] = {}
        self._tables: dict[str, TableWriter] = {}
        self._results: TableWriter | None = None
        self._flight = Flight()
        self._closed = False

    @property
    def tables(self) -> list[str]:
        """Names of the tables: `results`, and the stages whose answers are objects."""
        return [] if self._results is None else ["results", *self._tables]

    def add(self, result: Result) -> None:
        """Begin to save a result; waits when the disk is behind. Raises RecordError when it cannot be saved."""
        with self._lock:
            if self._closed:
                raise RecordError(f"result {result.frame.id} came after the recording was finished, expected none")
            pictures = {stage: answer for stage, answer in result.answers.items() if is_image(answer)}
            if self._results is None:
                self._begin(result, pictures)
            self._make_tables(result, pictures)
            places: dict[str, tuple[ImageWriter, int]] = {}
            futures, nbytes = [], 0
            for stage, answer in pictures.items():
                image = self._image_of(stage, answer, result)
                index, future = image.write(answer)
                places[stage] = image, index
                futures.append(future)
                nbytes += image.nbytes
            what = f"the result of frame {result.frame.id}"
            self._flight.add(what, futures, nbytes, partial(self._acknowledge, result, places))
            self._flight.reap()

    def drain(self) -> None:
        """Wait until every result that was given is on the disk."""
        with self._lock:
            self._flight.drain()

    def steps_of_closing(self) -> Iterator[Callable[[], object]]:
        """What must be done to close, each to be tried even when another fails."""
        with self._lock:
            self._closed = True
        yield self.drain
        for image in self._images.values():
            yield partial(self._cut, image)
        for table in self._tables.values():
            yield table.close
        if self._results is not None:
            yield self._results.close

    def _cut(self, image: ImageWriter) -> None:
        image.close(self._on_disk.get(image, 0))

    def lengths(self) -> dict[str, int]:
        """Images on the disk by name."""
        return {image.path.name: self._on_disk.get(image, 0) for image in self._images.values()}

    def _begin(self, result: Result, pictures: Mapping[str, np.ndarray[Any, Any]]) -> None:
        check_stages(self._stages or tuple(result))
        frames = self._expected()
        if frames is not None:
            each = sum(answer.nbytes for answer in pictures.values())
            require_space(self._folder, each * frames, f"the images that {frames} frames give")
        self._stages = self._stages or tuple(result)
        self._pictures = self._pictures or tuple(pictures)
        steps = [step for step in result.stamps.steps_ms() if not step.startswith("stage ")]
        columns = [*WHO, *TIMES, *WINDOW, *((f"{step}_ms", pa.float64()) for step in steps)]
        columns += [(f"stage {stage}_ms", pa.float64()) for stage in self._stages]
        for stage in self._pictures:
            columns += [(f"{stage}_array", pa.string()), (f"{stage}_index", pa.int64())]
        self._results = TableWriter(self._folder, "results", pa.schema(columns))

    def _make_tables(self, result: Result, pictures: Mapping[str, np.ndarray[Any, Any]]) -> None:
        for stage, answer in result.answers.items():
            if stage not in self._stages:
                raise RecordError(
                    f"found an answer of the stage {stage!r}, expected one of {', '.join(self._stages)}: give the "
                    "recording its pipeline"
                )
            if stage not in pictures and stage not in self._tables:
                fields = [(name, pa.from_numpy_dtype(each.dtype)) for name, each in structured_columns(answer).items()]
                self._tables[stage] = TableWriter(self._folder, stage, pa.schema([*WHO, *fields]), csv=True)

    def _acknowledge(self, result: Result, places: Mapping[str, tuple[ImageWriter, int]]) -> None:
        assert self._results is not None
        who, stamps = result.frame.id, result.stamps
        values: dict[str, Any] = dict(zip([name for name, _ in WHO], who, strict=True))
        values |= {"state": result.state, "received_ns": stamps.received, "delivered_ns": stamps.delivered}
        values |= {"latency_ms": result.latency_ms, "look_ahead_ms": result.look_ahead_ms}
        frames = len(result.frames)
        values |= {"frames": frames, "target": result.target % frames}
        values |= {"padded": result.padded, "state_reset": result.state_reset}
        values |= {f"{step}_ms": ms for step, ms in stamps.steps_ms().items()}
        # Stages that ran as one graph have its whole time each: a column is there for every stage that ran.
        values |= {f"stage {stage}_ms": (end - start) / 1e6 for stage, (start, end) in stamps.stages.items()}
        for stage, (image, index) in places.items():
            values |= {f"{stage}_array": image.path.name, f"{stage}_index": index}
            self._on_disk[image] = index + 1
        for stage, table in self._tables.items():
            if stage in result.answers:
                columns = structured_columns(result[stage])
                rows = len(next(iter(columns.values())))
                table.append([*([value] * rows for value in who), *columns.values()])
        self._results.append([[values.get(name)] for name in self._results.columns])

    def _image_of(self, stage: str, answer: np.ndarray[Any, Any], result: Result) -> ImageWriter:
        size = result.frame.pixel_size_um
        # Segments whose answers look alike share an image: an acquisition may consist of thousands of short ones.
        key = (stage, result.frame.id.camera, answer.shape, answer.dtype.name, size)
        if key not in self._images:
            number = sum(name == stage for name, *_ in self._images)
            image = ImageWriter(
                self._folder / (f"{stage}-{number}.ome.zarr" if number else f"{stage}.ome.zarr"),
                answer.shape,
                answer.dtype.name,
                pixel_size_um=None if size is None else size / result.scales.get(stage, 1.0),
                expected=self._expected(),
                attributes={"role": "derived", "stage": stage, **provenance(result, stage)},
            )
            self._images[key] = image
            self._on_image(image, result, stage)
        return self._images[key]


def check_stages(stages: Sequence[str]) -> None:
    """Raise RecordError unless each stage's files can be told from all others, also where case does not count."""
    names = [stage.casefold() for stage in stages]
    for stage, name in zip(stages, names, strict=True):
        plain, numbered = re.fullmatch(r"\w[\w.-]*", name), re.fullmatch(r"(.+)-\d+", name)
        known = {*names, *RESERVED}
        twice = name in RESERVED or names.count(name) > 1 or (numbered and numbered[1] in known)
        if not plain or twice or DEVICES.match(name):
            raise RecordError(
                f"found a stage named {stage!r}, expected a plain word other than {', '.join(RESERVED)}, which "
                "name other files of a recording, and none that another stage's files may have: rename the stage"
            )


def is_image(answer: np.ndarray[Any, Any]) -> bool:
    """True for (y, x) and (y, x, samples) arrays; a structured or flat array is a table. Others raise RecordError."""
    if answer.dtype.names is not None or answer.ndim < 2:
        return False
    if answer.ndim > 3:
        raise RecordError(
            f"found an answer of shape {answer.shape}, expected an image (y, x) or (y, x, samples) or a table: let the "
            "stage give one image per result"
        )
    return True


def provenance(result: Result, stage: str) -> dict[str, Any]:
    """Where a stage's answers come from, as plain values."""
    known = result.provenance.get(stage)
    return {} if known is None else {"provenance": asdict(known)}
