"""The orderly end of the raw frames, worked out from the files alone: whoever is left can do it.

That is the recorder process at the end of a run, the same after its acquisition process was killed, or the
acquisition process when its recorders were.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ..._errors import RecordError
from .._files import write_json
from .._images import cut_images
from ._rows import close_frames, read_frames
from ._state import NAME, RawState, read_state

MANIFEST = "recording.json"
LEFT_BEHIND = 256
"""Elements behind the end of an image that are looked through for what a killed process left there."""


def close_raw(folder: Path) -> list[RecordError]:
    """Cut the images to their frames, make the table Parquet; each step is tried even when another fails.

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
    attempt(lambda: _cut(folder, state))
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
    """Complete the manifest of a recording whose acquisition process is gone. Raises OSError or ValueError."""
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    merge_raw(folder, manifest)
    if manifest["state"] == "open":
        manifest["state"] = "interrupted"
        state = read_state(folder)
        manifest["error"] = "RecordError: the acquisition process ended without closing the recording" + (
            "" if state is None or state.error is None else f", after this: {state.error}"
        )
    write_json(path, manifest)
    forget_state(folder)


def _cut(folder: Path, state: RawState) -> None:
    table = read_frames(folder, state.keep)
    elements_of = {
        entry["path"]: pc.filter(table["index"], pc.equal(table["array"], entry["path"])) for entry in state.images
    }
    empty = [path for path, elements in elements_of.items() if not len(elements)]  # made ready, and no such frame came
    state.images = [entry for entry in state.images if entry["path"] not in empty]
    if empty:
        state.save(folder)  # first: what is listed must be there
    for name in empty:
        shutil.rmtree(folder / name, ignore_errors=True)
    for entry in state.images:
        path, elements = folder / entry["path"], elements_of[entry["path"]]
        entry["frames"] = len(elements)
        wrapped = state.keep is not None and len(elements) >= state.keep
        if not wrapped:
            cut_images(path, pc.max(elements).as_py() + 1, LEFT_BEHIND)
