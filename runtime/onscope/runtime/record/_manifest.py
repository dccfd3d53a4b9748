"""`recording.json`: what a recording holds, by which software it was made, and whether it ended in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._clock import ClockPair
from .._errors import RecordError
from ._checked import check_content
from ._files import write_json
from ._place import Place, identity
from .provenance import command, describe_packages, describe_pipeline, versions, whole_machine

NAME = "recording.json"
SCHEMA = 3
READABLE = (2, SCHEMA)
"""Layouts that are opened: in the second, images had one axis ahead of those of a frame."""


class Manifest:
    """The manifest of a recording under way; each change is on the disk when the call returns."""

    def __init__(self, folder: Path, pipeline: Any, clock: ClockPair) -> None:
        self.lock = threading.RLock()
        """Held by whoever changes `content` while others may save it."""
        self._path = folder / NAME
        self._place = Place(folder, identity(folder))
        self.content: dict[str, Any] = {
            "schema": SCHEMA,
            "state": "open",
            "error": None,
            "began": datetime.fromtimestamp(clock.wall_ns / 1e9, tz=UTC).isoformat(),
            "clock": {"wall_ns": clock.wall_ns, "monotonic_ns": clock.monotonic_ns},
            "command": command(),
            "versions": versions(),
            "machine": whole_machine(),
            "pipeline": describe_pipeline(pipeline),
            "packages": describe_packages(pipeline),
            "notes": {},
            "images": [],
            "tables": [],
        }
        self.save()

    def describe(self, **facts: Any) -> None:
        """Enter facts about the run at once: plain values by their names in docs/recordings.md.

        Called from any thread; after the end nothing is entered any more. Raises RecordError when the disk refuses it.
        """
        with self.lock:
            if self.content["state"] == "open":
                self.content.update(facts)
                self.save()

    def change(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the content and save it; raises RecordError when the disk refuses it."""
        with self.lock:
            change(self.content)
            self.save()

    def enter(self, name: str, value: Any) -> None:
        """Enter a fact that the next `save` writes."""
        with self.lock:
            self.content[name] = value

    def save(self) -> None:
        """Write the file; raises RecordError when the disk refuses it, or the folder is not in its place any more."""
        self._place.check()
        try:
            with self.lock:
                write_json(self._path, self.content)
        except OSError as error:
            raise RecordError(
                f"{self._path} could not be written ({error.strerror}): choose a folder on a disk with room"
            ) from error


def is_recording(folder: Path) -> bool:
    """Whether the folder is a recording, also one that did not end in order."""
    return (folder / NAME).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a recording; raises RecordError when the folder is none, or of a newer kind."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"found no {NAME} in {folder}, expected a recording of onscope: give its folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path} cannot be read ({error}), expected JSON: restore it from a copy") from error
    if not isinstance(content, dict) or content.get("schema") not in READABLE:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise RecordError(f"found schema {found} in {path}, expected {SCHEMA}: open it with the onscope that made it")
    check_content(path, content)
    return content
