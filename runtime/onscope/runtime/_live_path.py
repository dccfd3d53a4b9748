"""The live path put together: frames in at `submit`, results out at `delivery`, every account closed at the end.

`Runtime` is its face; nothing here knows of hooks, sources or streams.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from ._admission import Admission
from ._clock import now_ns
from ._delivery import Delivery
from ._dispatch import CREDIT, LENDABLE, Dispatcher, Route
from ._errors import FrameMismatchError, OnscopeError, WorkerError
from ._events import Teller
from ._frame import Frame, FrameId, FrameSpec
from ._lane import Lane
from ._ledger import Ledger
from ._pipeline import Pipeline
from ._supervise import Supervisor, WorkerLink


class LivePath:
    """One pipeline's lanes, worker and account. `close` may be called more than once, and from any thread."""

    def __init__(
        self,
        pipeline: Pipeline,
        start_worker: Callable[[], WorkerLink],
        admission: Admission,
        provider: str,
        threads: int | None,
        tell: Teller,
    ) -> None:
        # Entering a Condition runs Python, entering its lock does not; `submit` does so twice for every frame.
        self._account = threading.RLock()
        self._changed = threading.Condition(self._account)
        self._window = pipeline.window
        self._admission = admission
        self._tell = tell
        self._closed = False
        self._by_camera: dict[str, Route] = {}
        self.ledger = Ledger(lock=self._account)
        self.delivery = Delivery(self._changed)
        self.dispatcher = Dispatcher(self._changed, self.ledger, self.delivery, admission, pipeline.messages())
        self.delivery.make_room = self.dispatcher.pump
        self.supervisor = Supervisor(start_worker, self.dispatcher, provider, threads, tell)

    def prepare(self, spec: FrameSpec) -> None:
        """See `Runtime.prepare`."""
        with self._changed:
            route = self._route(spec)
            self._changed.wait_for(lambda: route.ready or route.why_not)
            if route.refusal:
                raise route.refusal
            if self._closed:
                raise _closed_error()
            if route.why_not:
                raise WorkerError(f"{route.why_not}: run `onscope validate` on the packages of the pipeline")

    def submit(self, frame: Frame) -> FrameId:
        """See `Runtime.submit`."""
        submitted_ns = now_ns()
        pixels = frame.pixels
        with self._account:
            if self._closed:
                raise _closed_error()
            route = self._by_camera.get(frame.id.camera) or self._first_route(frame)
            lane = route.lane
            self.ledger.enter(frame.id)
            if pixels.shape != lane.spec.shape or pixels.dtype != lane.dtype:
                self.ledger.close((frame.id,), "failed", "does not fit the prepared frames")
                lane.spec.check(pixels)
            if route.why_not:
                self.ledger.close((frame.id,), "failed", route.why_not)
                return frame.id
            slot = lane.admit(frame, self._changed)
            if slot is None:
                return frame.id
            if route.why_not:  # the end came while it waited for its turn
                lane.ring.give(slot)
                self.ledger.close((frame.id,), "failed", route.why_not)
                return frame.id
            view = lane.ring.views[slot]
        try:
            np.copyto(view, pixels)
        except BaseException:  # Ctrl-C in a notebook, say: neither the slot nor the account may be lost
            with self._account:
                lane.ring.give(slot)
                self.ledger.close((frame.id,), "failed", "interrupted")
            raise
        copied_ns = now_ns()
        with self._account:
            lane.commit(frame, slot, submitted_ns, copied_ns)
            if route.why_not:
                lane.end_waiting("failed", route.why_not)
            self.dispatcher.pump()
        return frame.id

    def drain(self, camera: str | None = None, timeout_s: float | None = None) -> bool:
        """Wait until the accounts of one camera, or of all, are closed; windows that were begun are given up."""

        def settled() -> bool:
            for route in self.dispatcher.routes:
                if camera in (None, route.lane.spec.camera):
                    route.lane.drop_partial("incomplete window")
            return (self.ledger.open if camera is None else self.ledger.open_of(camera)) == 0

        with self._changed:
            return self._changed.wait_for(settled, timeout_s)

    def close(self) -> None:
        """End the worker; frames that are still open are accounted as `skipped(closed)`."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
        self.supervisor.close()
        with self._changed:
            self.dispatcher.end_all("skipped", "closed")
        self.delivery.close()
        for route in self.dispatcher.routes:
            route.lane.close()
            if route.answers is not None:
                route.answers.close()
        self._tell.close()

    def _first_route(self, frame: Frame) -> Route:
        """The route of a camera that was not prepared; its frame is accounted for when there can be none."""
        try:
            return self._route(spec_of(frame))
        except OnscopeError as error:
            self.ledger.enter(frame.id)
            self.ledger.close((frame.id,), "failed", str(error))
            raise

    def _route(self, spec: FrameSpec) -> Route:
        """The camera's route, made and opened when it is new; called with the account's lock held."""
        if self._closed:
            raise _closed_error()
        route = self._by_camera.get(spec.camera)
        if route is None:
            in_hand = CREDIT + 2  # in the worker, one being made a result, one sent again after a death
            lane = Lane(spec, self._admission, self._window, in_hand, LENDABLE, self.ledger)
            route = Route(len(self.dispatcher.routes), lane, why_not=self.supervisor.broken)
            self.dispatcher.routes.append(route)
            self._by_camera[spec.camera] = route
            self.supervisor.open(route)
        elif (route.lane.spec.shape, route.lane.spec.dtype) != (spec.shape, spec.dtype):
            raise FrameMismatchError(
                f"found {spec.camera} prepared for {route.lane.spec.shape} {route.lane.spec.dtype}, expected "
                f"{spec.shape} {spec.dtype}: use a new Runtime after a change of ROI, binning or pixel type"
            )
        return route


def _closed_error() -> WorkerError:
    return WorkerError("found a runtime that is closed, expected an open one: make a new Runtime")


def spec_of(frame: Frame) -> FrameSpec:
    """What a frame says of those that follow."""
    return FrameSpec(
        shape=frame.pixels.shape,
        dtype=frame.pixels.dtype.name,
        axes=frame.axes,
        camera=frame.id.camera,
        pixel_size_um=frame.pixel_size_um,
        bit_depth=frame.pixels.dtype.itemsize * 8,
    )
