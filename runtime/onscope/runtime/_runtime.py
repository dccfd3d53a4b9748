"""The runtime: what a user holds. It puts the parts together and does nothing by itself."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from ._admission import Admission, block, keep_newest
from ._attach import attached
from ._clock import now_ns
from ._delivery import Delivery, Subscription
from ._dispatch import CREDIT, LENDABLE, Dispatcher, Route
from ._errors import FrameMismatchError, OnscopeError, WorkerError
from ._events import Event, Tell, log, to_log
from ._frame import Frame, FrameId, FrameSpec, Pixels, Source
from ._hook import HookFrames
from ._lane import Lane
from ._ledger import Ledger
from ._pipeline import Pipeline
from ._result import Result
from ._shm import remove_leftovers
from ._stream import stream
from ._supervise import Supervisor, WorkerLink
from .worker import ProcessLink, ThreadLink

WORKERS: dict[str, Callable[[], WorkerLink]] = {"process": ProcessLink, "thread": ThreadLink}
CLOSING_PATIENCE_S = 10.0


class Runtime:
    """Runs a pipeline on frames while they are acquired, in a worker beside the acquisition. A context manager.

    `pipeline` is a Pipeline or the path of its YAML; `worker` "process" (outlives crashing models) or "thread" (for
    tests and notebooks); `admission` what enters under load; `provider` the engine ("auto", "cpu", "oracle",
    "null:MS"); `threads` of the engine (None: one per core); `on_event` is told of preparation, deaths and returns of
    the worker (default: the log "onscope"), from a thread of the runtime. `ledger` accounts for every frame.
    """

    def __init__(
        self,
        pipeline: Pipeline | str | Path,
        *,
        worker: Literal["process", "thread"] = "process",
        admission: Admission | None = None,
        provider: str = "auto",
        threads: int | None = None,
        on_event: Tell = to_log,
    ) -> None:
        if worker not in WORKERS:
            raise WorkerError(f"found the worker {worker!r}, expected one of {', '.join(WORKERS)}")
        self.pipeline = pipeline if isinstance(pipeline, Pipeline) else Pipeline.load(pipeline)
        self._admission = admission or keep_newest(2)
        # Entering a Condition runs Python, entering its lock does not; `submit` does so twice for every frame.
        self._account = threading.RLock()
        self._changed = threading.Condition(self._account)
        self.ledger = Ledger(lock=self._account)
        self._delivery = Delivery(self._changed)
        self._tell = on_event
        self._hook = HookFrames()
        self._told = ""
        self._closed = False
        self._by_camera: dict[str, Route] = {}
        remove_leftovers()
        stages = self.pipeline.messages()
        self._dispatcher = Dispatcher(self._changed, self.ledger, self._delivery, self._admission, stages)
        self._delivery.make_room = self._dispatcher.pump
        self._supervisor = Supervisor(WORKERS[worker], self._dispatcher, provider, threads, on_event)
        atexit.register(_close_forgotten, weakref.ref(self))

    def prepare(self, spec: FrameSpec) -> None:
        """Build, load and warm up everything for frames like `spec`; returns when nothing is left to build.

        Raises what stands in the way: PackageError, PipelineError, ProviderError, or WorkerError (no shared memory,
        or the worker keeps dying); FrameMismatchError when the camera was prepared for other frames.
        """
        with self._changed:
            route = self._route(spec)
            self._changed.wait_for(lambda: route.ready or route.refusal or self._supervisor.broken or self._closed)
            if route.refusal:
                raise route.refusal
            if self._supervisor.broken:
                raise WorkerError(f"{self._supervisor.broken}: run `onscope validate` on the packages of the pipeline")

    def submit(self, frame: Frame) -> FrameId:
        """Hand a frame over: one copy, and back at once; waits only under `block`, when the queue is full.

        One thread at a time per camera. The first frame of a camera that was not prepared has it prepared meanwhile.
        Raises FrameMismatchError (the frame is accounted as failed) when it does not fit what was prepared, or comes
        out of order; WorkerError after `close`.
        """
        submitted_ns = now_ns()
        pixels = frame.pixels
        with self._account:
            route = self._by_camera.get(frame.id.camera) or self._route(spec_of(frame))
            lane = route.lane
            self.ledger.enter(frame.id)
            if pixels.shape != lane.spec.shape or pixels.dtype != lane.dtype:
                self.ledger.close((frame.id,), "failed", "does not fit the prepared frames")
                lane.spec.check(pixels)
            no_worker = self._supervisor.broken or (route.refusal and str(route.refusal))
            if no_worker or self._closed:
                self.ledger.close((frame.id,), "failed", no_worker or "closed")
                return frame.id
            slot = lane.admit(frame, self._changed)
        if slot is None:
            return frame.id
        np.copyto(lane.ring.views[slot], pixels)
        copied_ns = now_ns()
        with self._account:
            lane.commit(frame, slot, submitted_ns, copied_ns)
            if self._closed or self._supervisor.broken or route.refusal:
                lane.end_waiting("failed", self._supervisor.broken or str(route.refusal or "closed"))
            self._dispatcher.pump()
        return frame.id

    def subscribe(self, admission: Admission | None = None) -> Subscription:
        """An iterable of results from now on, with a queue and a policy of its own (default: `keep_newest(8)`)."""
        return self._delivery.subscribe(admission or keep_newest(8))

    def stream(self, source: Source, n: int | None = None) -> Iterator[Result]:
        """Take `n` frames from the source (None: all) and yield the results that come of them, in order.

        Frames are taken in a thread of their own, at the source's pace; a slow consumer of the results slows the
        pipeline, and the admission decides what becomes of the frames. Raises what `prepare` and the source raise,
        the latter after the results of all frames before.
        """
        return stream(self, source, n, self.subscribe(block(8)))

    def image_process_fn(self, image: Pixels, metadata: dict[str, Any]) -> tuple[Pixels, dict[str, Any]]:
        """For `pycromanager.Acquisition(image_process_fn=runtime.image_process_fn)`: copies, returns its input.

        Pixels and metadata come back untouched. It never
        raises, whatever happens to the model or to this runtime: the acquisition comes first.
        """
        try:
            self.submit(self._hook.frame(image, metadata))
        except OnscopeError as error:
            self._tell_once(str(error))
        except Exception as error:
            # Broad on purpose: pycro-manager aborts the whole acquisition when a hook raises.
            log.debug("image_process_fn failed", exc_info=True)
            self._tell_once(repr(error))
        return image, metadata

    def _tell_once(self, message: str) -> None:
        # What is wrong with one image of an acquisition is wrong with the next thousand too.
        if message != self._told:
            self._told = message
            self._tell(Event("hook error", message))

    def attach(self, core: Any) -> AbstractContextManager[None]:
        """Take every frame of a pymmcore-plus core's acquisitions: `with runtime.attach(mmc): mmc.run_mda(...)`.

        Like `image_process_fn`, it copies and never raises into the acquisition. Raises SourceError for other cores.
        """
        return attached(core, self.image_process_fn)

    def drain(self, timeout_s: float | None = None) -> bool:
        """Wait until every submitted frame's account is closed; whether that came in time."""
        with self._changed:
            for route in self._dispatcher.routes:
                route.lane.drop_partial("incomplete window")
            return self._changed.wait_for(lambda: self.ledger.open == 0, timeout_s)

    @property
    def worker_pid(self) -> int:
        """Process id of the worker."""
        return self._supervisor.pid

    @property
    def providers(self) -> dict[str, str]:
        """Which provider really runs each stage; empty before `prepare`."""
        for route in self._dispatcher.routes:
            if route.answers is not None:
                return {stage: where.provider for stage, where in route.answers.provenance.items()}
        return {}

    def close(self) -> None:
        """End the worker; frames that are still open are accounted as `skipped(closed)`."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._supervisor.close()
        with self._changed:
            self._dispatcher.end_all("skipped", "closed")
        self._delivery.close()
        for route in self._dispatcher.routes:
            route.lane.close()
            if route.answers is not None:
                route.answers.close()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self.drain(CLOSING_PATIENCE_S)
        self.close()

    def _route(self, spec: FrameSpec) -> Route:
        """The camera's route, made and opened when it is new; called with the account's lock held."""
        if self._closed:
            raise WorkerError("found a runtime that is closed, expected an open one: make a new Runtime")
        route = self._by_camera.get(spec.camera)
        if route is None:
            in_hand = CREDIT + 2  # in the worker, one being made a result, one sent again after a death
            lane = Lane(spec, self._admission, self.pipeline.window, in_hand, LENDABLE, self.ledger)
            route = Route(len(self._dispatcher.routes), lane)
            self._dispatcher.routes.append(route)
            self._by_camera[spec.camera] = route
            self._supervisor.open(route)
        elif (route.lane.spec.shape, route.lane.spec.dtype) != (spec.shape, spec.dtype):
            raise FrameMismatchError(
                f"found {spec.camera} prepared for {route.lane.spec.shape} {route.lane.spec.dtype}, expected "
                f"{spec.shape} {spec.dtype}: use a new Runtime after a change of ROI, binning or pixel type"
            )
        return route


def _close_forgotten(runtime: weakref.ref[Runtime]) -> None:
    if (forgotten := runtime()) is not None:
        forgotten.close()


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
