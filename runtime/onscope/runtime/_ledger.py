"""The ledger: the account of every frame. Each ends in exactly one state, and the counts add up."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Container, Iterable
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple

from ._errors import FrameMismatchError
from ._frame import FrameId

State = Literal["done", "late", "skipped", "failed", "lost_upstream"]
STATES: tuple[State, ...] = ("done", "late", "skipped", "failed", "lost_upstream")


class LedgerRow(NamedTuple):
    """The end of one frame, or of `frames` consecutive ones lost upstream that begin with `id`."""

    id: FrameId
    state: State
    reason: str = ""
    frames: int = 1


class Ledger:
    """The account of a run. Counts are kept for good, the rows of the last `keep` ends.

    `enter` and `close` are called by the runtime alone, with its account's lock held, which is `lock`; the rest by
    anyone, any time.
    """

    def __init__(self, keep: int = 200_000, lock: AbstractContextManager[object] | None = None) -> None:
        self.submitted = 0
        self._open: set[FrameId] = set()
        self._counts: Counter[tuple[State, str]] = Counter()
        # Flat tuples: one is made per frame in the acquisition's own thread, and the garbage collector, which would
        # stop that thread to look through hundreds of thousands of nested ones, never looks at them again.
        self._rows: deque[tuple[Any, ...]] = deque(maxlen=keep)
        self._expected: dict[str, tuple[str, int, int]] = {}
        self._lock = lock or threading.RLock()

    def enter(self, id: FrameId) -> None:
        """Open a frame's account; a jump of the camera's counter enters the frames between as `lost_upstream`."""
        run, camera, segment, seq = id
        last_run, last_segment, expected = self._expected.get(camera, ("", -1, 0))
        if run != last_run or segment > last_segment:
            expected = 0
        elif segment < last_segment:
            raise FrameMismatchError(
                f"found segment {segment} of {camera} after segment {last_segment}, expected segments to rise: count "
                "them up in one run"
            )
        if seq != expected:
            if seq < expected:
                raise FrameMismatchError(
                    f"found frame {seq} of {camera} after frame {expected - 1}, expected the counter to rise: "
                    "open a new segment when the camera's counter restarts"
                )
            self._add((run, camera, segment, expected), "lost_upstream", "", seq - expected)
        if id in self._open:  # of a run that was left and begun again
            raise FrameMismatchError(f"found frame {id} while it is under way, expected every frame once")
        self._expected[camera] = (run, segment, seq + 1)
        self._open.add(id)
        self.submitted += 1

    def close(self, ids: Iterable[FrameId], state: State, reason: str = "") -> None:
        """End frames' accounts; a frame that is not open is an error of the runtime (KeyError)."""
        for id in ids:
            self._open.remove(id)
            self._add(id, state, reason, 1)

    def has_open(self, id: FrameId) -> bool:
        """Whether the frame's account has not ended yet."""
        return id in self._open

    def close_one(self, id: FrameId, state: State, reason: str = "") -> None:
        """`close` for one frame."""
        self._open.remove(id)
        self._counts[state, reason] += 1
        self._rows.append((*id, state, reason, 1))

    def _add(self, id: tuple[str, str, int, int], state: State, reason: str, frames: int) -> None:
        self._counts[state, reason] += frames
        self._rows.append((*id, state, reason, frames))

    @property
    def open(self) -> int:
        """Frames whose account has not ended yet."""
        return len(self._open)

    def open_of(self, cameras: Container[str]) -> int:
        """Frames of these cameras whose account has not ended yet."""
        with self._lock:
            return sum(id.camera in cameras for id in self._open)

    @property
    def counts(self) -> dict[str, int]:
        """Frames by state, every state named, and `open`."""
        counts: dict[str, int] = dict.fromkeys((*map(str, STATES), "open"), 0)
        with self._lock:
            for (state, _), count in self._counts.items():
                counts[state] += count
        counts["open"] = self.open
        return counts

    def count(self, state: State, reason: str) -> int:
        """Frames that ended so."""
        return self._counts.get((state, reason), 0)

    @property
    def reasons(self) -> dict[str, int]:
        """Frames by state and reason, as `skipped(queue)`."""
        with self._lock:
            return {f"{state}({reason})" if reason else state: n for (state, reason), n in self._counts.items()}

    def table(self) -> list[LedgerRow]:
        """The ends of the last frames, oldest first."""
        with self._lock:
            rows = list(self._rows)
        return [LedgerRow(FrameId(*row[:4]), *row[4:]) for row in rows]

    def adds_up(self) -> bool:
        """Whether every submitted frame has ended in exactly one state."""
        counts = self.counts
        return counts["open"] == 0 and sum(counts[state] for state in STATES[:-1]) == self.submitted
