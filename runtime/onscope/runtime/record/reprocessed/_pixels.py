"""The pixels of frames, read where they are needed: of recordings by element, of other data sets by a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from ..._errors import RecordError, SourceError
from ..._frame import Frame, Pixels
from ..._sources import open_source
from .._crc32 import crc32
from .._recorded_images import RecordedImages


class PixelReader:
    """Reads frames of the data set that `told` (`FrameTable.reading`) describes. Used by one thread at a time.

    A frame is named by `[row, array, index, page, crc32]`, as `FrameTable.named` does. Its pixels must have the
    checksum: raises RecordError when they have not, or cannot be read.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._path = Path(told["path"])
        self._images = {entry["path"]: _images(self._path, entry) for entry in told["images"] or ()}
        self._replay = None if told["images"] is not None else _Replay(self._path)

    def read(self, named: Any) -> Pixels:
        """Pixels (y, x) or (y, x, 3), as the camera gave them."""
        row, array, index, page, known = named
        pixels = (
            np.ascontiguousarray(self._images[array].read(tuple(index), page))
            if self._replay is None
            else self._replay.read(row)
        )
        if crc32(pixels) != known:
            raise RecordError(
                f"found that frame {row} of {self._path} has other pixels than its checksum says, expected those of "
                "the camera: restore it from a copy (`onscope verify` tells which have changed)"
            )
        return pixels


class _Replay:
    """Frames by their number, in rising order: a data set is played, and what is passed over is read for nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._frames: Iterator[Frame] | None = None
        self._next = 0

    def read(self, row: int) -> Pixels:
        if self._frames is None or row < self._next:
            self._stack.close()
            try:
                source = self._stack.enter_context(open_source(f"replay:{self._path}"))
            except SourceError as error:
                raise RecordError(str(error)) from error
            self._frames, self._next = source.frames(), 0
        try:
            for frame in self._frames:
                self._next += 1
                if self._next == row + 1:
                    return frame.pixels
        except SourceError as error:
            raise RecordError(str(error)) from error
        raise RecordError(f"found {self._next} frames in {self._path}, expected one of number {row}: is it whole?")


def _images(folder: Path, entry: dict[str, Any]) -> RecordedImages:
    """An image whose elements are named by rows: nothing else has to be known of them."""
    nobody: Callable[..., Any] = lambda *_: None  # noqa: E731
    return RecordedImages(folder, entry, nobody, nobody, nobody)
