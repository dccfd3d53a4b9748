"""Streams whose work is really done beside the caller: a thread each, that takes its time, a little more or less."""

import os
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Any

Work = Callable[[], None]
LONGEST_S = float(os.environ.get("STANDIN_DELAY_S", "0.0006"))
_chance = random.Random(int(os.environ.get("STANDIN_SEED", "1")))


def dawdle() -> None:
    """The time that anything takes: mostly none, sometimes long enough for all others to overtake it."""
    if _chance.random() < 0.6:
        time.sleep(_chance.random() * LONGEST_S)


class cudaStream_t(int):  # the binding's own name
    """A handle; what it stands for is in `streams`."""


class Stream:
    """Work in order. While it is being captured, work is recorded and not done."""

    def __init__(self) -> None:
        self.recorded: list[Work] | None = None
        self.spoilt = False
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="stand-in stream")
        self._thread.start()

    def _go_on(self) -> None:
        while (work := self._queue.get()) is not None:
            dawdle()
            work()

    def put(self, work: Work) -> None:
        if self.recorded is not None:
            self.recorded.append(work)
        else:
            self._queue.put(work)

    def finish(self) -> None:
        done = threading.Event()
        self._queue.put(done.set)
        done.wait()

    def end(self) -> None:
        self._queue.put(None)
        self._thread.join()


class Event:
    """Over when the stream has come to where it was last recorded; one that was never recorded is over."""

    def __init__(self) -> None:
        self.ticket = threading.Event()
        self.ticket.set()

    def record(self, stream: Stream) -> None:
        self.ticket = threading.Event()
        stream.put(self.ticket.set)

    def hold(self, stream: Stream) -> None:
        ticket = self.ticket
        stream.put(lambda: (ticket.wait(), None)[1])


streams: dict[int, Stream] = {}
events: dict[int, Event] = {}
graphs: dict[int, list[Work]] = {}
ready: dict[int, list[Work]] = {}
_numbers = iter(range(1000, 1 << 60))


def keep(table: dict[int, Any], thing: Any) -> int:
    number = next(_numbers)
    table[number] = thing
    return number


def spoil() -> bool:
    """Something was done that cannot be captured; whether anything is being captured."""
    found = [each for each in streams.values() if each.recorded is not None]
    for each in found:
        each.spoilt = True
    return bool(found)
