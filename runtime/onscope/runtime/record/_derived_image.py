"""One image of a stage's answers on the disk: its elements where those of the raw image are, in levels when large."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._array import GrowingArray
from ._files import write_json
from ._ome import Layout, group, note_image
from ._present import Presence, write_present
from ._pyramid import level_count, pyramid
from ._raw_axes import RawAxes


class DerivedImage:
    """A growing OME-Zarr image `path` of answers (y, x) or (y, x, samples), one chunk per answer and level.

    `axes` are those that its elements are counted along ("t", "tc", "tz" or "tcz"); samples are the c axis. `labels`:
    the answers are labels; `alone` when they do not lie in the image that they belong to. `scale` pixels per raw pixel,
    of `pixel_size_um` each. With `there`, levels that were made before go on. Used by one thread at a time. Raises
    RecordError when the files cannot be made.
    """

    def __init__(
        self,
        path: Path,
        axes: str,
        shape: tuple[int, ...],
        dtype: str,
        *,
        labels: bool = False,
        alone: bool = False,
        scale: float = 1.0,
        pixel_size_um: float | None = None,
        expected: int | None = None,
        attributes: Mapping[str, Any] | None = None,
        there: bool = False,
    ) -> None:
        self.path = path
        self.axes = axes
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.pixel_size_um = pixel_size_um
        self.present = Presence(len(axes))
        self._labels = labels
        self._extent: tuple[int, ...] | None = None
        samples = shape[2] if len(shape) == 3 else None
        inner = "".join(axis for axis in "czyx" if axis in axes or axis in "yx" or (axis == "c" and samples))
        # Labels must have as many levels as the image that they lie in, and raw frames have one.
        levels = 1 if labels and not alone else level_count(*shape[:2])
        layout = Layout(inner, labels=labels, alone=alone, scale=scale, levels=levels)
        name = path.name.removesuffix(".ome.zarr")
        content = group(name, layout, dtype, pixel_size_um, attributes, rgb=samples == 3)
        try:
            if path.exists() and not there:  # begun by a process that was killed before it could be listed
                shutil.rmtree(path)
            path.mkdir(parents=True, exist_ok=there)
            write_json(path / "zarr.json", content)
        except OSError as error:
            raise RecordError(f"{path} cannot be made ({error}): choose a folder that can be written to") from error
        self._levels = []
        height, width = shape[:2]
        for number in range(levels):
            element = {"y": height, "x": width} | ({} if samples is None else {"c": samples})
            level = path / str(number)
            known = there and (level / "zarr.json").is_file()
            self._levels.append(GrowingArray(level, f"t{inner}", element, self.dtype, expected, there=known))
            height, width = -(-height // 2), -(-width // 2)

    @property
    def nbytes(self) -> int:
        """Bytes of one answer and its smaller levels before compression, at most."""
        whole = int(np.prod(self.shape)) * self.dtype.itemsize
        return whole if len(self._levels) == 1 else whole * 4 // 3

    def write(self, at: Sequence[int], pixels: npt.NDArray[Any]) -> list[Any]:
        """Start writing the answer at an element; futures that are done when all of its levels are on the disk.

        `pixels` must not change until then. Raises RecordError when an array cannot grow.
        """
        futures = []
        levels = [pixels] if len(self._levels) == 1 else pyramid(pixels, labels=self._labels)
        for array, level in zip(self._levels, levels, strict=True):
            futures.append(array.write(at, np.moveaxis(level, -1, 0) if level.ndim == 3 else level))
        return futures

    def make_room(self, at: Sequence[int]) -> None:
        """Have all levels reach as far as this element, which somebody else writes. Raises RecordError."""
        for array in self._levels:
            array.make_room(at)

    def remove(self, at: tuple[int, ...]) -> None:
        """Take an element away; raises RecordError when the disk refuses it."""
        for array in self._levels:
            array.remove(at)
        self.present.unmark(at)

    def close(self, raw: RawAxes | None = None) -> None:
        """Cut the arrays to the sizes of the raw image along `axes`, or to the elements that are there, and put
        down which they are; call it when no write is in flight. Raises RecordError when the disk refuses it."""
        extent = self.present.extent
        if raw is not None and len(raw.sizes) == len(extent):
            extent = tuple(max(pair) for pair in zip(extent, raw.sizes, strict=True))
        for array in self._levels:
            array.cut(extent)
        self._extent = extent
        write_present(self.path, self.present.array(extent), self.axes)
        note_image(self.path, self.counts(), raw)

    def counts(self) -> dict[str, int]:
        """`frames`: answers on the disk; `missing`: elements without one."""
        extent = self.present.extent if self._extent is None else self._extent
        return {"frames": self.present.count, "missing": int(np.prod(extent)) - self.present.count}
