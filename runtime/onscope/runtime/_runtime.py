"""The runtime: what a user holds."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._admission import Admission, keep_newest
from ._changing import Changing
from ._delivery import Subscription
from ._errors import OnscopeError
from ._events import Event, Tell, Teller, log, to_log
from ._frame import Frame, FrameId, FrameSpec, Segment, Source
from ._homecoming import Homecoming
from ._keeper import Keeper
from ._live_path import LivePath
from ._pipeline import Pipeline
from ._result import Result
from ._shapes import specs_for
from ._shm import remove_leftovers
from ._sources import describe_source
from ._stream import stream
from ._swap import automatic
from ._watch import Terms
from ._where import kind_of, placed, told_of
from .budget import Budget, Governor
from .hooks import Hooked, Hooking

if TYPE_CHECKING:
    from .record import Recording

CLOSING_PATIENCE_S = 10.0


class Runtime(Changing, Hooking):
    """Runs a pipeline on frames while they are acquired, in a worker beside the acquisition. A context manager.

    `pipeline` is a Pipeline or the path of its YAML; `worker` "process" (outlives crashing models), "thread" (for
    tests and notebooks) or an address: of a box that runs `onscope serve` ("tcp://HOST:PORT#KEY"), or of a Triton
    server ("kserve://HOST:PORT"), in whose place `provider` runs while it is away; `admission` what enters under load
    (default: `keep_newest(2)`); `provider` the engine ("cpu", "tensorrt:1"), several of which the first that answers
    rightly is taken, and the next when its device is lost (docs/gpu.md), or "auto" (None: the pipeline's own, else
    "auto");
    `threads` of the engine (None: one per core); `on_event` is told of preparation, refusals, deaths and returns of
    the worker (default: the log "onscope"), in a thread of its own.
    `record` saves raw frames (before any inference, and whatever becomes of it) and all results: a new folder, or a
    Recording, which is then yours to finish. A worker that needs more than `patience_s` seconds for one window
    (twenty times its warm-up, when that is longer), or takes more than `memory_mb` megabytes (None: half of the
    machine's, or what a box allows, which holds in any case) is ended and started again. `budget` says what gives way
    when results take too long. `shapes` are the frame sizes that may come (None: the pipeline's own, else any): frames
    of others fail, or are run by the next provider of a list that opens any size, and nothing is built for them in
    mid-run. `ledger` accounts for every frame. Raises RecordError when the folder is in use or cannot be made,
    PipelineError and ProviderError for sizes and lists of providers that make no sense.
    """

    def __init__(
        self,
        pipeline: Pipeline | str | Path,
        *,
        worker: str = "process",
        admission: Admission | None = None,
        provider: str | Sequence[str] | None = None,
        threads: int | None = None,
        on_event: Tell = to_log,
        record: Recording | str | Path | None = None,
        patience_s: float = 10.0,
        memory_mb: float | None = None,
        budget: Budget | None = None,
        shapes: Sequence[str | Sequence[int]] | None = None,
    ) -> None:
        given = pipeline if isinstance(pipeline, Pipeline) else Pipeline.load(pipeline)
        given = given if shapes is None else given.shaped(shapes)
        place = placed(worker, provider, given.provider, patience_s, memory_mb)
        provider, start = place.provider, place.start
        self.pipeline, self._auto = given.on(provider), automatic(given)
        remove_leftovers()
        self._tell = Teller(on_event)
        self._keeper: Keeper | None = None
        try:
            if record is not None:
                self._keeper = Keeper.of(record, self.pipeline, self._tell)
                self._tell.heard = self._keeper.notes.event
                told: dict[str, Any] = {"worker": kind_of(worker), "provider": provider, "threads": threads}
                told |= {"admission": (admission or keep_newest(2)).described(), "patience_s": patience_s}
                self._keeper.notes.fact("runtime", told | {"memory_mb": memory_mb})
            told_of(worker, start, self._tell, self._keeper)
            note = None if self._keeper is None else self._keeper.notes.fact
            governor = Governor.of(budget, self.pipeline, provider, self._tell, note)
            self._path = LivePath(
                self.pipeline,
                start,
                admission or keep_newest(2),
                Terms(provider, threads, patience_s, memory_mb),
                self._tell,
                None if self._keeper is None else self._keeper.sink,
            )
            if governor is not None:
                governor.bind(self._path.dispatcher)
        except BaseException:
            self._tell.close()
            if self._keeper is not None:
                self._keeper.discard()
            raise
        self.ledger = self._path.ledger
        self._one_swap = threading.Lock()
        Homecoming(self._path.supervisor, self._path.dispatcher, self._one_swap)
        self._hooked = Hooked(self._path, self._keeper, self._tell)
        if self._keeper is not None:
            self._path.supervisor.opened = self._keeper.notes.lane
            self._path.supervisor.clocks.note = self._keeper.notes.fact
            self._keeper.follow(self._path.delivery, self.ledger)
        # One that is dropped, or still there when the program ends, is closed all the same.
        weakref.finalize(self, _close, self._path, self._keeper)

    def prepare(self, spec: FrameSpec) -> None:
        """Build, load and warm up everything for frames like `spec`; returns when nothing is left to build.

        Raises what stands in the way: PackageError, PipelineError, ProviderError, or WorkerError (no shared memory,
        the worker keeps dying, or the runtime is closed). May be called again for what a camera will give later, after
        a change of its ROI for example, so that no frame is skipped then. Where the pipeline has `shapes`, frames of
        all these sizes are prepared.
        """
        for each in specs_for(spec, self.pipeline.shapes):
            self._path.prepare(each)

    def submit(self, frame: Frame) -> FrameId:
        """Hand a frame over: one copy, and back at once; waits only under `block`, when the queue is full.

        A runtime that records waits also while the disk is behind. One thread at a time per camera. A new segment may
        bring frames of another size or type: what runs them is prepared meanwhile, and those that find no place before
        it is ready are `skipped(preparing)`. Raises FrameMismatchError when a frame looks different within its segment
        (it is accounted as failed) or comes out of order, RecordError when it cannot be recorded (failed too),
        WorkerError after `close`.
        """
        return self._path.submit(frame)

    def subscribe(self, admission: Admission | None = None) -> Subscription:
        """An iterable of results from now on, with a queue and a policy of its own (default: `keep_newest(8)`)."""
        return self._path.delivery.subscribe(admission or keep_newest(8))

    def follow(self, taken: Callable[[Frame], object], heard: Tell) -> Callable[[], None]:
        """Have every frame that is handed over and every event told at once; returns what ends it.

        One who follows at a time; both are called in the thread that hands over or tells, and must neither wait nor
        raise. A frame's pixels are the caller's: do not keep them.
        """
        before = self._tell.heard

        def both(event: Event) -> None:
            before(event)
            heard(event)

        def end() -> None:
            self._path.taken, self._tell.heard = None, before

        self._path.taken, self._tell.heard = taken, both
        return end

    def tell(self, event: Event) -> None:
        """Have `on_event` (and a recording) told of an event, as of the runtime's own; returns at once."""
        self._tell(event)

    def stream(self, source: Source, n: int | None = None) -> Iterator[Result]:
        """Take `n` frames from the source (None: all) and yield the results that come of them.

        Frames are taken in a thread of their own, at the source's pace; a slow consumer of the results slows the
        pipeline, and the admission decides what becomes of the frames. Several streams, of different cameras, may run
        at once. Raises what `prepare` and the source raise, the latter after the results of all frames before.
        """
        if self._keeper is not None:
            self._keeper.notes.source(describe_source(source))
        return stream(self, source, n)

    def show(self, result: Result | None = None, *, live: bool = False, **more: Any) -> Any:
        """For notebooks: a result (None: the next one) and its raw frame side by side, or `live`, all as they come.

        `more`: `width` of a picture in pixels, pictures per second as `rate`, `timeout_s` that a result is waited for.
        """
        from onscope.view.notebook import show

        return show(self, result, live_=live, **more)

    def drain(self, timeout_s: float | None = None, *, cameras: Iterable[str] | None = None) -> bool:
        """Wait until the account of every submitted frame (of some cameras) is closed; whether that came in time."""
        return self._path.drain(None if cameras is None else frozenset(cameras), timeout_s)

    @property
    def segments(self) -> list[Segment]:
        """The last thousand segments, oldest first."""
        return list(self._path.cameras.segments)

    @property
    def worker_pid(self) -> int:
        """Process id of the worker."""
        return self._path.supervisor.pid

    @property
    def providers(self) -> dict[str, str]:
        """Which provider really runs each stage; empty before `prepare`."""
        for route in list(self._path.dispatcher.routes.values()):
            if route.answers is not None:
                return {stage: where.provider for stage, where in route.answers.provenance.items()}
        return {}

    @property
    def report(self) -> list[str]:
        """What was done to the packages' graphs, in lines: fused, merged, padded, tiled, left outside."""
        routes = list(self._path.dispatcher.routes.values())
        return list(dict.fromkeys(line for route in routes for line in route.report))

    def close(self) -> None:
        """End the worker; frames that are still open are accounted as `skipped(closed)`, raw ones are saved.

        Raises RecordError when something could not be recorded.
        """
        _close(self._path, self._keeper)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self.drain(CLOSING_PATIENCE_S)
        try:
            self.close()
        except OnscopeError as failure:
            if error is None:
                raise
            log.warning("closing after an error: %s", failure)


def _close(path: LivePath, keeper: Keeper | None) -> None:
    path.close()
    path.supervisor.clocks.save()
    if keeper is not None:
        keeper.close([each for route in path.dispatcher.routes.values() for each in route.statistics])
