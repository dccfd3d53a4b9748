"""In the recorder process: frames from shared memory to the disk, each with its row."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..._clock import ClockPair
from ..._errors import RecordError
from ..._frame import FrameSpec, Pixels
from .._crc32 import crc32
from .._flight import Flight
from .._place import Place, identity
from .._places import most_unnamed, window_length
from ..formats import DEFAULT, RawAbout, RawSeries, format_of
from ._frames import saved_so_far
from ._rows import FrameRows, frame_row
from ._state import NAME as STATE
from ._state import RawState, about_entry, entry_of, read_state


class RawWriter:
    """The images of raw frames, and the table `frames`. Used by one thread.

    A writer of a folder that another one was killed in goes on where that one stopped: a frame that has a row already
    is not saved again (looked for from the number `first` on), and others are written to the element that they were
    announced with, whatever stands there. `wake` is called, in any thread, when a frame reached the disk and `reap`
    should be called.
    """

    def __init__(
        self,
        folder: Path,
        clock: ClockPair,
        keep: int | None,
        expected: int | None,
        first: int,
        wake: Callable[[], object],
        place: Place | None = None,
        format: str = DEFAULT,
    ) -> None:
        self._folder = folder
        self._place = place or Place(folder, identity(folder))
        self._clock = clock
        self._expected = expected
        self._wake = wake
        self._format = format_of(format)
        self._format_name = format
        self._series: dict[str, RawSeries] = {}
        self._flight = Flight()
        self._landed: list[list[Any]] = []
        self._state = read_state(folder) or RawState(keep)
        self._state.closed = False
        self._entries = {entry["path"]: entry for entry in self._state.images}
        self._saved, self._pages = saved_so_far(folder, first)
        if unlisted := self._pages.keys() - self._entries.keys():
            raise RecordError(
                f"found frames of {min(unlisted)} in the table of {folder}, but not that image in {STATE}, expected "
                "both: what was saved is left as it is; restore the file, and record into another folder"
            )
        self._rows = FrameRows(folder, keep)
        self._state.save(folder)

    def _open(self, name: str, leading: str, spec: FrameSpec) -> RawSeries:
        """The series of an image whose first frame comes to this process."""
        entry = self._entries.get(name)
        if entry is not None:
            series = self._format.resume(about_entry(self._folder, entry, self._expected), self._pages.get(name, 0))
        else:
            length = None if self._state.keep is None else window_length(self._state.keep, spec)
            about = RawAbout(self._folder / name, spec, leading, length, self._expected)
            series = self._format.make(about)
            entry = self._entries[name] = entry_of(about, self._format_name)
            self._state.images.append(entry)
            self._state.save(self._folder)
        self._series[name] = series
        return series

    def has(self, number: int) -> bool:
        """Whether an earlier process saved this frame, whose acknowledgement was lost with it."""
        return number in self._saved

    @property
    def bytes_under_way(self) -> int:
        """Bytes, not compressed, of the frames that are being written."""
        return self._flight.nbytes

    def crowded(self, spec: FrameSpec) -> bool:
        """Whether so many frames have no rows yet that the next one would overwrite one that is told: `enter` them."""
        return self._state.keep is not None and len(self._landed) + len(self._flight) >= most_unnamed(spec)

    def save(self, message: Mapping[str, Any], spec: FrameSpec, pixels: Pixels) -> None:
        """Begin to save a frame; `pixels` must not change until it has a row. Raises RecordError."""
        self._place.check()  # a file's path may lead into a new recording by now
        name = message["array"]
        series = self._series.get(name) or self._open(name, message["axes"], spec)
        note = {**message, "wall_ns": self._clock.wall_of(message["received_ns"])}
        page, future = series.write(tuple(message["at"]), pixels, note)
        future.add_done_callback(lambda _: self._wake())
        # Counted while TensorStore's threads compress and write.
        row = frame_row(message, page, self._clock, crc32(pixels))
        what = "frame " + "/".join(map(str, message["id"]))
        self._flight.add(what, [future], pixels.nbytes, partial(self._landed.append, row))

    def reap(self, *, wait: bool = False) -> list[int]:
        """Enter what is on the disk by now (with `wait`: all that was begun) into the table; the frames' numbers.

        Raises RecordError when a frame could not be saved; those that could are then given by the next call.
        """
        if wait:
            self._flight.drain()
        else:
            self._flight.reap()
        return self.enter()

    def enter(self) -> list[int]:
        """Give the frames that landed their rows, without looking for more."""
        rows = self._landed.copy()
        self._landed.clear()
        if rows:
            self._place.check()
            self._append(rows)
        return [row[0] for row in rows]

    def _append(self, rows: list[list[Any]]) -> None:
        try:
            self._rows.append(rows)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:  # a value with no place in the table
            for row in rows:
                with contextlib.suppress(pa.ArrowException, ValueError, TypeError, OverflowError):
                    self._rows.append([row])
            raise RecordError(f"a row of the table frames could not be made ({error}): correct the source") from error

    def fail(self, words: str) -> None:
        """Put down why no more is saved, for readers of a recording that is not closed in order."""
        self._place.check()
        self._state.error = words
        self._state.save(self._folder)

    def check(self) -> None:
        """Raise RecordError when the folder or its table is gone, though the files can still be written to."""
        self._place.check()
        if not self._rows.in_place:
            raise self._place.gone

    def close(self) -> None:
        """Close the images and the table; `raw.json` is written once more, in case someone damaged it."""
        try:
            for series in self._series.values():
                series.close()
        finally:
            self._rows.close()
            if self._place.there:
                self._state.save(self._folder)
