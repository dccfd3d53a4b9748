"""The live path put together: frames in at `submit`, results out at `delivery`, every account closed at the end.

`Runtime` is its face; nothing here knows of hooks, sources or streams.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from ._admission import Admission
from ._cameras import Cameras
from ._clock import now_ns
from ._delivery import Delivery
from ._dispatch import CREDIT, LENDABLE, Dispatcher
from ._errors import FrameMismatchError, OnscopeError, RecordError, WorkerError
from ._events import Event, Teller
from ._frame import Frame, FrameId, FrameSpec
from ._lane import Lane
from ._ledger import Ledger
from ._pipeline import Pipeline
from ._route import Route
from ._sink import RawSink
from ._supervise import Supervisor, WorkerLink
from ._watch import Terms
from .care import Care

REASONS = {FrameMismatchError: "does not fit the prepared frames", RecordError: "not recorded"}
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
        self._window = pipeline.window
        self._admission = admission
        self._sink = sink
        self._tell = tell
        self._closed = False
        self._care: Care | None = None
        if sink is not None:
            sink.bind(self._saved, self._sink_failed)
        self.ledger = Ledger(lock=self._account)
        self.delivery = Delivery(self._changed)
        self.dispatcher = Dispatcher(self._changed, self.ledger, self.delivery, admission)
        self.delivery.make_room = self.dispatcher.pump
        self.supervisor = Supervisor(start_worker, self.dispatcher, terms, tell)
        self.cameras = Cameras(pipeline, self._lane, self.dispatcher, self.supervisor, sink, tell)

    def prepare(self, spec: FrameSpec) -> None:
        """See `Runtime.prepare`."""
        with self._changed:
            if self._closed:
                raise _closed_error()
            route = self.cameras.prepare(spec)
            self._changed.wait_for(lambda: route.lane.ready or route.why_not)
            if route.refusal:
                raise route.refusal
            if self._closed:
                raise _closed_error()
            if route.why_not:
                raise WorkerError(f"{route.why_not}: run `onscope validate` on the packages of the pipeline")

    def submit(self, frame: Frame, raw: bool = True) -> FrameId:
        """See `Runtime.submit`; `raw`: the frame is for the recorder too, if there is one."""
        submitted_ns = now_ns()
        pixels = frame.pixels
        raw = raw and self._sink is not None
        with self._account:
            if self._closed:
                raise _closed_error()
            self.ledger.enter(frame.id)
            try:
                route = self.cameras.of(frame)
                lane = route.lane
                if pixels.shape != lane.shape or pixels.dtype != lane.dtype:
                    lane.spec.check(pixels)
                if raw:
                    self._await_recorder(lane)
            except OnscopeError as error:
                self.ledger.close((frame.id,), "failed", REASONS.get(type(error), str(error)))
                raise
            chosen = None if route.takes_all else route.choose(frame)
            if chosen is None and lane.takes_all and not route.why_not:
                admitted = True  # what `_admit` says in most runs
            else:
                admitted = self._admit(frame, route, chosen)
            if not (admitted or raw):
                return frame.id
            slot = lane.ring.take()
            view = lane.ring.views[slot]
        try:
            np.copyto(view, pixels)
        except BaseException:  # Ctrl-C in a notebook, say: neither the slot nor the account may be lost
            with self._account:
                self._take_back(frame, route, slot, raw, admitted, "interrupted")
            raise
        copied_ns = now_ns()
        with self._account:
            if raw and self._sink is not None:
                try:
                    self._sink.save(route.number, slot, frame)
                except OnscopeError:
                    self._take_back(frame, route, slot, raw, admitted, "not recorded")
                    raise
                if admitted:
                    lane.ring.hold(slot)
            if admitted:
                lane.commit(frame, slot, submitted_ns, copied_ns, chosen)
                if route.why_not:
                    lane.end_waiting("failed", route.why_not)
                self.dispatcher.pump()
        return frame.id

    def _take_back(self, frame: Frame, route: Route, slot: int, raw: bool, admitted: bool, why: str) -> None:
        """A frame that has a slot will be neither recorded nor run."""
        route.lane.ring.give(slot)
        route.lane.raw_held -= raw
        if admitted:
            self.ledger.close((frame.id,), "failed", why)
        self._changed.notify_all()

    def _admit(self, frame: Frame, route: Route, chosen: tuple[int, ...] | None) -> bool:
        """Whether the frame goes on to the worker; its account is closed when not."""
        if chosen == ():
            self.ledger.close((frame.id,), "skipped", "not chosen")
            return False
        if not route.why_not and not route.lane.admit(frame, self._changed):
            return False
        if route.why_not:  # also when the end came while it waited for its turn
            self.ledger.close((frame.id,), "failed", route.why_not)
            return False
        return True

    def _await_recorder(self, lane: Lane) -> None:
        """Wait until the recorder may have one more slot. Raises RecordError when it cannot save any more."""
        assert self._sink is not None
        while self._sink.failure is None:
            if lane.furnished and lane.raw_held < lane.raw_depth:
                lane.raw_held += 1
                return
            if self._closed:
                raise _closed_error()
            if lane.ended and not lane.furnished:
                raise WorkerError("found no slots for the recorder, expected some: see what was told before")
            self._changed.wait()
        raise self._sink.failure

    def _saved(self, number: int, slot: int) -> None:
        with self._changed:
            lane = self.dispatcher.routes[number].lane
            lane.raw_held -= 1
            lane.ring.give(slot)
            self._changed.notify_all()

    def _sink_failed(self) -> None:
        assert self._sink is not None
        self._tell(Event("recording ended", str(self._sink.failure)))
        with self._changed:
            self._changed.notify_all()

    def drain(self, cameras: frozenset[str] | None = None, timeout_s: float | None = None) -> bool:
        """Wait until the accounts of some cameras, or of all, are closed; windows that were begun are given up."""

        def settled() -> bool:
            for route in self.dispatcher.routes.values():
                if cameras is None or route.lane.spec.camera in cameras:
                    route.lane.drop_partial("incomplete window")
            return (self.ledger.open if cameras is None else self.ledger.open_of(cameras)) == 0

        with self._changed:
            return self._changed.wait_for(settled, timeout_s)

    def close(self) -> None:
        """End the worker; frames that are still open are accounted as `skipped(closed)`, all raw ones are saved."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
        self.supervisor.close()
        with self._changed:
            self.dispatcher.end_all("skipped", "closed")
        self._await_saved()
        self.delivery.close()
        self.cameras.close()
        if self._care is not None:
            self._care.end()
        self._tell.close()

    def _await_saved(self) -> None:
        if self._sink is None:
            return
        with self._changed:
            while (held := self._raw_held()) and self._sink.failure is None:
                if not self._changed.wait_for(lambda: self._raw_held() < held, SAVING_PATIENCE_S):
                    self._tell(Event("recording ended", f"the recorder saved nothing for {SAVING_PATIENCE_S:.0f} s"))
                    return

    def _raw_held(self) -> int:
        return sum(route.lane.raw_held for route in self.dispatcher.routes.values())

    def _lane(self, spec: FrameSpec) -> Lane:
        if self._care is None:
            self._care = Care()  # frames are about to run
        in_hand = CREDIT + 2  # in the worker, one being made a result, one sent again after a death
        raw_depth = 0 if self._sink is None else self._sink.depth(spec)
        return Lane(spec, self._admission, self._window, in_hand, LENDABLE, self.ledger, raw_depth)


def _closed_error() -> WorkerError:
    return WorkerError("found a runtime that is closed, expected an open one: make a new Runtime")
