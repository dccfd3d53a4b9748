"""Results on their way to those who asked: one bounded queue per subscriber, with a policy of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from ._admission import Admission
from ._clock import now_ns
from ._result import Result


class Subscription:
    """An iterable of Result; ends when the runtime closes or `close` is called.

    A camera's results come in the order in which its windows were completed: that of `result.frame.id`, but where
    places take turns, windows look ahead or jump, and frames are lost. Those of one place are always in order.

    What the policy leaves out is counted in `skipped`. Under `block` nothing is: the runtime begins no window whose
    result would not fit, and its own admission decides what becomes of the frames meanwhile.
    """

    def __init__(self, admission: Admission, delivery: Delivery) -> None:
        self.admission = admission
        self.skipped = 0
        self._queue: deque[Result] = deque()
        self._seen = 0
        self._delivery = delivery
        self._changed = delivery.changed
        self._closed = False

    def take(self, timeout_s: float | None = None) -> Result | None:
        """The next result; None when there is none in time, or no more at all (`closed` tells which)."""
        with self._changed:
            self._changed.wait_for(lambda: self._fresh() or self._closed, timeout_s)
            result = self._queue.popleft() if self._queue else None
            if self.admission.kind == "block":
                self._delivery.make_room()
            return result

    def _fresh(self) -> bool:
        """Whether there is a result within the deadline; those past it are skipped on the way."""
        deadline_ms = self.admission.deadline_ms
        while self._queue and deadline_ms is not None:
            if now_ns() - self._queue[0].stamps.received <= deadline_ms * 1e6:
                break
            self._queue.popleft()
            self.skipped += 1
        return bool(self._queue)

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def offered(self) -> int:
        """How many results there were: taken, skipped, or standing in the queue."""
        return self._seen

    def __iter__(self) -> Iterator[Result]:
        while True:
            result = self.take()
            if result is not None:
                yield result
                del result  # its slots need not wait for the next one
            elif self._closed:
                return

    def close(self) -> None:
        """Take no more results; what stands in the queue can still be read."""
        with self._changed:
            self._closed = True
            self._delivery.forget(self)
            self._delivery.make_room()
            self._changed.notify_all()

    def _offer(self, result: Result) -> None:
        self._seen += 1
        if (self._seen - 1) % self.admission.every_n:
            self.skipped += 1
        elif len(self._queue) < self.admission.depth or self.admission.kind == "block":
            self._queue.append(result)
        elif self.admission.kind == "keep_newest":
            self._queue.popleft()
            self._queue.append(result)
            self.skipped += 1
        else:
            self.skipped += 1

    def _room(self) -> int | None:
        return self.admission.depth - len(self._queue) if self.admission.kind == "block" else None


class Delivery:
    """All subscriptions of a runtime.

    All but `subscribe`, `join` and `close` are called with the account's lock held. `make_room` is what the dispatcher
    wants to be told when a blocking subscriber has taken a result.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self.changed = changed
        self.make_room: Callable[[], object] = lambda: None
        self._subscriptions: list[Subscription] = []
        self._closed = False

    def subscribe(self, admission: Admission) -> Subscription:
        subscription = Subscription(admission, self)
        self.join(subscription)
        return subscription

    def join(self, subscription: Subscription) -> None:
        with self.changed:
            self._subscriptions.append(subscription)
            closed = self._closed
        if closed:
            subscription.close()  # nothing will come any more, and its iteration ends at once

    def forget(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def room(self) -> int:
        """How many results may be under way before a blocking subscriber has no place for them."""
        rooms = [room for subscription in self._subscriptions if (room := subscription._room()) is not None]
        return min(rooms, default=1 << 30)

    def publish(self, result: Result) -> None:
        for subscription in self._subscriptions:
            subscription._offer(result)
        self.changed.notify_all()

    def close(self) -> None:
        """End all subscriptions, now and to come."""
        with self.changed:
            self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()
