"""In the recorder process: frames from shared memory to the disk, each with its row."""

from __future__ import annotations

import contextlib
import shutil
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..._clock import ClockPair
from ..._errors import RecordError
from ..._frame import FrameSpec, Pixels
from .._flight import Flight, most_in_flight
from .._images import ImageWriter
from .._place import Place, identity
from ._rows import FrameRows, frame_row, saved_so_far
from ._state import NAME as STATE
from ._state import RawState, entry_of, read_state, spec_of_entry


class RawWriter:
    """One image per FrameSpec, and the table `frames`. Used by one thread.

    A writer of a folder that another one was killed in goes on where that one stopped: a frame that has a row already
    is not saved again (looked for from the number `first` on). `wake` is called, in any thread, when a frame reached
    the disk and `reap` should be called.
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
    ) -> None:
        self._folder = folder
        self._place = place or Place(folder, identity(folder))
        self._clock = clock
        self._expected = expected
        self._wake = wake
        self._images: dict[FrameSpec, ImageWriter] = {}
        self._flight = Flight()
        self._landed: list[list[Any]] = []
        self._margins: dict[FrameSpec, int] = {}
        self._state = read_state(folder) or RawState(keep)
        self._state.closed = False
        self._saved, following = saved_so_far(folder, first, self._state.keep)
        if unlisted := following.keys() - {entry["path"] for entry in self._state.images}:
            raise RecordError(
                f"found frames of {min(unlisted)} in the table of {folder}, but not that image in {STATE}, expected "
                "both: what was saved is left as it is; restore the file, and record into another folder"
            )
        for entry in self._state.images:
            path = folder / entry["path"]
            spec, wrap = spec_of_entry(entry), _wrap(keep, entry["margin"])
            resume_at = following.get(path.name, 0)
            for index in range(resume_at, resume_at + entry["margin"]):  # begun, and named by no row
                shutil.rmtree(path / "0" / "c" / str(index % wrap if wrap else index), ignore_errors=True)
            self._images[spec] = ImageWriter(path, spec.shape, spec.dtype, wrap=wrap, resume_at=resume_at)
            self._margins[spec] = entry["margin"]
        self._rows = FrameRows(folder, keep)
        self._state.save(folder)

    def open(self, spec: FrameSpec) -> None:
        """Make the image of such frames ahead of the first one, unless it is there."""
        if spec in self._images:
            return
        self._place.check()
        path = self._unlisted()
        margin = most_in_flight(spec.nbytes) + 1
        shutil.rmtree(path, ignore_errors=True)  # begun by a process that was killed before it could be listed
        self._images[spec] = ImageWriter(
            path,
            spec.shape,
            spec.dtype,
            pixel_size_um=spec.pixel_size_um,
            expected=self._expected,
            attributes={"role": "raw"},
            wrap=_wrap(self._state.keep, margin),
        )
        self._margins[spec] = margin
        self._state.images.append(entry_of(path.name, spec, margin))
        self._state.save(self._folder)

    def _unlisted(self) -> Path:
        listed = {entry["path"] for entry in self._state.images}
        names = (f"raw-{number}.ome.zarr" if number else "raw.ome.zarr" for number in count())
        return self._folder / next(name for name in names if name not in listed)

    def has(self, number: int) -> bool:
        """Whether an earlier process saved this frame, whose acknowledgement was lost with it."""
        return number in self._saved

    def crowded(self, spec: FrameSpec) -> bool:
        """Whether so many frames have no rows yet that the next one would overwrite one that is told: `enter` them."""
        margin = self._margins[spec]
        return self._state.keep is not None and len(self._landed) + len(self._flight) >= margin

    def save(self, message: Mapping[str, Any], spec: FrameSpec, pixels: Pixels) -> None:
        """Begin to save a frame; `pixels` must not change until it has a row. Raises RecordError."""
        self._place.check()  # a file's path may lead into a new recording by now
        image = self._images[spec]
        index, future = image.write(pixels)
        future.add_done_callback(lambda _: self._wake())
        # Counted while TensorStore's threads compress and write.
        row = frame_row(image.path.name, index, message, self._clock, zlib.crc32(pixels.data))
        what = "frame " + "/".join(map(str, message["id"]))
        self._flight.add(what, [future], image.nbytes, partial(self._landed.append, row))

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
        """Close the table; `raw.json` is written once more, in case someone damaged it."""
        self._rows.close()
        if self._place.there:
            self._state.save(self._folder)


def _wrap(keep: int | None, margin: int) -> int | None:
    # Frames may overwrite elements before they have rows of their own: these must not be among the last, see `crowded`.
    return None if keep is None else keep + margin
