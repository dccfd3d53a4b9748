"""`Runtime.stream`: a thread that feeds frames from a source, and the results that come of them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from ._admission import block
from ._frame import Source, specs_of
from ._result import Result

if TYPE_CHECKING:
    from ._runtime import Runtime

LOOK_S = 0.05
"""How often the end is looked for when no result comes."""
STOP_PATIENCE_S = 5.0
"""How long a source that waits for its next frame is waited for; it ends with that frame in any case."""


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
        frames: Iterator[object] = iter(())
        try:
            for frame in (frames := self._source.frames(self._n)):
                self._runtime.submit(frame)  # also the last one: it may have been recorded on its way
                if self._stop.is_set():
                    return
        except BaseException as error:
            self.error = error  # raised again where the results are read
        finally:
            if isinstance(frames, Generator):
                frames.close()  # stops the camera

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(STOP_PATIENCE_S)


def stream(runtime: Runtime, source: Source, n: int | None) -> Iterator[Result]:
    """Prepare, feed, yield the results of this source's cameras; on any end the source is closed."""
    specs = specs_of(source)
    for spec in specs:
        runtime.prepare(spec)
    cameras = frozenset(spec.camera for spec in specs)
    subscription = runtime.subscribe(block(8))
    feeder = _Feeder(runtime, source, n)
    try:
        while True:
            ended = feeder.ended and runtime.drain(0, cameras=cameras)
            result = subscription.take(0 if ended else LOOK_S)
            if result is None:
                if ended or subscription.closed:
                    break
            elif result.frame.id.camera in cameras:
                yield result
            del result  # its slots need not wait for the next one
    finally:
        subscription.close()
        feeder.stop()
    if feeder.error is not None:
        raise feeder.error
