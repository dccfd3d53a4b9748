"""A lane is one camera's way in: its slots, the window being gathered, and the windows that wait."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from ._admission import Admission
from ._clock import now_ns
from ._frame import Frame, FrameId, FrameSpec
from ._ledger import Ledger, State
from ._ring import Ring

_ID = attrgetter("id")


@dataclass(slots=True, eq=False)
class Window:
    """Frames that one inference needs, in their slots, on their way."""

    frames: list[Frame] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    submitted_ns: int = 0
    copied_ns: int = 0
    sent_ns: int = 0
    answer_slot: int = -1
    number: int = 0
    resent: bool = False
    chosen: tuple[int, ...] | None = None
    """Which of the lane's stages run on it; None: all."""

    @property
    def ids(self) -> list[FrameId]:
        return list(map(_ID, self.frames))


class Lane:
    """Admission and slots of one camera. All methods are called with the account's lock held.

    Frames come from one thread at a time, in the camera's order: `admit` says whether the frame enters (if not, its
    account is closed), and `commit` that it stands in its slot. A window is `length` consecutive frames of one
    position, channel and z; a gap ends it. `raw_depth` slots are for a recorder, which holds `raw_held` of them now.
    """

    ring: Ring
    """Its slots, once it is `furnished`."""

    def __init__(
        self,
        spec: FrameSpec,
        admission: Admission,
        length: int,
        in_hand: int,
        lendable: int,
        ledger: Ledger,
        raw_depth: int = 0,
    ) -> None:
        self.spec = spec
        self.shape = spec.shape
        self.dtype = np.dtype(spec.dtype)  # comparing with a name would look it up for every frame
        self.length = length
        self.waiting: deque[Window] = deque()
        self.furnished = False
        self.ready = False
        """Whether the worker can run its windows."""
        self.ended = False
        self.raw_depth = raw_depth
        self.raw_held = 0
        self._slots = length * (admission.depth + 1 + in_hand + lendable) + raw_depth
        self._lendable = length * lendable
        self._admission = admission
        self._newest, self._depth = admission.kind == "keep_newest", admission.depth
        self._takes_all = admission.kind == "keep_newest" and admission.every_n == 1
        self.takes_all = False
        """Whether `admit` would let every frame in: nothing is skipped before it has been copied."""
        self._ledger = ledger
        self._partial: Window | None = None
        self._begun = 0
        self._refused = 0
        self._refusal = ""
        self._refused_end: tuple[FrameId, tuple[object, ...]] | None = None

    def furnish(self) -> None:
        """Make the slots, which takes a while: outside the account's lock, before anything else but `admit`.

        Raises WorkerError when there is no shared memory for them. `open` follows, with the lock held.
        """
        self.ring = Ring(self.spec, self._slots, self._lendable)

    def open(self) -> None:
        """It is furnished; frames may enter."""
        self.furnished = True
        self.takes_all = self._takes_all and self.length == 1

    @property
    def idle(self) -> bool:
        """Whether nothing stands in its slots that somebody waits for."""
        return not self.waiting and self._partial is None and self.raw_held == 0

    def admit(self, frame: Frame, changed: threading.Condition) -> bool:
        """Whether the frame enters; its account is closed when not. Waits under `block`, and only then."""
        if not self.furnished:
            if self._admission.kind != "block":
                self._ledger.close((frame.id,), "skipped", "preparing")
                return False
            while not (self.furnished or self.ended):
                changed.wait()
        if self.length > 1 and not self._continues(frame):
            self.drop_partial("gap")
            self._refused = 0
        if not self._takes_all and self._partial is None and self._refused == 0:
            self._refusal = self._refuse_window(changed)
            self._refused = self.length if self._refusal else 0
        if self._refused:
            self._refused -= 1
            self._refused_end = (frame.id, _place(frame))
            self._ledger.close((frame.id,), "skipped", self._refusal)
            return False
        return True

    def commit(
        self, frame: Frame, slot: int, submitted_ns: int, copied_ns: int, chosen: tuple[int, ...] | None = None
    ) -> None:
        """The frame stands in its slot; a window that is now complete joins those that wait."""
        if self.length == 1:
            window = Window([frame], [slot], submitted_ns, copied_ns, chosen=chosen)
        else:
            window = self._partial or Window()
            window.frames.append(frame)
            window.slots.append(slot)
            window.submitted_ns = submitted_ns
            window.copied_ns = copied_ns
            window.chosen = chosen  # of all its frames: they are of one channel and position
            if len(window.frames) < self.length:
                self._partial = window
                return
            self._partial = None
        if self._newest and len(self.waiting) >= self._depth:
            self.end(self.waiting.popleft(), "skipped", "queue" if self.ready else "preparing")
        self.waiting.append(window)

    def next(self) -> Window | None:
        """The window that goes to the worker next; those past their deadline are skipped on the way."""
        self._expire()
        return self.waiting.popleft() if self.waiting else None

    def end(self, window: Window, state: State, reason: str) -> None:
        """Close the account of a window's frames and take their slots back."""
        if self.length == 1:
            self._ledger.close_one(window.frames[0].id, state, reason)
            self.ring.give(window.slots[0])
            return
        self._ledger.close(window.ids, state, reason)
        for slot in window.slots:
            self.ring.give(slot)

    def end_waiting(self, state: State, reason: str) -> None:
        """Close the accounts of all that waits here; nothing is waited for any more."""
        self.ended = True
        self.drop_partial(reason, state)
        while self.waiting:
            self.end(self.waiting.popleft(), state, reason)

    def drop_partial(self, reason: str, state: State = "skipped") -> None:
        """A window that was begun cannot be completed."""
        if self._partial is not None:
            self.end(self._partial, state, reason)
            self._partial = None

    @property
    def _full(self) -> str:
        """Why a window finds no place: the worker is busy with others, or not ready for such frames yet."""
        return "queue" if self.ready else "preparing"

    def _refuse_window(self, changed: threading.Condition) -> str:
        admission = self._admission
        self._begun += 1
        if (self._begun - 1) % admission.every_n:
            return "sampling"
        if admission.kind != "keep_newest" and len(self.waiting) >= admission.depth:
            self._expire()
            if admission.kind == "keep_oldest":
                return self._full if len(self.waiting) >= admission.depth else ""
            while len(self.waiting) >= admission.depth and not self.ended:
                changed.wait()
        return ""

    def _expire(self) -> None:
        deadline_ms = self._admission.deadline_ms
        if deadline_ms is None:
            return
        oldest_ns = now_ns() - int(deadline_ms * 1e6)
        while self.waiting and self.waiting[0].frames[-1].received_ns < oldest_ns:
            self.end(self.waiting.popleft(), "skipped", "expired")

    def _continues(self, frame: Frame) -> bool:
        if self._partial is not None:
            last = self._partial.frames[-1]
            before = (last.id, _place(last))
        elif self._refused and self._refused_end:
            before = self._refused_end
        else:
            return True
        id, place = before
        return frame.id == id._replace(seq=id.seq + 1) and _place(frame) == place

    def close(self) -> None:
        """Forget the slots; arrays that readers hold stay valid."""
        if self.furnished:
            self.furnished = self.takes_all = False
            self.ring.close()


def _place(frame: Frame) -> tuple[object, ...]:
    return tuple(frame.index.get(axis) for axis in "pcz")
