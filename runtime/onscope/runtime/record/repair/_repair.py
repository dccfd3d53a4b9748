"""`repair`: what an orderly end would have done, done from the files alone for a run whose processes were killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..._errors import RecordError
from .. import _place
from .._checksums import NAME as CHECKSUMS
from .._checksums import mended_checksums, write_checksums
from .._inventory import ASIDE, Inventory, take_inventory
from .._latency import write_latency
from .._manifest import NAME, SCHEMA, read_manifest
from .._place import Hold
from .._tables import read_table
from ..about import write_methods
from ..formats import format_of
from ..recorder import (
    about_entry,
    close_raw,
    complete_manifest,
    format_of_entry,
    merge_state,
    parts,
    read_frames,
    read_state,
)
from ..verify import answer_elements, raw_elements
from ._answers import finish, named_elements, unfinished, unlist_labels
from ._aside import drafts, set_aside, strangers
from ._before import look, sums_before
from ._tables import OF_FRAMES, RESULTS, complete_table, journals, rows_of, split

METHODS = "methods.md"
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done, a sentence each (with `dry_run`: what would be), and what could not be mended."""

    folder: Path
    done: tuple[str, ...]
    left: tuple[str, ...]
    dry_run: bool


Step = tuple[str, Callable[[], object]]


