"""One image of a recording, read an element at a time; one that is missing is never given as a black frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._array import TENSORSTORE_ERRORS
from ._flight import reason
from ._places import ZARR_SUFFIX
from ._present import presence_of, read_present
from .formats import RawImages, ZarrImages, format_of
from .recorder import about_entry, format_of_entry

At = tuple[int, ...]
"""An element, by its indices along the axes before those of a frame."""


class RecordedImages:
    """`images[t]` (or `images[t, c, z]`) is the frame or answer at an element, (y, x) or (y, x, samples).

    `along` names the axes that elements are counted along ("t", "tc", "tz" or "tcz"), `raw` the raw image that a
    stage's elements are those of (None: it is not in this recording). `stage` and `labels` say what a derived image is;
    `channel` the only one that it has answers to, where it is not one of its axes. `scale` pixels per raw pixel, of
    `pixel_size_um` each. Indexing raises RecordError for an element that is missing; `present` tells them.
    """

    def __init__(
        self,
        folder: Path,
        entry: dict[str, Any],
        told: Callable[[dict[str, Any]], npt.NDArray[np.int64]],
        why: Callable[[dict[str, Any], At], str],
        page: Callable[[dict[str, Any], At], int | None],
    ) -> None:
        self.path = folder / entry["path"]
        ways = [self.path, self.path / "0", *(folder / part for part in Path(entry["path"]).parents)]
        if any(way.is_symlink() for way in ways if way != folder):
            raise RecordError(f"found a link at {self.path}, expected an image of this recording: put the image there")
        self.role: str = entry["role"]
        self.stage: str | None = entry.get("stage")
        self.shape: tuple[int, ...] = tuple(entry["shape"])
        self.dtype = np.dtype(entry["dtype"])
        self.pixel_size_um: float | None = entry["pixel_size_um"]
        self.scale: float = entry.get("scale", 1.0)
        self.along: str = entry.get("along", "t")
        self.raw: str | None = entry.get("raw")
        self.channel: int | None = entry.get("channel")
        self.labels: bool = entry.get("labels", False)
        self._entry, self._told, self._why, self._page = entry, told, why, page
        self._images: RawImages
        if self.role == "raw":
            self._images = format_of(format_of_entry(entry)).read(about_entry(folder, entry))
        else:
            self._images = ZarrImages(self.path, self.along, samples=len(self.shape) == 3)

    def __getitem__(self, at: int | Sequence[int]) -> npt.NDArray[Any]:
        element, there = self._checked(at), self.present
        known = all(0 <= index < size for index, size in zip(element, there.shape, strict=True))
        if not known or not there[element]:
            why = self._why(self._entry, element)
            raise RecordError(
                f"element {', '.join(map(str, element))} of {self.path} is missing ({why}), expected one that is "
                "there: `present` says which are"
            )
        return self.read(element)

    def read(self, at: int | Sequence[int], page: int | None = None) -> npt.NDArray[Any]:
        """What stands at an element, without looking whether it is there: of one that a row of a table names.

        `page` is that of the row, which is looked for where it is not given.
        """
        element = self._checked(at)
        if page is None and self.role == "raw" and not self.path.name.endswith(ZARR_SUFFIX):
            page = self._page(self._entry, element)
        try:
            return self._images.read(element, page)
        except (*TENSORSTORE_ERRORS, IndexError) as error:
            raise RecordError(
                f"element {', '.join(map(str, element))} of {self.path} cannot be read ({reason(error)}): restore it "
                "from a copy"
            ) from error

    def _checked(self, at: int | Sequence[int]) -> At:
        element = whole(at)
        if len(element) != len(self.along):
            raise RecordError(
                f"found the element {element} of {self.path}, expected one index for each of {', '.join(self.along)}"
            )
        return element

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which elements are there, over the axes `along`. Of a run that was cut off: those that a row names."""
        stored = read_present(self.path)
        if stored is not None:
            if stored.ndim != len(self.along):
                raise RecordError(
                    f"found `present` of {self.path} with {stored.ndim} axes, expected {len(self.along)}: restore it "
                    "from a copy"
                )
            return stored
        return presence_of(self._told(self._entry), len(self.along))


def whole(at: int | Sequence[int]) -> At:
    """An element as it stands in a row; in layout 2 it was a number."""
    return (int(at),) if isinstance(at, (int, np.integer)) else tuple(at)
