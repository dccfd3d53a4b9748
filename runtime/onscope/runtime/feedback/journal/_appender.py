"""Lines on their way to the disk: a bounded queue, and the one thread that writes and syncs in groups."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..._clock import now_ns
from ..._events import log
from ._file import LineFile
from ._lines import Line, as_bytes, lost_line

GROUP_S = 0.03
"""Lines wait so long for others before the disk is asked to hold them: with its own time 50 ms at most."""
MOST_LINES = 20_000
MOST_BYTES = 256 << 20
"""Of what waits, masks included."""

Make = Callable[[], Line]


class Appender:
    """Appends lines to `path`, made new with the line `first`; any thread may call any method.

    `failure` is the sentence that says what is wrong while lines cannot be written (None: all is well), `lost` counts
    those that are missing. `tell` is called from the writing thread, once for each failure. Lines are made by the
    writing thread. Raises RecordError when the file is there, or cannot be made.
    """

    def __init__(self, path: Path, first: Line, tell: Callable[[str], object]) -> None:
        self.failure: str | None = None
        self.lost = 0
        self._path = path
        self._tell = tell
        self._untold: deque[str] = deque()
        self._queue: deque[tuple[Make, int]] = deque()
        self._changed = threading.Condition()
        self._held = 0
        self._put_in = self._settled = self._wanted = 0
        """How many lines there were, are on the disk (or lost), and are waited for."""
        self._last: Make | None = None
        self._file = LineFile(path, as_bytes(first))
        self._unsynced = self._taken = self._lost_written = self._lost_synced = 0
        self._due: float | None = None
        self._thread = threading.Thread(target=self._run, name="onscope-journal", daemon=True)
        self._thread.start()

    def put(self, make: Make, weight: int = 0) -> None:
        """Have the line that `make` gives written soon, in order; `weight`: bytes that it holds until then."""
        with self._changed:
            if self._last is not None:
                self._lose(1, "it was closed already")
            elif len(self._queue) >= MOST_LINES or self._held + weight > MOST_BYTES:
                self._lose(1, "its disk is too slow")
            else:
                self._queue.append((make, weight))
                self._held += weight
                self._put_in += 1
                self._changed.notify_all()

    def sync(self, timeout_s: float) -> bool:
        """Wait until all lines so far are on the disk itself; whether they are."""
        with self._changed:
            lost, target = self.lost, self._put_in
            self._wanted = max(self._wanted, target)
            self._changed.notify_all()
            there = self._changed.wait_for(lambda: self._settled >= target, timeout_s)
            return there and self.failure is None and self.lost == lost

    def close(self, last: Make, timeout_s: float) -> None:
        """Write what is left and the line `last`; a second call only waits."""
        with self._changed:
            self._last = self._last or last
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _lose(self, count: int, why: str) -> None:
        self.lost += count
        if self.failure is None:
            self.failure = (
                f"found that {self._path} cannot be written ({why}), expected every line on the disk: make room on it, "
                "or choose a faster one"
            )
            self._untold.append(self.failure)

    def _run(self) -> None:
        ending = False
        while not ending:
            batch, sync, ending = self._take()
            self._write(batch, sync)
            if ending and self._last is not None:
                self._write([self._last], True)
            while self._untold:
                try:
                    self._tell(self._untold.popleft())
                except Exception:  # it is another's code, and no reason to write no more
                    log.exception("a failure of the journal could not be told")
        self._file.close()

    def _take(self) -> tuple[list[Make], bool, bool]:
        """What waits; whether it, and what was written before, has to be on the disk now; whether that is the end."""
        with self._changed:
            while not (self._queue or self._last or self._wanted > self._settled):
                left = None if self._due is None else self._due - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            batch = [make for make, _ in self._queue]
            self._queue.clear()
            self._held = 0
            self._taken += len(batch)
            if batch and self._due is None:
                self._due = time.monotonic() + GROUP_S
            ending = self._last is not None
            due = self._due is not None and self._due <= time.monotonic()
            return batch, ending or due or self._wanted > self._settled, ending

    def _write(self, batch: list[Make], sync: bool) -> None:
        lost, why = 0, ""
        lines = [self._made(make) for make in batch]
        told = self.lost
        try:
            if lines and told > self._lost_written:
                words = self.failure or "lines could not be written"
                lines.insert(0, as_bytes(lost_line(told - self._lost_written, words, now_ns())))
            self._file.append(b"".join(lines))
            self._unsynced += len(batch)
            self._lost_written = told if lines else self._lost_written
        except OSError as error:
            lost, why, sync = len(batch), error.strerror or str(error), True
        if sync:
            try:
                self._file.sync()
                self._lost_synced = self._lost_written
            except OSError as error:
                lost, why = lost + self._unsynced, error.strerror or str(error)
                self._lost_written = self._lost_synced
            self._unsynced, self._due = 0, None
        with self._changed:
            if lost or why:
                self._lose(lost, why)
            elif sync:
                self.failure = None
            if sync:
                self._settled = self._taken
            self._changed.notify_all()

    def _made(self, make: Make) -> bytes:
        try:
            return as_bytes(make())
        except Exception as error:  # one odd value must not end the journal of all others
            log.exception("a line of the journal could not be made")
            with self._changed:
                self.lost += 1
            self._lost_written += 1
            return as_bytes(lost_line(1, f"{type(error).__name__} while it was made", now_ns()))
