"""The runtime: what a user holds."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ._admission import Admission, keep_newest
from ._attach import attached
from ._delivery import Subscription
from ._errors import OnscopeError, WorkerError
from ._events import Event, Tell, Teller, log, to_log
from ._frame import Frame, FrameId, FrameSpec, Pixels, Source
from ._hook import HookFrames
from ._live_path import LivePath
from ._pipeline import Pipeline
from ._result import Result
from ._shm import remove_leftovers
from ._stream import stream
from ._supervise import WorkerLink
from .worker import ProcessLink, ThreadLink

WORKERS: dict[str, Callable[[], WorkerLink]] = {"process": ProcessLink, "thread": ThreadLink}
CLOSING_PATIENCE_S = 10.0


class Runtime:
    """Runs a pipeline on frames while they are acquired, in a worker beside the acquisition. A context manager.

    `pipeline` is a Pipeline or the path of its YAML; `worker` "process" (outlives crashing models) or "thread" (for
    tests and notebooks); `admission` what enters under load (default: `keep_newest(2)`); `provider` the engine
    ("auto", "cpu", "oracle", "null:MS"); `threads` of the engine (None: one per core); `on_event` is told of
    preparation, refusals, deaths and returns of the worker (default: the log "onscope"), in a thread of its own.
    `ledger` accounts for every frame.
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
        remove_leftovers()
        self._tell = Teller(on_event)
        self._told = ""
        self._hook = HookFrames()
        self._path = LivePath(
            self.pipeline, WORKERS[worker], admission or keep_newest(2), provider, threads, self._tell
        )
        self.ledger = self._path.ledger
        # One that is dropped, or still there when the program ends, is closed all the same.
        weakref.finalize(self, self._path.close)

    def prepare(self, spec: FrameSpec) -> None:
        """Build, load and warm up everything for frames like `spec`; returns when nothing is left to build.

        Raises what stands in the way: PackageError, PipelineError, ProviderError, or WorkerError (no shared memory,
        the worker keeps dying, or the runtime is closed); FrameMismatchError when the camera was prepared for other
        frames.
        """
        self._path.prepare(spec)

    def submit(self, frame: Frame) -> FrameId:
        """Hand a frame over: one copy, and back at once; waits only under `block`, when the queue is full.

        One thread at a time per camera. The first frame of a camera that was not prepared has it prepared meanwhile.
        Raises FrameMismatchError when the frame does not fit what was prepared (it is accounted as failed) or comes
        out of order, WorkerError when there is no shared memory for it (likewise) or after `close`.
        """
        return self._path.submit(frame)

    def subscribe(self, admission: Admission | None = None) -> Subscription:
        """An iterable of results from now on, with a queue and a policy of its own (default: `keep_newest(8)`)."""
        return self._path.delivery.subscribe(admission or keep_newest(8))

    def stream(self, source: Source, n: int | None = None) -> Iterator[Result]:
        """Take `n` frames from the source (None: all) and yield the results that come of them, in order.

        Frames are taken in a thread of their own, at the source's pace; a slow consumer of the results slows the
        pipeline, and the admission decides what becomes of the frames. Several streams, of different cameras, may run
        at once. Raises what `prepare` and the source raise, the latter after the results of all frames before.
        """
        return stream(self, source, n)

    def image_process_fn(self, image: Pixels, metadata: dict[str, Any]) -> tuple[Pixels, dict[str, Any]]:
        """For `pycromanager.Acquisition(image_process_fn=runtime.image_process_fn)`: copies, returns its input.

        Pixels and metadata come back untouched. It never raises, whatever happens to the model or to this runtime:
        the acquisition comes first, and `on_event` is told.
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

    def drain(self, timeout_s: float | None = None, *, camera: str | None = None) -> bool:
        """Wait until the account of every submitted frame (of one camera) is closed; whether that came in time."""
        return self._path.drain(camera, timeout_s)

    @property
    def worker_pid(self) -> int:
        """Process id of the worker."""
        return self._path.supervisor.pid

    @property
    def providers(self) -> dict[str, str]:
        """Which provider really runs each stage; empty before `prepare`."""
        for route in self._path.dispatcher.routes:
            if route.answers is not None:
                return {stage: where.provider for stage, where in route.answers.provenance.items()}
        return {}

    def close(self) -> None:
        """End the worker; frames that are still open are accounted as `skipped(closed)`."""
        self._path.close()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self.drain(CLOSING_PATIENCE_S)
        self.close()
