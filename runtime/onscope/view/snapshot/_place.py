"""Where snapshots are saved: the folder `snapshots` of a recording, under names that the program makes."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onscope.runtime import RecordError
from onscope.runtime.record import note_files

FOLDER = "snapshots"
MOST = 1000
"""Snapshots that a run saves: a viewer may not fill the disk."""


class Snapshots:
    """Saves snapshots of one run; `folder` is its recording, None: none is kept, and viewers get the bytes alone.

    `save` may be called from any thread, while the run goes on and after it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._saved = 0

    @property
    def kept(self) -> bool:
        """Whether they are saved at all."""
        return self._folder is not None

    def save(self, png: bytes, frame: Mapping[str, Any]) -> str:
        """The name of it, under which it is saved where there is a recording (`kept`); raises RecordError.

        A recording that has ended gets it into its list of checksums; one that goes on lists it at its end.
        """
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        name = f"frame-{int(frame['segment'])}-{int(frame['seq']):06d}-{moment}-{secrets.token_hex(3)}.png"
        if self._folder is None:
            return name
        with self._lock:
            if self._saved >= MOST:
                raise RecordError(f"found {MOST} snapshots of this run, expected no more: look at its recording later")
            self._saved += 1
            place = self._folder / FOLDER
            part = place / f"{name}.part"
            try:
                place.mkdir(exist_ok=True)
                if place.is_symlink():
                    raise RecordError(f"found a link at {place}, expected a folder of the recording: remove it")
                part.write_bytes(png)
                os.replace(part, place / name)
            except OSError as error:
                with contextlib.suppress(OSError):
                    part.unlink()
                raise RecordError(f"{place / name} could not be written ({error.strerror or error})") from error
            note_files(self._folder, [f"{FOLDER}/{name}"])
            return name

    def note(self, names: Iterable[str]) -> None:
        """Enter files, and all snapshots, into the recording's list of checksums; raises RecordError."""
        if self._folder is not None:
            with self._lock:  # a snapshot may come now, and the list has room for one writer
                note_files(self._folder, [*names, *self.names()])

    def names(self) -> list[str]:
        """All that are there, as the recording's list of checksums names them."""
        place = None if self._folder is None else self._folder / FOLDER
        if place is None or not place.is_dir() or place.is_symlink():
            return []
        return sorted(f"{FOLDER}/{each.name}" for each in place.glob("*.png") if each.is_file())
