"""Recording: raw frames, answers, ledger and times of one run in one folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from .._clock import ClockPair
from .._elsewhere import SavedElsewhere
from .._errors import RecordError
from .._frame import Frame, FrameSpec, Source
from .._result import Result
from .._sources import describe_source
from ._account import LedgerLike, write_ledger
from ._checksums import write_checksums
from ._collection import write_collection
from ._derived import DerivedWriter
from ._files import require_space
from ._fresh import make_folder
from ._latency import write_latency
from ._links import add_link
from ._manifest import SCHEMA, Manifest
from ._own import OwnSlots, RecordedSource
from ._stages import check_stages, provenance
from ._who import as_entries
from .about import write_methods
from .formats import DEFAULT, format_of
from .recorder import RecorderSink, Tell, forget_state, merge_raw

BUFFER_MB = 128.0
log = logging.getLogger("onscope")


def to_log(kind: str, words: str) -> None:
    """The default: what becomes of the recorder process as warnings, how long the disk lasts as information."""
    log.log(logging.INFO if kind in ("disk", "recorder back") else logging.WARNING, "%s: %s", kind, words)


class Recording:
    """A folder that a run is recorded in; a context manager.

    `Runtime(pipeline, record=recording)` has raw frames saved from the slots that they stand in (by `sink`); without a
    runtime, `tap` gives the source to record them from, and `save` takes them one by one. `add` takes results,
    `finish` writes the account (`follow` has it written after an exception too). Leaving the block closes all files
    in order, after an exception too: what was acknowledged is on the disk and can be read by `open_recording`.

    Raw frames are written by a process of its own, which saves what it was told of even when this one is killed.
    `pipeline` is described in the manifest. With `keep`, only the last `keep` raw frames of each image are kept.
    `format` is that of the raw frames, "ome-zarr" or another of `formats`. `expected` raw frames, if known.
    `buffer_mb`: megabytes of shared memory per camera that hide slow moments of the disk. `tell` hears of the disk and
    the recorder process, a kind and a sentence at a time, in a thread of the recording. Raises RecordError when the
    folder is not empty (unless `overwrite` and it is a recording that no recorder writes to any more), when it cannot
    be made, or its disk fills up.
    """

    def __init__(
        self,
        folder: str | Path,
        pipeline: Any = None,
        overwrite: bool = False,
        *,
        keep: int | None = None,
        expected: int | None = None,
        buffer_mb: float = BUFFER_MB,
        tell: Tell = to_log,
        format: str = DEFAULT,
    ) -> None:
        if keep is not None and keep < 1:
            raise RecordError(f"found a rolling window of {keep} frames, expected at least 1: choose how many to keep")
        stages = [stage.name for stage in getattr(pipeline, "stages", ())]
        check_stages(stages)
        format_of(format)  # what is missing is said before anything is made
        if keep is not None and format != DEFAULT:
            raise RecordError(
                f"found a rolling window with {format}, expected {DEFAULT}, whose elements can be written again: "
                "choose one of the two"
            )
        self.folder = Path(folder)
        self.clock = ClockPair.take()
        self._keep = keep
        self._expected = expected
        make_folder(self.folder, overwrite)
        self._manifest = Manifest(self.folder, pipeline, self.clock)
        self._lock, self.describe = self._manifest.lock, self._manifest.describe
        write_collection(self.folder, SCHEMA)
        self.sink = RecorderSink(
            self.folder, self.clock, keep=keep, expected=expected, buffer_mb=buffer_mb, tell=tell, format=format
        )
        self._own: OwnSlots | None = None
        images = getattr(pipeline, "images", ())
        decoders = {stage.name: getattr(stage, "decoder", None) for stage in getattr(pipeline, "stages", ())}
        labels = [name for name, decoder in decoders.items() if getattr(decoder, "labels", False)]
        self._derived = DerivedWriter(
            self.folder, self.sink, self._note, lambda: self._expected, stages, images, labels, keep
        )
        self._stages: dict[str, Any] = {}
        self._ledger: LedgerLike | None = None
        self._merged = False
        self._closed = False

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(error)

    @property
    def raw_frames(self) -> int:
        """Raw frames that are on the disk now, with their rows in the table."""
        return self.sink.saved_frames

    def require_room(self, specs: Iterable[FrameSpec], n: int) -> None:
        """Raise RecordError unless the disk has room for `n` raw frames like the largest of `specs`."""
        frames = n if self._keep is None else min(n, self._keep)
        require_space(self.folder, frames * max(spec.nbytes for spec in specs), f"{frames} raw frames")

    def tap(self, source: Source, n: int | None = None) -> Source:
        """The same source, with every raw frame saved before it is passed on; `n` frames are expected, if known.

        A disk that is slower than the camera makes it wait, it never drops.
        """
        self._expected = n
        self.describe(sources=[describe_source(source)])
        return RecordedSource(source, self._slots(), self.require_room)

    def save(self, frame: Frame) -> None:
        """Save one raw frame, for callers that have no source; it is copied, and waits while the disk is behind."""
        self._slots().save(frame)

    def _slots(self) -> OwnSlots:
        with self._lock:
            if self._own is None:
                self._own = OwnSlots(self.sink)
            return self._own

    def add(self, result: Result) -> None:
        """Save a result's images and tables; called by the consumer, it waits when the disk is behind."""
        for stage in result:
            if stage not in self._stages:
                self._stages[stage] = provenance(result, stage).get("provenance", {})
        self._derived.add(result)

    def note(self, name: str, words: str) -> None:
        """Put something measured about this run into the manifest and the overview; call it before `finish`."""
        self._manifest.enter("notes", self._manifest.content["notes"] | {name: words})

    def note_statistics(self, frozen: Sequence[Mapping[str, Any]]) -> None:
        """Put the statistics that were frozen into the manifest; call it before `finish`."""
        self._manifest.enter("statistics", [dict(each) for each in frozen])

    def link(self, saved: SavedElsewhere) -> None:
        """Point to raw frames that something else saves, at once; raises RecordError when the disk refuses it."""
        self._manifest.change(lambda content: add_link(content, saved, self.folder))

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
            _attempt(step, failures)
        cause = error or (failures[0] if failures else None)
        content = self._manifest.content
        content["answers_ended"] = None if self._derived.failure is None else str(self._derived.failure)
        content["state"] = "complete" if cause is None else "interrupted"
        content["error"] = None if cause is None else f"{type(cause).__name__}: {cause}"
        if there := self.sink.in_place:
            _attempt(self._save_manifest, failures)
            _attempt(lambda: write_collection(self.folder, SCHEMA, content["images"]), failures)
        self.sink.close()
        if self._own is not None:
            self._own.close()
        for write in (write_methods, write_checksums) if there else ():
            _attempt(partial(write, self.folder), failures)
        if failures and error is None:
            raise failures[0]

    def _save_manifest(self) -> None:
        self._manifest.save()
        if self._merged:
            forget_state(self.folder)

    def _steps(self) -> Iterable[Callable[[], object]]:
        if self._own is not None:
            yield self._own.end
        yield self._finish_raw
        yield self._note_unsaved
        yield self.sink.check_place
        if not self.sink.in_place:  # whatever is there now is not this recording
            return
        yield from self._derived.steps_of_closing()
        yield self._complete_manifest
        if self._ledger is not None:
            ledger = self._ledger
            yield lambda: write_ledger(self.folder / "ledger.csv", ledger)
        yield self._write_latency

    def _finish_raw(self) -> None:
        failures = self.sink.finish()
        for failure in (self.sink.failure, *failures):
            if failure is not None:
                raise failure

    def _note_unsaved(self) -> None:
        if unsaved := self.sink.unsaved:
            self._manifest.enter("unsaved", as_entries(unsaved))

    def _write_latency(self) -> None:
        write_latency(self.folder, {} if self._ledger is None else self._ledger.counts, self._stages)

    def _complete_manifest(self) -> None:
        counts = self._derived.counts()
        content = self._manifest.content
        for image in content["images"]:
            image |= counts[image["path"]]
        content["tables"] = self._derived.tables
        merge_raw(self.folder, content)
        if self.raw_frames and not any(image["role"] == "raw" for image in content["images"]):
            raise RecordError(
                f"found no raw.json in {self.folder}, expected the list of its raw images: restore it, their frames "
                "are there"
            )
        self._merged = True

    def _note(self, entry: dict[str, Any]) -> None:
        self._manifest.change(lambda content: content["images"].append(entry))


def _attempt(step: Callable[[], object], failures: list[RecordError]) -> None:
    try:
        step()
    except RecordError as failure:
        failures.append(failure)
