"""Which frames there are: the table `frames` of a recording, or one made by playing another data set once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..._errors import RecordError, SourceError
from ..._frame import Frame, FrameSpec, spec_of
from ..._sources import describe_source, open_source
from .._crc32 import crc32
from .._frame_of import frame_of
from .._manifest import is_recording
from .._places import Place, Places
from .._reader import open_recording
from .._who import WHO
from ..recorder import FRAMES, spec_of_entry

BATCH = 4096
NOTHING = np.zeros(0, np.uint8)
"""The pixels of a frame of which only the account is looked at."""
SAID = (*WHO, "position", "labels", "exposure_ms", "pixel_size_um", "stage_x_um", "stage_y_um", "stage_z_um", "crc32")
"""What answers depend on, or say of themselves."""


@dataclass(frozen=True, slots=True)
class KnownFrame:
    """A frame without its pixels: `named` is how PixelReader knows it, `place` the element of its raw image."""

    row: int
    frame: Frame
    spec: FrameSpec
    place: Place
    named: list[Any]


@dataclass(frozen=True)
class FrameTable:
    """The frames of a data set in the order in which they came. `table` has the columns of `frames`.

    `images` are the raw images of a recording (None: a replay gives the pixels), `specs` and `along` say what the
    frames of each image look like and which axes its elements are counted along. `manifest` is that of the recording,
    {} where it is none, and `source` what a replay says of itself.
    """

    path: Path
    table: Any
    images: list[dict[str, Any]] | None
    specs: Mapping[str, FrameSpec]
    along: Mapping[str, str]
    manifest: Mapping[str, Any]
    source: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def reading(self) -> dict[str, Any]:
        """What a PixelReader must be told, as plain values."""
        return {"path": str(self.path), "images": self.images}

    @property
    def sha256(self) -> str:
        """Of everything that answers depend on: who the frames are, where they were taken, and their checksums."""
        digest, said = hashlib.sha256(), self.table.select(list(SAID))
        for start in range(0, len(self), BATCH):  # Arrow's own batches are as the table was written
            digest.update(json.dumps(said.slice(start, BATCH).to_pydict()).encode())
        return digest.hexdigest()

    def rows(self) -> Iterator[KnownFrame]:
        """The frames, one after the other."""
        row = 0
        for batch in self.table.to_batches(BATCH):
            for known in batch.to_pylist():
                yield self._known(row, known)
                row += 1

    def known(self, rows: Collection[int]) -> dict[int, KnownFrame]:
        """Some of the frames, by their rows."""
        ordered = sorted(rows)
        found = self.table.take(ordered).to_pylist()
        return {row: self._known(row, known) for row, known in zip(ordered, found, strict=True)}

    def _known(self, row: int, known: Mapping[str, Any]) -> KnownFrame:
        array, index = known["array"], tuple(known["index"])
        spec, along = self.specs[array], self.along[array]
        try:
            position, labels = json.loads(known["position"] or "{}"), json.loads(known["labels"] or "{}")
        except (ValueError, RecursionError) as error:
            raise RecordError(f"row {row} of the frames in {self.path} cannot be read ({error}): restore it") from error
        frame = frame_of(known, NOTHING, spec.axes, position, labels)
        named = [row, array, list(index), known["page"], known["crc32"]]
        return KnownFrame(row, frame, spec, Place(array, along, index), named)


def frames_of(path: Path, kept: Path, progress: Callable[[str, int, int], object] = lambda *_: None) -> FrameTable:
    """The frames of a recording, or of what a replay reads (NDTiff, OME-TIFF, OME-Zarr, a folder of images).

    Other data sets than recordings have no checksums: they are read once for it, and what was found is kept in the
    file `kept` for as long as names, sizes and times of their files stay. Raises RecordError when there are no frames.
    """
    if is_recording(path):
        run = open_recording(path)
        if len(run):
            raw = [entry for entry in run.manifest["images"] if entry["role"] == "raw"]
            specs = {entry["path"]: spec_of_entry(entry) for entry in raw}
            along = {entry["path"]: str(entry.get("along", "t")) for entry in raw}
            return FrameTable(path.resolve(), run.table("frames"), raw, specs, along, run.manifest)
    if not path.exists():
        raise RecordError(f"found nothing at {path}, expected a recording or stored images: look at its path")
    return _played(path.resolve(), kept, progress)


def _played(path: Path, kept: Path, progress: Callable[[str, int, int], object]) -> FrameTable:
    seen = _fingerprint(path)
    if kept.is_file():
        table = pq.read_table(kept)
        told = json.loads((table.schema.metadata or {}).get(b"onscope", b"{}"))
        if told.get("seen") == seen:
            return _replayed(path, table, told)
    columns: dict[str, list[Any]] = {field.name: [] for field in FRAMES}
    places, specs, along = Places(), dict[str, FrameSpec](), dict[str, str]()
    try:
        with open_source(f"replay:{path}") as source:
            about = describe_source(source)
            for row, frame in enumerate(source.frames()):
                spec = spec_of(frame)
                place = places.assign(frame, spec)
                specs[place.array], along[place.array] = spec, place.axes
                values = _values(row, frame, place, seen)
                for name, cells in columns.items():
                    cells.append(values.get(name))
                progress("reading the frames' checksums", row + 1, 0)
    except SourceError as error:
        raise RecordError(str(error)) from error
    looks = {name: list(astuple(spec)) for name, spec in specs.items()}
    told = {"seen": seen, "specs": looks, "along": along, "source": about}
    table = pa.table(columns, schema=FRAMES).replace_schema_metadata({"onscope": json.dumps(told)})
    kept.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, kept.with_suffix(".part"))
    os.replace(kept.with_suffix(".part"), kept)
    return _replayed(path, table, told)


def _replayed(path: Path, table: Any, told: Mapping[str, Any]) -> FrameTable:
    if not table.num_rows:
        raise RecordError(f"found no frames in {path}, expected at least one: nothing can be computed")
    specs = {name: FrameSpec(tuple(shape), *more) for name, (shape, *more) in told["specs"].items()}
    return FrameTable(path, table, None, specs, told["along"], {}, told["source"])


def _values(row: int, frame: Frame, place: Place, seen: str) -> dict[str, Any]:
    stage: Sequence[float | None] = frame.stage_um or (None, None, None)
    values = dict(zip(("run", "camera", "segment", "seq"), frame.id, strict=True))
    values |= {"run": seen[:8], "number": row, "array": place.array, "index": list(place.at)}
    values |= {"position": json.dumps(dict(frame.index)), "labels": json.dumps(dict(frame.labels))}
    values |= {"received_ns": frame.received_ns, "exposure_end_ns": frame.exposure_end_ns}
    values |= {"exposure_ms": frame.exposure_ms, "pixel_size_um": frame.pixel_size_um}
    values |= dict(zip(("stage_x_um", "stage_y_um", "stage_z_um"), stage, strict=True))
    return values | {"crc32": crc32(frame.pixels)}


def _fingerprint(path: Path) -> str:
    """Of the names, sizes and times of a data set's files."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    said = [(str(each.relative_to(path.parent)), each.stat().st_size, each.stat().st_mtime_ns) for each in files]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