def repair(folder: str | Path, dry_run: bool = False) -> Repaired:
    """Complete a recording that was cut off; nothing that was acknowledged is removed, and a second call does nothing.

    What no row names goes into the folder `unacknowledged`. Raises RecordError when the folder is no recording of this
    layout, cannot be read as one, or is still being written.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    if manifest["schema"] != SCHEMA:
        raise RecordError(
            f"found layout {manifest['schema']} in {path}, expected {SCHEMA}: it can be read as it is, and not mended"
        )
    hold = Hold(path, _place.PATIENCE_S)  # the recorder of a killed run may still be busy
    try:
        work = _Repair(path, manifest, dry_run)
        work.run()
    finally:
        hold.close()
    return Repaired(path, tuple(work.done), tuple(work.left), dry_run)


@dataclass
class _Repair:
    folder: Path
    manifest: dict[str, Any]
    dry_run: bool
    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    results: Any = None

    def run(self) -> None:
        before = look(self.folder)
        sums, changed = sums_before(self.folder, self.left)
        state = read_state(self.folder)
        merge_state(state, self.manifest)
        frames = read_frames(self.folder, self.manifest.get("keep"))
        for steps in (
            self._strangers(before, frames),
            self._tables(),
            self._raw(state),
            self._images(frames),
            self._drafts(before),
            self._end(state is not None),
        ):
            for words, step in steps:
                self._do(words, step)
        if self.dry_run or not (self.done or sums is None):
            if sums is None:
                self.done.append(f"{CHECKSUMS}: written anew")
            return
        if sums is None:
            self._do(f"{CHECKSUMS}: written anew", lambda: write_checksums(self.folder))
        else:
            made = set(take_inventory(self.folder).files) - set(before.files)
            self._do(f"{CHECKSUMS}: brought up to date", lambda: mended_checksums(self.folder, sums, changed, made))

    def _do(self, words: str, step: Callable[[], object]) -> None:
        if not self.dry_run:
            try:
                told = step()
            except (RecordError, OSError) as error:
                self.left.append(str(error))
                return
            if isinstance(told, list):  # what a format says that it did
                self.done += told
                return
        self.done.append(words)

    def _strangers(self, inventory: Inventory, frames: Any) -> Iterator[Step]:
        """Chunks that no row names: of a rolling window all are elements that will be used again."""
        if self.manifest.get("keep") is not None:
            return
        self.results = self._read_results()
        elements = raw_elements(frames) | (answer_elements(self.results) if self.results is not None else {})
        names = strangers(inventory, elements, (entry["path"] for entry in self.manifest["images"]))
        if names:
            yield f"{_several(names, 'chunk')} that no row names: to {ASIDE}/", partial(set_aside, self.folder, names)

    def _read_results(self) -> Any:
        try:
            return read_table(self.folder, RESULTS)
        except RecordError:
            return None

    def _tables(self) -> Iterator[Step]:
        if self.results is None:
            self.results = self._read_results()
        for name in journals(self.folder):
            table = rows_of(self.folder, name)
            if table is None:
                yield (
                    f"{name}.arrows: cut off before its head, to {ASIDE}/",
                    partial(set_aside, self.folder, [f"{name}.arrows"]),
                )
                continue
            kept, left_over = (table, None) if name in OF_FRAMES else split(table, self.results)
            words = f"{name}: {kept.num_rows:,} rows become {name}.parquet"
            if left_over is not None and left_over.num_rows:
                words += f"; {left_over.num_rows:,} rows without a result go to {ASIDE}/"
            yield words, self._completing(name, kept, left_over)

    def _completing(self, name: str, kept: Any, left_over: Any) -> Callable[[], object]:
        def complete() -> None:
            complete_table(self.folder, name, kept, left_over)
            if name not in self.manifest["tables"]:
                self.manifest["tables"].append(name)

        return complete

    def _raw(self, state: Any) -> Iterator[Step]:
        if state is not None and not state.closed:
            names = [entry["path"] for entry in state.images] or ["none"]
            yield f"raw frames: the table and the images ({', '.join(names)}) are closed", self._close_raw
        elif parts(self.folder):
            yield "raw frames: rows that came later are entered into frames.parquet", self._close_raw
        for entry in self.manifest["images"]:
            if entry["role"] != "raw" or self.manifest["state"] == "complete":
                continue
            mend = getattr(format_of(format_of_entry(entry)), "mend", None)
            path = about_entry(self.folder, entry).path
            if mend is not None and path.exists() and not self.dry_run:
                yield f"{entry['path']}: mended", partial(mend, path)

    def _close_raw(self) -> None:
        failures = close_raw(self.folder)
        if failures:
            raise failures[0]

    def _images(self, frames: Any) -> Iterator[Step]:
        for entry in unfinished(self.folder, self.manifest):
            at = named_elements(entry, self.results)
            if not len(at):
                yield f"{entry['path']}: no row names an answer in it, to {ASIDE}/", self._removing(entry)
            else:
                words = f"{entry['path']}: closed with {len(at):,} answers"
                yield words, partial(finish, self.folder, entry, at, frames)

    def _removing(self, entry: dict[str, Any]) -> Callable[[], object]:
        def remove() -> None:
            if (self.folder / entry["path"]).exists():
                set_aside(self.folder, [entry["path"]])
            self.manifest["images"].remove(entry)
            unlist_labels(self.folder, entry)

        return remove

    def _drafts(self, inventory: Inventory) -> Iterator[Step]:
        names = [name for name in drafts(inventory) if (self.folder / name).exists()]
        if names:
            yield (
                f"{_several(names, 'file')} not written to the end: to {ASIDE}/",
                partial(set_aside, self.folder, names),
            )

    def _end(self, listed: bool) -> Iterator[Step]:
        if not (self.folder / "latency.json").exists() and self.manifest["state"] != "complete":
            yield "latency.json: written", self._latency
        if listed or self.done or self.manifest["state"] == "open":
            state = "interrupted" if self.manifest["state"] == "open" else self.manifest["state"]
            yield f"{NAME}: {state}, with what is there", lambda: complete_manifest(self.folder, self.manifest)
            if not (self.folder / METHODS).exists():
                yield f"{METHODS}: written", lambda: write_methods(self.folder)

    def _latency(self) -> None:
        stages = {
            entry["stage"]: entry["provenance"]
            for entry in self.manifest["images"]
            if entry["role"] == "derived" and "provenance" in entry
        }
        write_latency(self.folder, {}, stages)


def _several(names: list[str], what: str) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{len(names):,} {what}{'s' if len(names) > 1 else ''} ({', '.join(names[:SHOWN])}{more})"
