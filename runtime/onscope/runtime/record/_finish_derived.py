"""An image of answers made whole from the files and the rows that name its elements, after its writer was killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._array import open_array, resized
from ._ome import note_image
from ._present import presence_of, write_present
from ._raw_axes import RawAxes


def finish_derived(
    folder: Path, entry: Mapping[str, Any], at: npt.NDArray[np.int64], raw: RawAxes | None
) -> dict[str, int]:
    """Cut the levels to the sizes of the raw image along the axes of the elements, and put down which are there.

    `entry` is the image's in the manifest, `at` its elements by the rows of the table `results`, at least one. May be
    called again. What `DerivedImage.close` does in an orderly end; its counts. Raises RecordError.
    """
    path, axes = folder / entry["path"], str(entry.get("along", "t"))
    there = presence_of(at, len(axes))
    extent = there.shape
    if raw is not None and len(raw.sizes) == len(extent):
        extent = tuple(max(pair) for pair in zip(extent, raw.sizes, strict=True))
    wanted = dict(zip(axes, extent, strict=True))
    samples = len(entry["shape"]) == 3
    for level in sorted(path.glob("[0-9]*")):
        array = open_array(level, write=True)
        names = [str(name) for name in array.domain.labels]
        shape = [
            size if name not in wanted or (samples and name == "c") else wanted[name]
            for name, size in zip(names, array.shape, strict=True)
        ]
        if shape != list(array.shape):
            resized(array, shape, level)
    present = np.zeros(extent, bool)
    present[tuple(slice(size) for size in there.shape)] = there
    write_present(path, present, axes)
    counts = {"frames": int(there.sum()), "missing": int(present.size - there.sum())}
    note_image(path, counts, raw)
    return counts
