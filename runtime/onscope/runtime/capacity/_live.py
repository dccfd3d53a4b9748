"""Real Runtimes with scripted cameras, and what became of their frames in the words of a simulation."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._admission import Admission, keep_newest
from .._events import Event
from .._sources import open_source
from ._account import Fate, fate_of
from ._cost import thinned

if TYPE_CHECKING:
    from .._pipeline import Pipeline
    from .._result import Result, Stamps

JITTER = 0.3
"""Of the cameras, in parts of their interval."""


@dataclass(frozen=True, slots=True)
class Live:
    """Frames and windows of one run; `stamps` of each window, in no order."""

    fate: Fate
    stamps: Sequence[Stamps]

    def times_ms(self, *pairs: tuple[str, str]) -> tuple[float, ...]:
        """What passed between two stamps, of every window and every pair: sorted, at most a hundred or so."""
        return tuple(thinned([(getattr(one, b) - getattr(one, a)) / 1e6 for one in self.stamps for a, b in pairs]))

    @property
    def worker_ms(self) -> list[float]:
        """What each window took from its beginning in the worker to its end there."""
        return [(one.finished - one.started) / 1e6 for one in self.stamps]


def run_live(
    pipeline: Pipeline,
    *,
    provider: str,
    fps: float,
    frames: int,
    n: int = 1,
    size: str = "256x256",
    admission: Admission | None = None,
    worker: str = "process",
    threads: int | None = None,
    seed: int = 1,
) -> Live:
    """`n` Runtimes side by side in this process, each with a scripted camera of so many frames and its own worker.

    Raises what Runtime.prepare and a source raise.
    """
    from .._runtime import Runtime

    jobs: list[_Job] = []
    with ExitStack() as stack:
        runtimes = []
        for number in range(n):
            words = (
                f"scripted:fps={fps},n={frames},size={size},jitter={JITTER},seed={seed + number},name=camera{number}"
            )
            source = stack.enter_context(open_source(words))
            runtime = Runtime(
                pipeline,
                worker=worker,
                provider=provider,
                threads=threads,
                admission=admission or keep_newest(2),
                on_event=_silent,
            )
            runtimes.append(stack.enter_context(runtime))
            runtime.prepare(source.spec())
            jobs.append(_Job(runtime.stream(source)))
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        ends: Counter[str] = Counter()
        for runtime in runtimes:
            ends.update(runtime.ledger.reasons)
    if error := next((job.error for job in jobs if job.error is not None), None):
        raise error
    stamps = [each for job in jobs for each in job.stamps]
    times = np.array([(each.delivered - each.received) / 1e6 for each in stamps])
    return Live(fate_of(dict(sorted(ends.items())), times), stamps)


def _silent(event: Event) -> None:
    """What a check's own runs have to tell is told by their outcome."""


class _Job(threading.Thread):
    """Takes one Runtime's results as they come."""

    def __init__(self, results: Iterator[Result]) -> None:
        super().__init__(name="onscope-check", daemon=True)
        self.stamps: list[Stamps] = []
        self.error: BaseException | None = None
        self._results = results

    def run(self) -> None:
        try:
            self.stamps.extend(result.stamps for result in self._results)
        except BaseException as error:
            self.error = error  # raised where it is waited for
