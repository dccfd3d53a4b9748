"""What was never acknowledged goes out of the way: into a folder of its own, under the name that it had."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

from ..._errors import RecordError
from ..._frame import FrameId
from .._checksums import PART
from .._inventory import ASIDE, Inventory, ZarrArray, chunk_files
from ..verify import At


def drafts(inventory: Inventory) -> list[str]:
    """Files that were begun and not written to the end, chunks too."""
    found = [name for name in inventory.files if name.endswith(PART)]
    for array in inventory.arrays:
        found += [f"{array.name}/{name}" for key, name in chunk_files(array) if key is None and name.endswith(PART)]
    return found


def strangers(inventory: Inventory, elements: Mapping[str, Mapping[At, FrameId]], images: Iterable[str]) -> list[str]:
    """Chunks of these images that belong to elements which no row names."""
    wanted = set(images)
    found: list[str] = []
    for array in inventory.arrays:
        if array.image in wanted and array.level.isdigit() and not array.fault:
            found += _of(array, elements.get(array.image, {}))
    return found


def _of(array: ZarrArray, elements: Mapping[At, FrameId]) -> list[str]:
    keys = {array.key_of(at) for at in elements}
    return [f"{array.name}/{name}" for key, name in chunk_files(array) if key is not None and key not in keys]


def set_aside(folder: Path, names: Iterable[str]) -> None:
    """Move files or folders of the recording there; raises RecordError when the disk refuses it."""
    for name in names:
        source, goal = folder / name, folder / ASIDE / name
        try:
            goal.parent.mkdir(parents=True, exist_ok=True)
            if goal.exists():
                goal = next(path for n in count(1) if not (path := goal.with_name(f"{goal.name}.{n}")).exists())
            os.replace(source, goal)
        except OSError as error:
            raise RecordError(f"{source} could not be moved to {goal} ({error.strerror}): make room") from error
        for above in source.parents:  # folders of chunks that are empty now
            if above == folder or (above / "zarr.json").exists():
                break
            with contextlib.suppress(OSError):
                above.rmdir()
