"""A lane is one camera's way in: its slots, and the windows that wait. Here every frame is a window by itself."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from ._admission import Admission
from ._clock import now_ns
from ._frame import Frame, FrameId, FrameSpec
from ._ledger import Ledger, State
from ._ring import Ring
from .worker import Moment

if TYPE_CHECKING:
    from .budget import Pace

_ID = attrgetter("id")
BUDGET = "budget"
"""Why a window is skipped that the budget of time leaves out."""
AS_RECORDED = "as recorded"
"""Why a window is skipped that did not run in the recording which is followed."""


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
    moment: Moment | None = None
    """Where trackers go on with it, once it was sent."""
    wanted: tuple[int, ...] | None = None
    """`chosen` before a budget of time left some out; `level` is that of the budget, `way` which of the lane's ways."""
    level: int | None = None
    way: int = 0

    @property
    def ids(self) -> list[FrameId]:
        return list(map(_ID, self.frames))

    # What differs only where windows are gathered (see `GatheredWindow`), and costs nothing where they are not.
    @property
    def owned(self) -> Sequence[FrameId]:
        """Frames whose accounts end with the window's."""
        return self.ids

    @property
    def newest_ns(self) -> int:
        """When the frame that completed it was received."""
        return self.frames[-1].received_ns

    @property
    def target(self) -> int:
        """The number within it of the frame that the answer belongs to."""
        return -1

    @property
    def padded(self) -> int:
        """How many of its frames stand in for others."""
        return 0

    @property
    def state(self) -> int | None:
        """Whose memory recurrent networks go on with; None: they have none."""
        return None

    @property
    def keys(self) -> Sequence[int] | None:
        """The frames' numbers within their lane, where one may be in several windows."""
        return None

    @property
    def reset(self) -> bool:
        """Whether that memory begins anew."""
        return False


