"""What a format offers, and what it is told of an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..._errors import RecordError
from ..._frame import FrameSpec, Pixels

Element = tuple[int, ...]
"""Which element of an image, along its leading axes."""
ManyElements = npt.NDArray[np.int64] | Sequence[Element]
Pages = npt.NDArray[np.int64] | Sequence[int | None] | None


@dataclass(frozen=True, slots=True)
class RawAbout:
    """An image of raw frames.

    `path` is its file or folder in the recording, `spec` what its frames look like, `leading` the axes ahead of those
    of a frame ("t", "tc", "tcz" or "tz"). `length` elements are used again and again along t (None: no rolling window),
    `expected` frames will come (None: unknown). `finish` is told what the frames said of the axes: `channels` by number
    (none: nobody named them), `interval_s` seconds along t and `step_um` micrometres along z (None: unknown).
    """

    path: Path
    spec: FrameSpec
    leading: str = "t"
    length: int | None = None
    expected: int | None = None
    channels: tuple[str, ...] = ()
    interval_s: float | None = None
    step_um: float | None = None


class Future(Protocol):
    """A write under way."""

    def add_done_callback(self, callback: Callable[[Any], object], /) -> None:
        """Have it called, in any thread, when the write has ended."""
        ...

    def done(self) -> bool: ...

    def result(self) -> object:
        """Wait for the end. Raises ValueError, RuntimeError or OSError when the disk refused it."""
        ...


class RawSeries(Protocol):
    """Writes one image, in the recorder process; used by one thread. Its methods raise RecordError."""

    def write(self, at: Element, pixels: Pixels, note: Mapping[str, Any]) -> tuple[int | None, Future]:
        """Begin to write a frame at this element: its page (None: a format without pages), and the write.

        `note` is what is known of the frame, for formats that keep it beside the pixels: its announcement ("id",
        "index", "labels", "received_ns", "exposure_ms", "pixel_size_um", "stage_um" of `save_message`), and "wall_ns",
        Unix time in ns of its receipt.

        The future is done when the frame is on the disk itself (fsync), and can be found there after any crash, given
        its row with `at` and page. `pixels` (y, x) or (y, x, samples) do not change until then. An element is written
        again after a crash, when it has no row, and in a rolling window.
        """
        ...

    def close(self) -> None:
        """Let the files go, when no write is under way: at the end of the recording, before `Format.finish`."""
        ...


class RawImages(Protocol):
    """Reads one image, in any process, also while it is written."""

    def read(self, at: Element, page: int | None) -> Pixels:
        """The frame at this element, as it was given: (y, x) or (y, x, samples), contiguous.

        Raises ValueError, RuntimeError or OSError when it cannot be read, or is not what was written.
        """
        ...


class Format(Protocol):
    """A module of this room has these names."""

    SUFFIX: str
    """Of the names of images, as ".ome.zarr"."""

    def make(self, about: RawAbout) -> RawSeries:
        """A new image. What a killed recorder may have begun at its path (no row names it) is replaced.

        Raises RecordError when it cannot be made.
        """
        ...

    def resume(self, about: RawAbout, pages: int) -> RawSeries:
        """Go on with an image of a recorder that was killed, of which rows name pages below `pages` at most.

        What is behind them was never acknowledged. Raises RecordError.
        """
        ...

    def finish(self, about: RawAbout, at: ManyElements, pages: Pages) -> None:
        """Make an image whole that nobody writes to. Row k of `at` (frames, leading axes) is the element of frame k, in
        the order of their numbers, and `pages[k]` its page (None: a format without pages).

        There is at least one frame. May be called again, in another process too. Raises RecordError.
        """
        ...

    def remove(self, about: RawAbout) -> None:
        """Remove an image that has no frames; what others put beside it stays. Raises nothing."""
        ...

    def read(self, about: RawAbout) -> RawImages:
        """Open an image for reading, finished or not. Raises RecordError when it is none."""
        ...


def last_page(about: RawAbout, pages: Pages) -> int:
    """The highest page of an image in a format that has pages; raises RecordError when rows name none."""
    known = [] if pages is None else [page for page in pages if page is not None]
    if not known:
        raise RecordError(
            f"found frames of {about.path} without the number of their page in the table of frames, expected one each: "
            "restore the table from a copy"
        )
    return int(max(known))
