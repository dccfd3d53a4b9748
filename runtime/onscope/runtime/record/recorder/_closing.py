"""The orderly end of the raw frames, worked out from the files alone: whoever is left can do it.

That is the recorder process at the end of a run, the same after its acquisition process was killed, or the
acquisition process when its recorders were.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._errors import RecordError
from .._checksums import write_checksums
from .._collection import write_collection
from .._files import write_json
from .._raw_axes import elements_of, raw_axes
from ..formats import format_of
from ._frames import read_frames, rows_by_image
from ._rows import close_frames
from ._state import NAME, RawState, about_entry, format_of_entry, read_state

MANIFEST = "recording.json"


def close_raw(folder: Path) -> list[RecordError]:
    """Make the table Parquet and the images whole; each step is tried even when another fails.

    May be called again. What is on the disk stays readable whatever fails.
    """
    failures: list[RecordError] = []

    def attempt(step: Callable[[], object]) -> None:
        try:
            step()
        except RecordError as error:
            failures.append(error)

    try:
        state = read_state(folder)
    except RecordError as error:
        return [error]
    if state is None or state.closed:
        return failures
    attempt(lambda: close_frames(folder, state.keep))
    attempt(lambda: _finish_images(folder, state))
    state.closed = not failures
    attempt(lambda: state.save(folder))
    return failures


def merge_raw(folder: Path, manifest: dict[str, Any]) -> None:
    """Enter the raw images into the manifest, ahead of the derived ones."""
    merge_state(read_state(folder), manifest)


def merge_state(state: RawState | None, manifest: dict[str, Any]) -> None:
    """Enter what `raw.json` held, if there was one, into the manifest."""
    if state is not None:
        known = {entry["path"] for entry in manifest["images"]}
        manifest["images"][:0] = [entry for entry in state.images if entry["path"] not in known]
        manifest["keep"] = state.keep
        if "frames" not in manifest["tables"]:
            manifest["tables"].insert(0, "frames")


def forget_state(folder: Path) -> None:
    """Remove `raw.json`, once a manifest with its content is on the disk; one that stays does no harm."""
    with contextlib.suppress(OSError):
        (folder / NAME).unlink()


def complete_orphan(folder: Path) -> None:
    """Complete the manifest of a recording whose acquisition process is gone.

    Raises OSError, ValueError or RecordError.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    complete_manifest(folder, manifest)
    write_checksums(folder)


def complete_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Enter what `raw.json` holds into a manifest, and that the run did not end in order, unless it says how it ended.

    Raises OSError or RecordError.
    """
    merge_raw(folder, manifest)
    if manifest["state"] == "open":
        manifest["state"] = "interrupted"
        state = read_state(folder)
        manifest["error"] = "RecordError: the acquisition process ended without closing the recording" + (
            "" if state is None or state.error is None else f", after this: {state.error}"
        )
    write_collection(folder, manifest["schema"], manifest["images"])
    write_json(folder / MANIFEST, manifest)
    forget_state(folder)


def _finish_images(folder: Path, state: RawState) -> None:
    rows_of = rows_by_image(read_frames(folder, state.keep))
    empty = [entry for entry in state.images if entry["path"] not in rows_of]  # its only frames could not be saved
    state.images = [entry for entry in state.images if entry["path"] in rows_of]
    if empty:
        state.save(folder)  # first: what is listed must be there
    for entry in empty:
        format_of(format_of_entry(entry)).remove(about_entry(folder, entry))
    failure: RecordError | None = None
    for entry in state.images:
        rows = rows_of[entry["path"]]
        entry["frames"] = len(rows)
        at, pages = elements_of(rows)
        try:
            about = about_entry(folder, entry)
            axes = raw_axes(rows, about.leading, rolling=about.length is not None)
            about = replace(about, channels=axes.channels, interval_s=axes.interval_s, step_um=axes.step_um)
            format_of(format_of_entry(entry)).finish(about, at, pages)
        except RecordError as error:  # the other images are whole all the same
            failure = failure or error
    if failure is not None:
        raise failure
