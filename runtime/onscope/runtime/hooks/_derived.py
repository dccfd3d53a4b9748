"""Images of the stages on their way back to the acquisition: each with what was said of its frame."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .._delivery import Subscription
from .._events import Event, Tell, log
from .._frame import FrameId
from .._ledger import Ledger
from .._result import Result

MOST = 1024
"""Frames whose metadata are kept before those that no answer can come to any more are looked for."""
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of an acquisition: its useq sequence and the summary that pymmcore-plus gives with it."""

    sequence: Any
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What the acquisition said of a frame: Micro-Manager's tags, or a useq event and its metadata as well.

    `run` is None outside of pymmcore-plus.
    """

    tags: Mapping[str, Any]
    event: Any
    meta: Mapping[str, Any]
    run: Run | None


class Output(Protocol):
    """Where images of stages go. All is called by one thread; what it raises ends it."""

    def put(self, stage: str, image: np.ndarray[Any, Any], result: Result, told: Told) -> bool:
        """Take an image (y, x[, samples]), which is the output's own; False: it has no place for this one."""
        ...

    def finish(self, last: Told | None) -> None:
        """No more images come; `last` was said of the last frame of all (None: there was none)."""
        ...


class Derived:
    """Hands the images of a subscription's results on, in a thread of its own, until it is closed.

    `given` counts images by stage, `skipped` those that the queue or the output left out. What was said of a frame is
    kept until its answer comes, or can come no more: memory is bounded by the frames that the runtime has in hand.
    """

    def __init__(self, outputs: Mapping[str, Output], results: Subscription, ledger: Ledger, tell: Tell) -> None:
        self.given: dict[str, int] = {}
        self._left_out = 0
        self._outputs, self._results, self._ledger, self._tell = dict(outputs), results, ledger, tell
        self._all = list({id(each): (name, each) for name, each in outputs.items()}.values())
        self._lock = results._changed
        self._told: dict[FrameId, Told] = {}
        self._run: Run | None = None
        self._last: Told | None = None
        self._thread = threading.Thread(target=self._hand_on, name="onscope-derived", daemon=True)
        self._thread.start()

    @property
    def skipped(self) -> int:
        return self._left_out + self._results.skipped

    def begins(self, sequence: Any, summary: Mapping[str, Any]) -> None:
        """A run of pymmcore-plus begins; called by the acquisition's thread."""
        self._run = Run(sequence, summary)

    def expect(self, id: FrameId, tags: Mapping[str, Any], event: Any, meta: Mapping[str, Any] | None) -> None:
        """A frame will be handed over, of which this was said; called by the acquisition's thread."""
        if len(self._told) >= MOST:
            self._forget()
        self._told[id] = self._last = Told(tags, event, meta or NOTHING, self._run)

    def close(self) -> None:
        """Hand on what stands in the queue, and finish the outputs."""
        self._results.close()
        self._thread.join()

    def _forget(self) -> None:
        """Let go what no answer can come to: frames that are neither under way nor in the queue."""
        with self._lock:
            waiting = {result.frame.id for result in self._results._queue}
            kept = {id: told for id, told in self._told.items() if id in waiting or self._ledger.has_open(id)}
            self._told = kept

    def _hand_on(self) -> None:
        while True:
            with self._lock:  # a result is in the queue, or what was said of its frame is in our hands
                result = self._results.take()
                told = None if result is None else self._told.pop(result.frame.id, None)
            if result is not None:
                self._put(result, told)
            elif self._results.closed:
                break
            del result, told  # its slots need not wait for the next one
        for stage, output in self._all:
            try:
                output.finish(self._last)
            except Exception as error:
                self._ended(stage, error)

    def _put(self, result: Result, told: Told | None) -> None:
        for stage, answer in result.answers.items():
            output = self._outputs.get(stage)
            if output is None or answer.dtype.names is not None or answer.ndim < 2:
                continue
            try:
                put = told is not None and output.put(stage, answer.copy(), result, told)
            except Exception as error:
                # Broad on purpose: the output is somebody else's code, and neither camera nor pipeline may end with it.
                self._ended(stage, error)
                self._outputs = {name: each for name, each in self._outputs.items() if each is not output}
                put = False
            if put:
                self.given[stage] = self.given.get(stage, 0) + 1
            else:
                self._left_out += 1

    def _ended(self, stage: str, error: Exception) -> None:
        log.debug("handing on failed", exc_info=True)
        self._tell(Event("hook error", f"images of {stage} are handed on no more: {error!r}"))
