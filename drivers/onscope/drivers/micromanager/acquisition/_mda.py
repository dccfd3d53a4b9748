"""pymmcore-plus: an acquisition that is fed from a queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, cast

import useq

from onscope.runtime import SourceError, now_ns
from onscope.runtime.feedback import Autofocus

from ..control import Calibration, CoreController
from ._between import CAPACITY, PATIENCE_S, POLL_S
from ._mda_events import events_of, number_of
from ._plan import ENDED, Call
from ._queued import QueueController
from ._routine import Routine, of_useq
from ._sharpness import sharpness
from ._shots import Series
from ._snake import SnakeCore
from ._telling import Tell, to_log


class MdaController(QueueController):
    """Steers a pymmcore-plus acquisition whose routine is a useq.MDASequence: rounds of its events, one per time point.

        controller = MdaController(mmc, sequence, calibration)
        with runtime.attach(mmc):
            controller.run()                             # or: mmc.run_mda(controller.events(), output=...)

    Actions come before the routine's next event, in the order in which they were asked for. Their frames have a place
    of their own (p), named after them ("burst 3", "visit 4 tile 0"): windows and tracks of the routine are not mixed
    with theirs. The engine is given an iterator, from which it takes one event at a time: it cannot look ahead, and
    batches no two of the routine. A burst at the camera's rate and a stack are batched here, as the engine would.
    """

    def __init__(
        self,
        mmc: Any,
        routine: useq.MDASequence | Routine,
        calibration: Calibration | None = None,
        *,
        hands: CoreController | None = None,
        capacity: int = CAPACITY,
        patience_s: float = PATIENCE_S,
        linger_s: float = 0.0,
        tell: Tell = to_log,
    ) -> None:
        own = hands or CoreController(cast("Any", SnakeCore(mmc)), calibration)
        rounds = routine if isinstance(routine, Routine) else of_useq(routine)
        super().__init__(own, rounds, capacity=capacity, patience_s=patience_s, linger_s=linger_s, tell=tell)
        self._mmc = mmc
        self._taken = False
        self._sequenced = False

    def events(self) -> Iterator[useq.MDAEvent]:
        """What `mmc.run_mda` is given, once: events as they come due, until the routine is over or stopped."""
        if self._taken:
            raise SourceError("found these events taken already, expected once: make a new controller for each run")
        self._taken = self._running = True
        self._mmc.mda.events.frameReady.connect(self._frame_came)
        self._mmc.mda.events.sequenceFinished.connect(self._finished)
        return self._events()

    def run(self, output: Any = None, **options: Any) -> None:
        """Run the acquisition to its end, as `mmc.mda.run(events, output=..., ...)`, in a thread of its own.

        Ctrl-C, and whatever else is raised here, ends it in order and leaves the microscope safe. Raises what the
        engine raised.
        """
        raised: list[BaseException] = []

        def acquire() -> None:
            try:
                self._mmc.mda.run(self.events(), output=output, **options)
            except Exception as error:
                raised.append(error)

        thread = threading.Thread(target=acquire, name="onscope-mda", daemon=True)
        try:
            thread.start()
            while thread.is_alive():
                thread.join(POLL_S)
        except BaseException:
            self.safe()
            if thread.ident is not None:
                thread.join()
            raise
        if raised:
            raise raised[0]

    def _events(self) -> Iterator[useq.MDAEvent]:
        while True:
            if self._is_cancelled():
                yield useq.MDAEvent()  # not taken: the runner looks whether it was cancelled first
                return
            todo = self._plan.next(POLL_S)
            if todo == ENDED:
                return
            if isinstance(todo, Call):
                self._carry_out(todo)
            elif isinstance(todo, Series):
                yield from self._series(todo)

    def _series(self, series: Series) -> Iterator[useq.MDAEvent]:
        self._current = lit = self._lit(series)
        events = events_of(lit)
        if series.together and len(events) > 1:
            batch = getattr(self._mmc.mda.engine, "event_iterator", iter)
            self._sequenced = True
            yield from batch(events)
            self._sequenced = False
        else:
            begin_ns = now_ns()
            for frame, event in enumerate(events):
                if not self._wait_until(begin_ns + int(frame * series.interval_ms * 1e6)):
                    break
                yield event
        self._stood = lit.shots[-1]
        self._after(series)

    def _wait_until(self, moment_ns: int) -> bool:
        while (now := now_ns()) < moment_ns:
            if self._is_cancelled() or not self._plan.wait_until(min(moment_ns, now + int(POLL_S * 1e9))):
                return False
        return not self._plan.ended

    def _is_cancelled(self) -> bool:
        return str(self._mmc.mda.status.phase) == "finishing"

    def _frame_came(self, image: Any, event: useq.MDAEvent, meta: Mapping[str, Any]) -> None:
        number = number_of(event)
        if not number:
            return
        self._account.came(number)
        if event.metadata["onscope"]["kind"] == Autofocus.kind and event.z_pos is not None:
            self._scores.append((event.z_pos, sharpness(image)))

    def _finished(self, *told: object) -> None:
        self._mmc.mda.events.frameReady.disconnect(self._frame_came)
        self._mmc.mda.events.sequenceFinished.disconnect(self._finished)
        failed = str(self._mmc.mda.status.finish_reason) == "errored"
        self._ended("pymmcore-plus ended the acquisition with an error" if failed else "")

    def _cut(self, at_once: bool) -> None:
        # Between frames the runner asks for the next event, and is told that there is none; a sequence of the hardware
        # it leaves only when it is cancelled.
        try:
            if self._running and (self._sequenced or at_once):
                self._mmc.mda.cancel()
        except Exception as error:
            self._say(f"the acquisition could not be cancelled: {error}")
