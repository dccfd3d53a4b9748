"""The room on the disk while a recording runs."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

from ..._clock import now_ns
from ..._errors import RecordError

SPARE_BYTES = 8 << 20
"""Room that a recording keeps for its tables and its end, beside what stands in the slots."""
EVERY_NS = 100_000_000
EVERY_BYTES = 4 << 20
"""The disk is asked at least this often: whatever comes first."""
RATE_NS = 3_000_000_000
"""How long the rate is measured before it is told how long the disk lasts."""


class DiskWatch:
    """Asks the disk for its free bytes, between frames."""

    def __init__(self, folder: Path) -> None:
        self._reserve = SPARE_BYTES
        self._folder = folder
        self._asked_ns = 0
        self._since = 0
        self._began_ns = 0
        self._bytes = 0
        self._told = False

    def reserve_for(self, nbytes: int) -> None:
        """So many bytes may stand in the slots and have still to be written when the end is near."""
        self._reserve = SPARE_BYTES + nbytes

    def has_room(self, nbytes: int) -> bool:
        """Whether so many bytes can be written and leave half of the spare room, for the tables and the end."""
        return shutil.disk_usage(self._folder).free >= nbytes + SPARE_BYTES // 2

    def count(self, nbytes: int) -> bool:
        """A frame of so many bytes came; True when it is time to ask."""
        self._began_ns = self._began_ns or now_ns()
        self._bytes += nbytes
        self._since += nbytes
        return self._since >= EVERY_BYTES or now_ns() - self._asked_ns >= EVERY_NS

    def ask(self) -> str | None:
        """Raise RecordError when the disk is nearly full; once, after the first seconds, how long it will last."""
        self._since, self._asked_ns = 0, now_ns()
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise RecordError(
                f"the disk of {self._folder} cannot be reached ({error.strerror or error}): what was saved before is "
                "whole; connect the disk again, or choose another one"
            ) from error
        if free < self._reserve:
            raise RecordError(
                f"found {free // 1_000_000} MB free in {self._folder}, expected at least "
                f"{math.ceil(self._reserve / 1e6)} MB for the frames that wait and the end of the recording: it was "
                "ended in order; free some space or choose another disk"
            )
        elapsed = self._asked_ns - self._began_ns
        if self._told or elapsed < RATE_NS:
            return None
        self._told = True
        rate = self._bytes / elapsed  # bytes per ns, uncompressed
        return (
            f"the disk of {self._folder} has room for {_duration((free - self._reserve) / rate / 1e9)} or more at the "
            f"{rate * 1e3:.0f} MB/s of the first seconds"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
