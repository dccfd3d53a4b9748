"""The live path put together: frames in at `submit`, results out at `delivery`, every account closed at the end.

`Runtime` is its face; nothing here knows of hooks, sources or streams.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from ._admission import Admission
from ._cameras import Cameras
from ._clock import now_ns
from ._delivery import Delivery
from ._dispatch import Dispatcher
from ._errors import FrameMismatchError, OnscopeError, RecordError, WorkerError
from ._events import Event, Teller
from ._frame import Frame, FrameId, FrameSpec
from ._lane import Lane
from ._ledger import Ledger
from ._pipeline import Pipeline
from ._route import Route
from ._sink import RawSink
from ._supervise import Supervisor
from ._watch import Terms
from .worker import WorkerLink

REASONS: dict[type[BaseException], str] = {
    FrameMismatchError: "does not fit the prepared frames",
    RecordError: "not recorded",
}
SAVING_PATIENCE_S = 60.0
"""How long the end waits for a recorder that saves nothing more."""


class LivePath:
    """One pipeline's lanes, worker and account. `close` may be called more than once, and from any thread.

    With a `sink`, every frame that is submitted with `raw` is saved by it, from the slot that the inference reads too.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        start_worker: Callable[[], WorkerLink],
        admission: Admission,
        terms: Terms,
        tell: Teller,
        sink: RawSink | None = None,
    ) -> None:
        # Entering a Condition runs Python, entering its lock does not; `submit` does so twice for every frame.
        self._account = threading.RLock()
        self._changed = threading.Condition(self._account)
        self._sink = sink
        self.tell = tell
        self.closed = False
        if sink is not None:
            sink.bind(self._saved, self._sink_failed)
        self.ledger = Ledger(lock=self._account)
        self.delivery = Delivery(self._changed)
        self.dispatcher = Dispatcher(self._changed, self.ledger, self.delivery, admission)
        self.delivery.make_room = self.dispatcher.pump
        self.supervisor = Supervisor(start_worker, self.dispatcher, terms, tell)
        self.cameras = Cameras(pipeline, admission, self.dispatcher, self.supervisor, sink, tell)
        self.taken: Callable[[Frame], object] | None = None
        """Is told of every frame that is handed over, in the thread that does so; it must neither wait nor raise."""
        self._awaited = False
        self._closing = threading.RLock()
        self._steps = deque(
            [
                self.supervisor.close,
                self._end_accounts,
                self._await_saved,
                self.delivery.close,
                self.cameras.close,
                tell.close,
            ]
        )

    def prepare(self, spec: FrameSpec) -> None:
        """See `Runtime.prepare`."""
        with self._changed:
            if self.closed:
                raise closed_error()
            route = self.cameras.prepare(spec)
            self._changed.wait_for(lambda: route.lane.ready or route.why_not)
            if refusal := route.refusal or route.outside:
                raise refusal
            if self.closed:
                raise closed_error()
            if route.why_not:
                raise WorkerError(f"{route.why_not}: run `onscope validate` on the packages of the pipeline")

    def submit(self, frame: Frame, raw: bool = True) -> FrameId:
        """See `Runtime.submit`; `raw`: the frame is for the recorder too, if there is one."""
        submitted_ns = now_ns()
        if self.taken is not None:
            self.taken(frame)
        pixels = frame.pixels
        sink = self._sink if raw else None
        lane: Lane | None = None
        slot, holds, entered, counted = -1, 0, False, False  # what must be undone when it is cut short
        try:
            with self._account:
                if self.closed:
                    raise closed_error()
                self.ledger.enter(frame.id)
                entered = True
                route = self.cameras.of(frame)
                lane = route.lane
                if pixels.shape != lane.shape or pixels.dtype != lane.dtype:
                    lane.spec.check(pixels)
                if sink is not None:
                    self._await_recorder(route, sink)
                    counted = True
                chosen = None if route.takes_all else route.choose(frame)
                if chosen is None and lane.takes_all and not route.why_not:
                    admitted = True  # what `_admit` says in most runs
                else:
                    admitted = self._admit(frame, route, chosen)
                if not admitted and sink is None:
                    return frame.id
                slot = lane.ring.take()
                holds = 1
                view = lane.ring.views[slot]
            np.copyto(view, pixels)
            copied_ns = now_ns()
            with self._account:
                if sink is not None:
                    if admitted:
                        lane.ring.hold(slot)
                        holds = 2
                    sink.save(route.number, slot, frame)
                    counted = False  # the recorder gives it back
                    holds -= 1
                if admitted:
                    lane.commit(frame, slot, submitted_ns, copied_ns, chosen)
                    entered, holds = False, 0  # the window's now
                    if route.why_not:
                        lane.end_waiting(route.end_state, route.why_not)
                    self.dispatcher.pump()
        except BaseException as error:  # Ctrl-C in a notebook, say: neither slot nor account may be lost
            self._take_back(frame.id, error, lane, slot, holds, entered, counted)
            raise
        return frame.id

    def _take_back(
        self, id: FrameId, error: BaseException, lane: Lane | None, slot: int, holds: int, entered: bool, counted: bool
    ) -> None:
        """Undo what was done for a frame that could not be handed over: its slot's holds, its account."""
        why = str(error) if isinstance(error, OnscopeError) else "interrupted"
        with self._account:
            if lane is not None:
                lane.raw_held -= counted
                for _ in range(holds):
                    lane.ring.give(slot)
            if entered and self.ledger.has_open(id):
                self.ledger.close((id,), "failed", REASONS.get(type(error), why))
            self._changed.notify_all()

    def _admit(self, frame: Frame, route: Route, chosen: tuple[int, ...] | None) -> bool:
        """Whether the frame goes on to the worker; its account is closed when not."""
        if chosen == ():
            self.ledger.close((frame.id,), "skipped", "not chosen")
            route.lane.passes(frame)
            return False
        if not route.why_not and not route.lane.admit(frame, self._changed):
            if route.lane.gathers:
                self.dispatcher.pump()
            return False
        if route.why_not:  # also when the end came while it waited for its turn
            self.ledger.close((frame.id,), route.end_state, route.why_not)
            return False
        return True

    def _await_recorder(self, route: Route, sink: RawSink) -> None:
        """Wait until the recorder may have one more slot. Raises RecordError when it cannot save any more."""
        lane = route.lane
        while sink.failure is None:
            if lane.furnished and lane.raw_held < lane.raw_depth:
                lane.raw_held += 1
                return
            if self.closed:
                raise closed_error()
            if route.refusal is not None and not lane.furnished:
                raise route.refusal
            self._changed.wait()
        raise sink.failure

    def _saved(self, number: int, slot: int) -> None:
        with self._changed:
            lane = self.dispatcher.routes[number].lane
            lane.raw_held -= 1
            lane.ring.give(slot)
            self._changed.notify_all()

    def _sink_failed(self) -> None:
        assert self._sink is not None
        self.tell(Event("recording ended", str(self._sink.failure)))
        with self._changed:
            self._changed.notify_all()

    def drain(self, cameras: frozenset[str] | None = None, timeout_s: float | None = None) -> bool:
        """Wait until the accounts of some cameras, or of all, are closed; windows that were begun are given up."""

        def settled() -> bool:
            for route in self.dispatcher.routes.values():
                if cameras is None or route.lane.spec.camera in cameras:
                    route.lane.give_up("incomplete window")
            return (self.ledger.open if cameras is None else self.ledger.open_of(cameras)) == 0

        with self._changed:
            return self._changed.wait_for(settled, timeout_s)

    def close(self) -> None:
        """End the worker; frames that are still open are accounted as `skipped(closed)`, all raw ones are saved.

        One that is interrupted goes on where it was when it is called again.
        """
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        with self._closing:
            while self._steps:
                self._steps[0]()
                self._steps.popleft()

    def _end_accounts(self) -> None:
        with self._changed:
            self.dispatcher.end_all("skipped", "closed")

    def _await_saved(self) -> None:
        if self._sink is None or self._awaited:
            return
        self._awaited = True  # who interrupts this does not want to wait again; the recorder knows of all frames
        with self._changed:
            while (held := self._raw_held()) and self._sink.failure is None:
                if not self._changed.wait_for(lambda: self._raw_held() < held, SAVING_PATIENCE_S):
                    self.tell(Event("recording ended", f"the recorder saved nothing for {SAVING_PATIENCE_S:.0f} s"))
                    return

    def _raw_held(self) -> int:
        return sum(route.lane.raw_held for route in self.dispatcher.routes.values())


def closed_error() -> WorkerError:
    return WorkerError("found a runtime that is closed, expected an open one: make a new Runtime")
