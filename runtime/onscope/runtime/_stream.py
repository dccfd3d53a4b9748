"""`Runtime.stream`: a thread that feeds frames from a source, and the results that come of them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from ._delivery import Subscription
from ._frame import Source
from ._result import Result

if TYPE_CHECKING:
    from ._runtime import Runtime

LOOK_S = 0.05
"""How often the end is looked for when no result comes."""


class _Feeder:
    """Submits a source's frames from a thread of its own."""

    def __init__(self, runtime: Runtime, source: Source, n: int | None) -> None:
        self.error: BaseException | None = None
        self._runtime = runtime
        self._source = source
        self._n = n
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="onscope-feeder", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def _feed(self) -> None:
        frames = self._source.frames(self._n)
        try:
            for frame in frames:
                self._runtime.submit(frame)
                if self._stop.is_set():
                    return
        except BaseException as error:
            self.error = error  # raised again where the results are read
        finally:
            if isinstance(frames, Generator):
                frames.close()  # stops the camera

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def stream(runtime: Runtime, source: Source, n: int | None, subscription: Subscription) -> Iterator[Result]:
    """Prepare, feed, yield; on any end the source is closed and the subscription given back."""
    try:
        runtime.prepare(source.spec())
        feeder = _Feeder(runtime, source, n)
    except BaseException:
        subscription.close()
        raise
    try:
        while True:
            ended = feeder.ended and runtime.ledger.open == 0
            result = subscription.take(0 if ended else LOOK_S)
            if result is not None:
                yield result
            elif ended or subscription.closed:
                break
            elif feeder.ended:
                runtime.drain(0)  # a window that the source left incomplete
    finally:
        subscription.close()
        feeder.stop()
    if feeder.error is not None:
        raise feeder.error
