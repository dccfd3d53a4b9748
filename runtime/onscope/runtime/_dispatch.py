"""Windows to the worker, results back: a small credit, and the same order in as out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ._admission import Admission
from ._changes import Changes
from ._clock import now_ns
from ._credit import credit_for, most_at_once
from ._delivery import Delivery
from ._errors import WorkerError
from ._lane import BUDGET, Window
from ._ledger import Ledger
from ._route import Route
from ._shm import Lease
from .worker import WorkerLink

if TYPE_CHECKING:
    from .budget import Governor


@dataclass(eq=False)
class Dispatcher:
    """Sends waiting windows, takes answers, closes accounts, publishes results.

    All methods but `done` are called with the account's lock (`changed`) held; `done` and `failed` by the one thread
    that listens to the worker, which sends its answers in the order of the windows.
    """

    changed: threading.Condition
    ledger: Ledger
    delivery: Delivery
    admission: Admission
    link: WorkerLink | None = None
    routes: dict[int, Route] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    governor: Governor | None = None
    """Decides what gives way when time is short."""
    depth: int = 1  # windows that the worker begins at once
    far: bool = False
    """Whether these take their time on the way to a server."""
    held: bool = False
    """Whether no window is sent, since another worker takes over."""
    turn_ns: int = 0
    """When the worker began with its oldest window: when it got it, or was done with the one before."""
    _in_flight: deque[tuple[Route, Window]] = field(default_factory=deque)
    _making: Route | None = None
    _sent: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    """The lowest track numbers not given yet, by stage."""
    _took_ns: int = 0
    _finished_ns: int = 0

    def open_message(self, route: Route, provider: str, threads: int | None) -> dict[str, Any]:
        """What the worker needs to open a lane."""
        return route.open_message(provider, threads, self.numbers)

    def pump(self) -> None:
        """Send what may be sent: while there is credit, and room with every blocking subscriber."""
        while self.link is not None and not self.held and len(self._in_flight) < self._credit():
            if self.delivery.room() <= len(self._in_flight) + (self._making is not None):
                return
            route = self._oldest()
            if route is None or not self.changes.ready_for(route):
                return
            window = route.lane.next()
            if window is not None and self.governor is not None and not self.governor.assign(route, window):
                route.lane.end(window, "skipped", BUDGET)
            elif window is not None:
                self._send(route, window)
            self.changed.notify_all()  # there is room now, also when all that waited had expired

    def warmed(self, opened: Mapping[str, Any]) -> None:
        """A lane was opened: what its ways cost."""
        self.depth = max(self.depth, int(opened.get("depth", 1)))
        self.far |= bool(opened.get("far"))
        if self.governor is not None:
            self.governor.warmed(opened["ways_warm_ns"])

    def new_worker(self) -> None:
        """Another worker comes: what was known of the one before says nothing of it."""
        self.depth, self.far = 1, False

    def _credit(self) -> int:
        # A window that waits in the worker can no longer give way to a newer one. Where the newest matter and windows
        # take long, the worker waits for the hand-over instead of the frame for a whole window.
        assert self.link is not None
        newest = self.admission.kind == "keep_newest"
        if newest and not self.far and self._took_ns > self.link.long_ns:
            return 1
        return min(credit_for(self.depth, newest), most_at_once(self.link)) if self.depth > 1 else self.link.credit

    def _oldest(self) -> Route | None:
        if len(self.routes) == 1:
            (only,) = self.routes.values()
            return only if only.lane.ready and only.lane.waiting else None
        # A camera's results come in its order: what waits on one of its routes holds back what came later on another.
        heads: dict[str, tuple[int, int]] = {}
        for route in self.routes.values():
            if route.lane.waiting:
                head = (route.lane.waiting[0].copied_ns, route.number)
                camera = route.lane.spec.camera
                heads[camera] = min(head, heads.get(camera, head))
        ready = [head for head in heads.values() if self.routes[head[1]].lane.ready]
        return self.routes[min(ready)[1]] if ready else None

    def busy_with(self, route: Route) -> bool:
        """Whether one of the route's windows is with the worker, or being made a result."""
        return route is self._making or any(each is route for each, _ in self._in_flight)

    @property
    def idle(self) -> bool:
        """Whether no window is with the worker, nor being made a result."""
        return not self._in_flight and self._making is None

    @property
    def in_flight(self) -> int:
        """Windows that the worker has."""
        return len(self._in_flight)

    @property
    def working(self) -> str:
        """The provider of the oldest window that the worker has; empty: it has none."""
        return self._in_flight[0][0].provider if self._in_flight else ""

    def _send(self, route: Route, window: Window) -> None:
        assert self.link is not None
        assert route.answers is not None
        window.answer_slot = route.answers.pool.take()
        window.sent_ns = now_ns()
        if not self._in_flight:
            self.turn_ns = window.sent_ns
        self._sent += 1
        window.number = self._sent
        if self.changes.pending:
            self.changes.sent(route, window)
        self._in_flight.append((route, window))
        try:
            self.link.send(route.run_message(window))
        except OSError:  # the worker is dead; the listening thread learns it too, and settles what is in flight
            self.link = None

    def _answered(self, message: Mapping[str, Any]) -> tuple[Route, Window]:
        """The window that a message is about: the oldest in flight, unless that was never sent."""
        while self._in_flight:
            route, window = self._in_flight.popleft()
            if window.number == message["window"]:
                return route, window
            window.sent_ns = 0  # it never came there
            self._fail(route, window, "it was interrupted on its way to the worker")
        raise WorkerError(f"found an answer to window {message['window']}, expected one to a window that was sent")

    def done(self, message: Mapping[str, Any]) -> None:
        """The worker answered its oldest window."""
        delivered_ns = now_ns()
        with self.changed:
            # Of windows that were under way together, each took what the one before it had not.
            began = max(message["started"], self._finished_ns)
            self._took_ns, self._finished_ns = message["finished"] - began, message["finished"]
            route, window = self._answered(message)
            self.turn_ns = delivered_ns
            route.keep_frozen(message.get("frozen", ()))
            self.numbers |= message.get("numbers", {})
            assert route.answers is not None
            answer_lease = route.answers.pool.lend(window.answer_slot)
            frame_leases = [route.lane.ring.lend(slot) for slot in window.slots]
            self._making = route
            self.pump()
        deadline_ms = self.admission.deadline_ms
        late = deadline_ms is not None and delivered_ns - window.newest_ns > deadline_ms * 1e6
        state: Literal["done", "late"] = "late" if late else "done"
        leases = answer_lease, frame_leases
        try:
            result = route.answers.result(window, message, leases, route.lane, state, delivered_ns)
        except BaseException as error:
            with self.changed:
                self._making = None
                self.ledger.close(window.owned, "failed", f"no result could be made of it: {error!r}")
            raise
        with self.changed:
            self._take_back(route, window, answer_lease, frame_leases)
            self.ledger.close(window.owned, state)
            self._making = None
            self.delivery.publish(result)
            if self.governor is not None:
                self.governor.seen(result)
            self.pump()

    def failed(self, message: Mapping[str, Any]) -> int:
        """The worker could not run its oldest window; the frames that have failed with it."""
        with self.changed:
            route, window = self._answered(message)
            self.turn_ns = now_ns()
            self._fail(route, window, str(message["message"]))
            self.pump()
            self.changed.notify_all()
            return len(window.owned)

    def settle_death(self, why: str, computing: bool = True) -> int:
        """The worker is dead: what it was `computing` has failed, what only waited with it is sent once more."""
        self.link = None
        self.new_worker()
        lost = 0
        again: list[tuple[Route, Window]] = []
        for position, (route, window) in enumerate(self._in_flight):
            if (computing and position == 0) or window.resent:
                self._fail(route, window, why)
                lost += len(window.owned)
            else:
                self._take_back(route, window, None)
                window.resent = True
                again.append((route, window))
        self._in_flight.clear()
        for route, window in reversed(again):
            route.lane.waiting.appendleft(window)
        self.changes.again(again)
        for route in self.routes.values():
            route.lane.ready = False
            route.lane.forget_states()
            route.asked_ns = 0
        self.changed.notify_all()
        return lost

    def _fail(self, route: Route, window: Window, why: str) -> None:
        self._take_back(route, window, None)
        route.lane.end(window, "failed", why)

    def _take_back(
        self, route: Route, window: Window, answer: Lease | None, frames: Sequence[Lease | None] = ()
    ) -> None:
        """Take the slots back that no reader holds: the answer's, and the frames' where `frames` tells of them."""
        if answer is None and route.answers is not None:
            route.answers.pool.give(window.answer_slot)
        for slot, lease in zip(window.slots, frames, strict=False):
            if lease is None:
                route.lane.ring.give(slot)

    def end_all(self, state: Literal["skipped", "failed"], reason: str) -> None:
        """Close every account that is still open; nothing is run any more."""
        for route, window in self._in_flight:
            route.lane.end(window, state, reason)
        self._in_flight.clear()
        for route in self.routes.values():
            route.end(state, reason)
        self.changed.notify_all()
