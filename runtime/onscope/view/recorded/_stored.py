"""Stored images that onscope did not record, frame by frame, as a replay of them gives them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, cast

from onscope.runtime import Frame, Result, Source, SourceError, Stamps, open_source, specs_of
from onscope.runtime.record import is_recording

from ._recorded import Recorded
from ._shown import ShownStage

RATE = 10.0
"""Frames per second where no times are stored."""


class Stored:
    """The frames of `replay:PATH`, in order; a step back reads from the beginning. Raises SourceError.

    All are read once at the beginning, to count them.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        self.stages: tuple[ShownStage, ...] = ()
        self.providers: dict[str, str] = {}
        self._path = path
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._frames: Iterator[Frame] = iter(())
        self._last: Frame | None = None
        self._next = 0
        self._rewind()
        self._length = sum(1 for _ in self._frames)
        if not self._length:
            raise SourceError(f"found no image in {path}, expected at least one to show")
        self._rewind()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __len__(self) -> int:
        return self._length

    def seconds(self, number: int) -> float:
        return number / RATE

    def __getitem__(self, number: int) -> Result:
        with self._lock:
            if number < self._next - 1 or self._last is None:
                self._rewind()
            while self._next <= number:
                self._last = next(self._frames)
                self._next += 1
            frame = self._last
        assert frame is not None
        at = frame.received_ns
        return Result((frame,), MappingProxyType({}), Stamps(at, at, at, at, at, {}, at, at), {})

    def _rewind(self) -> None:
        self._stack.close()
        self._stack = ExitStack()
        source: Source = self._stack.enter_context(open_source(f"replay:{self._path}"))
        specs_of(source)
        self._frames = cast("Any", source.frames())
        self._stack.enter_context(closing(cast("Any", self._frames)))
        self._last, self._next = None, 0


def open_played(path: Path) -> Recorded | Stored:
    """A recording, or stored images of others. Raises RecordError or SourceError when it is neither."""
    if path.name.endswith(".zarr") and is_recording(path.parent):
        path = path.parent
    return Recorded(path) if is_recording(path) else Stored(path)