class Lane:
    """Admission and slots of one camera. All methods are called with the account's lock held.

    Frames come from one thread at a time, in the camera's order: `admit` says whether the frame enters (if not, its
    account is closed), and `commit` that it stands in its slot. `raw_depth` slots are for a recorder, which holds
    `raw_held` of them now. `GatheredLane` is the one for windows of several frames, and for recurrent networks.
    """

    length = 1
    """Frames of a window."""
    gathers = False
    """Whether windows may be completed by a frame that is not admitted itself."""
    ring: Ring
    """Its slots, once it is `furnished`."""

    def __init__(
        self, spec: FrameSpec, admission: Admission, in_hand: int, lendable: int, ledger: Ledger, raw_depth: int = 0
    ) -> None:
        self.spec = spec
        self.shape = spec.shape
        self.dtype = np.dtype(spec.dtype)  # comparing with a name would look it up for every frame
        self.waiting: deque[Window] = deque()
        self.furnished = False
        self.ready = False
        """Whether the worker can run its windows."""
        self.ended = False
        self.raw_depth = raw_depth
        self.raw_held = 0
        self._slots = admission.depth + 1 + in_hand + lendable + raw_depth
        self._lendable = lendable
        self._admission = admission
        self._newest, self._depth = admission.kind == "keep_newest", admission.depth
        self._takes_all = admission.kind == "keep_newest" and admission.every_n == 1
        self.takes_all = False
        """Whether `admit` would let every frame in: nothing is skipped before it has been copied."""
        self._ledger = ledger
        self._begun = 0
        self._pace: Pace | None = None

    def follow(self, pace: Pace) -> None:
        """Leave windows out as a budget of time wants it; called before `open`."""
        self._pace, self._takes_all = pace, False

    def furnish(self) -> None:
        """Make the slots, which takes a while: outside the account's lock, before anything else but `admit`.

        Raises WorkerError when there is no shared memory for them. `open` follows, with the lock held.
        """
        self.ring = Ring(self.spec, self._slots, self._lendable)

    def open(self) -> None:
        """It is furnished; frames may enter."""
        self.furnished = True
        self.takes_all = self._takes_all

    @property
    def idle(self) -> bool:
        """Whether nothing stands in its slots that somebody waits for."""
        return not self.waiting and self.raw_held == 0

    def admit(self, frame: Frame, changed: threading.Condition) -> bool:
        """Whether the frame enters; its account is closed when not. Waits under `block`, and only then."""
        if not self.furnished and not self._await_slots(frame, changed):
            return False
        if not self._takes_all and (refusal := self._refuse_window(frame, changed)):
            self._ledger.close_one(frame.id, "skipped", refusal)
            return False
        return True

    def _await_slots(self, frame: Frame, changed: threading.Condition) -> bool:
        if self._admission.kind != "block":
            self._ledger.close((frame.id,), "skipped", "preparing")
            return False
        while not (self.furnished or self.ended):
            changed.wait()
        return True

    def passes(self, frame: Frame) -> None:
        """A frame goes by that no stage runs on."""

    def commit(
        self, frame: Frame, slot: int, submitted_ns: int, copied_ns: int, chosen: tuple[int, ...] | None = None
    ) -> None:
        """The frame stands in its slot; a window that is now complete joins those that wait."""
        window = Window([frame], [slot], submitted_ns, copied_ns, chosen=chosen, wanted=chosen)
        if self._newest and len(self.waiting) >= self._depth:
            self.end(self.waiting.popleft(), "skipped", "queue" if self.ready else "preparing")
        self.waiting.append(window)

    def next(self) -> Window | None:
        """The window that goes to the worker next; those past their deadline are skipped on the way."""
        self._expire()
        return self.waiting.popleft() if self.waiting else None

    def end(self, window: Window, state: State, reason: str) -> None:
        """Close the account of a window's frames and take their slots back."""
        self._ledger.close_one(window.frames[0].id, state, reason)
        self.ring.give(window.slots[0])

    def end_waiting(self, state: State, reason: str) -> None:
        """Close the accounts of all that waits here; nothing is waited for any more."""
        self.ended = True
        self.drop_partial(reason, state)
        while self.waiting:
            self.end(self.waiting.popleft(), state, reason)

    def drop_partial(self, reason: str, state: State = "skipped") -> None:
        """What was begun cannot be completed, and nothing goes on from it."""

    def give_up(self, reason: str) -> None:
        """Close the accounts of frames that wait for others; what comes later may go on from them."""

    def forget_states(self) -> None:
        """The worker has lost the memory of recurrent networks."""

    @property
    def _full(self) -> str:
        """Why a window finds no place: the worker is busy with others, or not ready for such frames yet."""
        return "queue" if self.ready else "preparing"

    def _refuse_window(self, frame: Frame, changed: threading.Condition) -> str:
        self._begun += 1
        if (self._begun - 1) % self._admission.every_n:
            return "sampling"
        if self._admission.only is not None and frame.id not in self._admission.only:
            return AS_RECORDED
        if self._pace is not None and not self._pace.takes(frame):
            return BUDGET
        if self._admission.kind == "keep_oldest":
            return self._full if self._no_room() else ""
        if self._admission.kind == "block":
            self._await_room(changed)
        return ""

    def _no_room(self) -> bool:
        """Whether as many windows wait as may, after those past their deadline were skipped."""
        if len(self.waiting) >= self._depth:
            self._expire()
        return len(self.waiting) >= self._depth

    def _await_room(self, changed: threading.Condition) -> None:
        self._no_room()
        while len(self.waiting) >= self._depth and not self.ended:
            changed.wait()

    def _expire(self) -> None:
        deadline_ms = self._admission.deadline_ms
        if deadline_ms is None:
            return
        oldest_ns = now_ns() - int(deadline_ms * 1e6)
        while self.waiting and self.waiting[0].newest_ns < oldest_ns:
            self.end(self.waiting.popleft(), "skipped", "expired")

    def close(self) -> None:
        """Forget the slots; arrays that readers hold stay valid."""
        if self.furnished:
            self.furnished = self.takes_all = False
            self.ring.close()
