"""`open_data`: a recording's images as lazy arrays of Dask, stored ones or such that are computed when looked at."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import RecordError
from .._pipeline import Pipeline
from ..record import open_recording
from ..record.reprocessed import StoredArray
from ._cluster import require
from ._job import Job
from ._lazy import ComputedArray, computed_arrays

BLOCK_BYTES = 16 << 20
"""Of the frames that one task reads together."""


class Data(Mapping[str, Any]):
    """`data["denoised"]` is a stage's image (its first one) as a dask.array.Array; `images` gives all of them.

    `axes("denoised")` names its axes ("tyx", "tczyx" ...). Elements without an answer are NaN, or 0 in whole numbers.
    Shapes and dtypes are known without anything being read or computed.
    """

    def __init__(self, arrays: Mapping[str, list[StoredArray | ComputedArray]], block: int | None) -> None:
        self._arrays, self._block = arrays, block

    def __getitem__(self, stage: str) -> Any:
        return self.images(stage)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, stage: object) -> bool:
        return stage in self._arrays

    def images(self, stage: str) -> list[Any]:
        """All images of a stage: several where frames differ in size, type, position or camera. Raises RecordError."""
        return [self._lazy(each) for each in self._of(stage)]

    def axes(self, stage: str) -> str:
        """The names of the axes of its first image."""
        return self._of(stage)[0].axes

    def _of(self, stage: str) -> list[StoredArray | ComputedArray]:
        if stage not in self._arrays:
            known = ", ".join(self._arrays) or "no stage with images"
            raise RecordError(f"found no images of {stage!r}, expected one of {known}")
        return self._arrays[stage]

    def _lazy(self, array: StoredArray | ComputedArray) -> Any:
        import dask.array as da

        inside = [size if name in "yx" else 1 for name, size in zip(array.axes, array.shape, strict=True)]
        nbytes = int(np.prod(inside)) * array.dtype.itemsize
        length = self._block or (1 if isinstance(array, ComputedArray) else max(1, BLOCK_BYTES // max(1, nbytes)))
        chunks = [min(array.shape[0], length), *inside[1:]]
        if isinstance(array, ComputedArray) and "c" in array.axes and "c" not in array.along:
            chunks[array.axes.index("c")] = array.shape[array.axes.index("c")]  # samples of one answer
        meta = np.empty((0,) * array.ndim, array.dtype)
        return da.from_array(array, chunks=tuple(chunks), name=False, asarray=False, meta=meta)


def open_data(
    data: str | Path,
    pipeline: Pipeline | str | Path | None = None,
    *,
    provider: str | None = None,
    threads: int | None = 1,
    windows: str = "recorded",
    block: int | None = None,
) -> Data:
    """The images of a recording; or with `pipeline`, those that it gives of a recording's frames (or of NDTiff,
    OME-TIFF, OME-Zarr), each window computed when it is looked at, as `reprocess` stores them.

    Blocks of an array are `block` elements along its first axis (None: one that is computed, 16 MB that are read).
    Raises RecordError, PipelineError (windows that depend on those before cannot be computed one by one) ...
    """
    require("dask", "reprocess")
    if pipeline is None:
        run = open_recording(data)
        stages = dict.fromkeys(str(each.stage) for each in run.images.values() if each.role == "derived")
        return Data({stage: [StoredArray(each.path) for each in run[stage]] for stage in stages}, block)
    with tempfile.TemporaryDirectory(prefix="onscope-lazy-") as spare:
        kept = Path(spare, "frames.parquet")
        job = Job.of(Path(data), pipeline, kept, provider=provider, threads=threads, windows=windows)
        made = computed_arrays(job)
    return Data({stage: list(arrays) for stage, arrays in made.items()}, block)
