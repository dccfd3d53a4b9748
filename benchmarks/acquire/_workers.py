"""Who works on the frames: the script that people write today, and onscope with the same networks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onscope.runtime import FrameSpec, Runtime, block, keep_newest, now_ns
from onscope.runtime.hooks._frames import HookFrames

from .._bare import BareLoop
from .._material import chosen_pipeline, images
from .._rows import spread
from ._cameras import Hook
from ._job import Job

DRAIN_S = 20.0


@contextmanager
def script(job: Job, folder: Path, found: dict[str, Any]) -> Iterator[Hook]:
    """Percentiles, `session.run` and clip in the callback itself; the stamps are all that was added."""
    pipeline, named = chosen_pipeline(folder / "packages")
    bare = BareLoop(pipeline, job.threads)
    for _ in range(3):
        bare.naive(images(job.size, 1)[0])
    stamps, times = HookFrames(), _Times()

    def hook(image: Any, metadata: Mapping[str, Any]) -> Any:
        received = stamps.frame(image, metadata).received_ns
        bare.naive(image)
        times.add(received, now_ns())
        return image, metadata

    yield hook
    found.update(times.summary(), named=named)


@contextmanager
def onscope(job: Job, folder: Path, found: dict[str, Any]) -> Iterator[Hook]:
    """The frames are handed over, with the newest first; results are read as they come."""
    pipeline, named = chosen_pipeline(folder / "packages")
    times = _Times()
    with Runtime(pipeline, admission=keep_newest(2), threads=job.threads) as runtime:
        runtime.prepare(FrameSpec((job.size, job.size), "uint16", camera="Camera"))
        results = runtime.subscribe(block(8))

        def read() -> None:
            for result in results:
                times.add(result.stamps.received, result.stamps.delivered)

        reader = threading.Thread(target=read)
        reader.start()
        yield runtime.image_process_fn
        runtime.drain(DRAIN_S)
        results.close()
        reader.join()
        found.update(times.summary(), named=named, ledger=runtime.ledger.counts, adds_up=runtime.ledger.adds_up())


class _Times:
    """Moments of receipt and result of the frames that were worked on, in ns."""

    def __init__(self) -> None:
        self._received: list[int] = []
        self._finished: list[int] = []

    def add(self, received_ns: int, finished_ns: int) -> None:
        self._received.append(received_ns)
        self._finished.append(finished_ns)

    def summary(self) -> dict[str, Any]:
        """Latencies in milliseconds, results per second, and the span between first receipt and last result."""
        if len(self._finished) < 2:
            return {"results": len(self._finished)}
        seconds = (self._finished[-1] - self._finished[0]) / 1e9
        pairs = zip(self._received, self._finished, strict=True)
        return {
            "results": len(self._finished),
            "per_s": round((len(self._finished) - 1) / seconds, 2),
            "latency_ms": spread([(end - start) / 1e6 for start, end in pairs]),
        }
