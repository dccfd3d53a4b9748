"""What is known of a recording while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..._errors import OnscopeError, RecordError
from .._checksums import NAME as CHECKSUMS
from .._inventory import Inventory, take_inventory
from .._manifest import NAME
from .._reader import RecordedRun, open_recording
from .._tables import read_table
from ._elements import At
from ._report import Findings

Progress = Callable[[str, int, int], object]
"""Told what is looked at now, how much of it is done, and how much there is (0: not known)."""
EVERY = 16
"""So many things are looked at between two words of progress."""
ALONE = ("raw.json", NAME, CHECKSUMS)


@dataclass
class Looked:
    """A recording, as far as it can be read as one."""

    folder: Path
    progress: Progress
    inventory: Inventory
    run: RecordedRun | None = None
    results: Any = None
    seen: dict[str, set[At]] = field(default_factory=dict)
    """Elements whose chunk was read with their frame, by image."""
    said: Findings = field(default_factory=Findings)
    """Why the recording cannot be read as one."""

    @property
    def state(self) -> str:
        return "unknown" if self.run is None else str(self.run.manifest["state"])


def look(folder: Path, progress: Progress) -> Looked:
    """Open what can be opened. Raises RecordError when the folder is no recording."""
    if not any((folder / name).is_file() for name in ALONE):
        raise RecordError(f"found no {NAME} in {folder}, expected a recording of onscope: give its folder")
    try:
        looked = Looked(folder, progress, take_inventory(folder))
    except OSError as error:
        raise RecordError(f"{folder} cannot be read ({error.strerror or error}): is its disk there?") from error
    try:
        looked.run = open_recording(folder)
    except OnscopeError as error:
        looked.said.add(str(error))
    if any((folder / f"results{ending}").exists() for ending in (".parquet", ".arrows")):
        try:
            looked.results = read_table(folder, "results")
        except OnscopeError as error:
            looked.said.add(str(error))
    return looked
