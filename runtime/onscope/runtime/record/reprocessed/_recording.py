"""The folder of a recording whose answers are computed by many processes, from frames that lie elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._clock import ClockPair
from ..._elsewhere import SavedElsewhere
from ..._errors import RecordError
from ..._result import Result
from .._account import LedgerLike, write_ledger
from .._checksums import NAME as SUMS
from .._checksums import write_checksums
from .._collection import write_collection
from .._inventory import ASIDE
from .._latency import write_latency
from .._links import add_link
from .._manifest import NAME, SCHEMA, Manifest, read_manifest
from .._place import Hold
from .._places import Place
from .._stages import check_stages
from ..about import write_methods
from ._answers import Answers
from ._frames import FrameTable

WORK = "reprocess"
TABLES = ("results", "values", "inputs")


class ReprocessedRecording:
    """A recording in `folder`; a context manager. Nobody else may write to the folder meanwhile: raises RecordError.

    `work` is where chunks are kept until all are there; what is in it is no part of the recording. It is removed by
    `finish`. `key` says what is computed from what: a folder that holds something else is left as it is (RecordError).
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder.absolute()
        self.work = work_of(self.folder)
        self._check(key)
        try:
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"{folder} cannot be made ({error.strerror}): choose another folder") from error
        self._hold = Hold(self.folder)
        self.key = key
        self.manifest: Manifest
        self.answers: Answers

    def _check(self, key: str) -> None:
        there = self.folder / NAME
        if not self.folder.exists() or not any(each for each in self.folder.iterdir() if each.name != ASIDE):
            return
        known = read_manifest(self.folder).get("reprocessed") if there.is_file() else None
        if not isinstance(known, dict) or known.get("key") != key:
            what = "a recording that was computed from other frames, or otherwise" if known else "other files"
            raise RecordError(
                f"found {what} in {self.folder}, expected a new folder or one that `reprocess` began with the same "
                "recording, pipeline and engine: choose another folder"
            )

    @property
    def complete(self) -> bool:
        """Whether all was computed and closed by an earlier run."""
        if not (self.folder / NAME).is_file():
            return False
        return read_manifest(self.folder)["state"] == "complete" and (self.folder / SUMS).is_file()

    def begin(self, frames: FrameTable, pipeline: Any, facts: Mapping[str, Any]) -> None:
        """Write the manifest (an earlier run's, that was cut off, is replaced); raises RecordError."""
        stages = [stage.name for stage in pipeline.stages]
        check_stages(stages)
        told = frames.manifest.get("clock")
        clock = ClockPair(**told) if told else ClockPair.take()
        self.manifest = Manifest(self.folder, pipeline, clock)
        write_collection(self.folder, SCHEMA)
        labels = [stage.name for stage in pipeline.stages if stage.gives == "labels"]
        self.answers = Answers(self.folder, self._note, stages, pipeline.images, labels)
        content = self.manifest.content
        add_link(content, _link(frames), self.folder)
        sources = frames.manifest.get("sources") or ([dict(frames.source)] if frames.source else [])
        content |= {"sources": sources, "reprocessed": {"key": self.key, "frames": str(frames.path)}, **facts}
        self.manifest.save()

    def _note(self, entry: dict[str, Any]) -> None:
        self.manifest.change(lambda content: content["images"].append(entry))

    def place(self, result: Result, stage: str, place: Place) -> tuple[str, list[int]]:
        """Where an answer belongs; the image is made where it is new. Raises RecordError."""
        return self.answers.place(result, stage, place)

    def begin_tables(self) -> None:
        """Remove what an earlier run, that was killed while it wrote tables, has left of them."""
        for name in (*TABLES, *(str(stage["name"]) for stage in self.manifest.content["pipeline"]["stages"])):
            for suffix in (".arrows", ".parquet", ".csv"):
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)

    def finish(self, frames: FrameTable, ledger: LedgerLike, facts: Mapping[str, Any]) -> None:
        """Close all files, complete the manifest, and remove what was kept meanwhile. Raises RecordError."""
        self.answers.close(frames.table, rolling=frames.manifest.get("keep") is not None)
        counts, content = self.answers.counts(), self.manifest.content
        for image in content["images"]:
            image |= counts[image["path"]]
        content["tables"] = self.answers.tables
        content["reprocessed"] |= facts
        write_ledger(self.folder / "ledger.csv", ledger)
        stages: dict[str, Any] = {}
        for entry in content["images"]:
            stages.setdefault(str(entry["stage"]), entry.get("provenance", {}))
        write_latency(self.folder, ledger.counts, stages)
        write_collection(self.folder, SCHEMA, content["images"])
        content |= {"answers_ended": None, "state": "complete"}
        self.manifest.save()
        write_methods(self.folder)
        write_checksums(self.folder)
        self.forget()

    def forget(self) -> None:
        """Remove what was kept until all was there."""
        shutil.rmtree(self.work, ignore_errors=True)
        if (self.folder / ASIDE).is_dir() and not any((self.folder / ASIDE).iterdir()):
            (self.folder / ASIDE).rmdir()

    def close(self) -> None:
        """Let the folder go; one that is not complete is gone on with later, and one that nothing was begun in goes."""
        if not (self.folder / NAME).is_file():
            self.forget()
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
        self._hold.close()

    def __enter__(self) -> ReprocessedRecording:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def work_of(folder: Path) -> Path:
    """Where chunks of a reprocessing are kept until it is complete."""
    return folder.absolute() / ASIDE / WORK


def _link(frames: FrameTable) -> SavedElsewhere:
    formats: Sequence[str] = [str(entry.get("format", "ome-zarr")) for entry in frames.images or ()]
    return SavedElsewhere(formats[0] if formats else "other", frames.path, "onscope" if formats else "")
