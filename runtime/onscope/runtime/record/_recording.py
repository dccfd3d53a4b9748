"""Recording: raw frames, answers, ledger and times of one run in one folder."""

from __future__ import annotations

import csv
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from .._clock import ClockPair
from .._errors import RecordError
from .._frame import Frame, FrameId, Source
from .._result import Result
from ._derived import DerivedWriter, provenance
from ._files import write_json
from ._images import ImageWriter
from ._latency import latency_report
from ._manifest import NAME, Manifest
from ._raw import RawWriter, RecordedSource


class LedgerRowLike(Protocol):
    """One row of the account."""

    @property
    def id(self) -> FrameId: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def frames(self) -> int: ...


class LedgerLike(Protocol):
    """What a recording takes from a ledger."""

    @property
    def counts(self) -> Mapping[str, int]: ...
    def table(self) -> Iterable[LedgerRowLike]: ...


class Recording:
    """A folder that a run is recorded in; a context manager.

    `tap` gives the source to record raw frames from, `add` takes results, `finish` writes the account (`follow` has
    it written after an exception too). Leaving the
    block closes all files in order, after an exception too: what was acknowledged is on the disk and can be read by
    `open_recording`. `pipeline` is described in the manifest. Raises RecordError when the folder is not empty (unless
    `overwrite` and it is a recording), cannot be made, or its disk fills up.
    """

    def __init__(self, folder: str | Path, pipeline: Any = None, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        self.clock = ClockPair.take()
        _make_folder(self.folder, overwrite)
        self._lock = threading.Lock()
        self._manifest = Manifest(self.folder, pipeline, self.clock)
        self._raw = RawWriter(self.folder, self.clock, self._note_raw)
        self._derived = DerivedWriter(self.folder, self._note_derived, lambda: self._expected)
        self._stages: dict[str, Any] = {}
        self._expected: int | None = None
        self._ledger: LedgerLike | None = None
        self._closed = False

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(error)

    @property
    def raw_frames(self) -> int:
        """Raw frames that are on the disk now."""
        return self._raw.count

    def tap(self, source: Source, n: int | None = None) -> Source:
        """The same source, with every raw frame saved before it is passed on; `n` frames are expected, if known.

        Its frames have read-only pixels. A disk that is slower than the camera makes it wait, it never drops.
        """
        self._expected = n
        return RecordedSource(source, self._raw, self.folder)

    def save(self, frame: Frame) -> None:
        """Save one raw frame, for callers that have no source; its pixels must not change afterwards."""
        self._raw.save(frame, self._expected)
        self._raw.reap()

    def add(self, result: Result) -> None:
        """Save a result's images and tables; called by the consumer, it waits when the disk is behind."""
        for stage in result:
            if stage not in self._stages:
                self._stages[stage] = provenance(result, stage).get("provenance", {})
        self._derived.add(result)

    def note(self, name: str, words: str) -> None:
        """Put something measured about this run into the manifest and the overview; call it before `finish`."""
        self._manifest.content["notes"][name] = words

    def follow(self, ledger: LedgerLike) -> None:
        """Write this account when the recording closes, whatever ends it."""
        self._ledger = ledger

    def finish(self, ledger: LedgerLike) -> None:
        """Write `ledger.csv` and `latency.json` and close all files; raises RecordError when the disk refuses it."""
        self.follow(ledger)
        self._close(None)

    def _close(self, error: BaseException | None) -> None:
        """Do every step of closing even when one fails; the first failure is raised unless `error` is under way."""
        if self._closed:
            return
        self._closed = True
        failures: list[RecordError] = []
        for step in self._steps():
            try:
                step()
            except RecordError as failure:
                failures.append(failure)
        cause = error or (failures[0] if failures else None)
        content = self._manifest.content
        content["state"] = "complete" if cause is None else "interrupted"
        content["error"] = None if cause is None else f"{type(cause).__name__}: {cause}"
        try:
            self._manifest.save()
        except RecordError as failure:
            failures.append(failure)
        if failures and error is None:
            raise failures[0]

    def _steps(self) -> Iterable[Callable[[], object]]:
        yield from self._raw.steps_of_closing()
        yield from self._derived.steps_of_closing()
        yield self._complete_manifest
        if self._ledger is not None:
            ledger = self._ledger
            yield lambda: _write_ledger(self.folder / "ledger.csv", ledger)
        yield self._write_latency

    def _write_latency(self) -> None:
        counts = {} if self._ledger is None else self._ledger.counts
        try:
            write_json(self.folder / "latency.json", latency_report(self.folder, counts, self._stages))
        except OSError as error:
            raise RecordError(
                f"latency.json could not be written to {self.folder} ({error.strerror}): make room on its disk"
            ) from error

    def _complete_manifest(self) -> None:
        lengths = self._raw.lengths() | self._derived.lengths()
        for image in self._manifest.content["images"]:
            image["frames"] = lengths[image["path"]]
        self._manifest.content["tables"] = ["frames", *self._derived.tables]

    def _note_raw(self, image: ImageWriter, frame: Frame) -> None:
        run, camera, segment, _ = frame.id
        self._note(image, {"role": "raw", "run": run, "camera": camera, "segment": segment}, frame.pixel_size_um)

    def _note_derived(self, image: ImageWriter, result: Result, stage: str) -> None:
        run, camera, segment, _ = result.frame.id
        scale = result.scales.get(stage, 1.0)
        size = result.frame.pixel_size_um
        entry = {"role": "derived", "stage": stage, "run": run, "camera": camera, "segment": segment, "scale": scale}
        self._note(image, entry | provenance(result, stage), None if size is None else size / scale)

    def _note(self, image: ImageWriter, entry: dict[str, Any], pixel_size_um: float | None) -> None:
        entry |= {"path": image.path.name, "shape": list(image.shape), "dtype": image.dtype.name}
        entry |= {"pixel_size_um": pixel_size_um, "frames": None}
        with self._lock:
            self._manifest.content["images"].append(entry)
            self._manifest.save()


def _make_folder(folder: Path, overwrite: bool) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not overwrite or not (folder / NAME).is_file():
                raise RecordError(
                    f"found {folder} in use, expected a new or empty folder: choose another one"
                    + (", or overwrite the recording in it" if (folder / NAME).is_file() else "")
                )
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be made ({error.strerror}): choose a folder that can be written to"
        ) from error


def _write_ledger(path: Path, ledger: LedgerLike) -> None:
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["run", "camera", "segment", "seq", "state", "reason", "frames"])
            writer.writerows([*row.id, row.state, row.reason, row.frames] for row in ledger.table())
    except OSError as error:
        raise RecordError(f"{path} could not be written ({error.strerror}): make room on its disk") from error
