"""pycro-manager: an acquisition that is fed event by event while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from onscope.runtime import ControlError, SourceError, now_ns
from onscope.runtime.feedback import Autofocus

from .._mmpycorex import forget_last_event
from ..control import Calibration, CoreController
from ._between import CAPACITY, PATIENCE_S, POLL_S
from ._plan import ENDED, Call
from ._pycro_events import Key, events_of, key_of
from ._queued import QueueController
from ._routine import Routine, of_dicts
from ._sharpness import sharpness
from ._shots import Series
from ._telling import Tell, to_log

SAVED, FINISHED = "image_saved", "acq_events_finished"
"""Milestones of pycro-manager's notifications."""
DEPTH = 2
"""Frames of the routine that stand in pycro-manager's own queue, the one under way included."""


class AcquisitionController(QueueController):
    """Steers a pycro-manager acquisition whose routine are events of time points, as `multi_d_acquisition_events` gives
    them.

        controller = AcquisitionController(Core(), events, calibration)
        with Acquisition(
            directory=d, name="a", image_process_fn=runtime.image_process_fn,
            notification_callback_fn=controller.notified,
        ) as acquisition:
            controller.run(acquisition)

    Events are submitted when they come due, `depth` frames of the routine ahead of the camera at most: what an action
    asks for comes after no more than these. Frames of actions have a place of their own, named after them ("burst 3",
    "visit 4 tile 0"). A burst at the camera's rate and a stack are submitted as one list, so that the engine may run
    them as a sequence of the hardware; all else is submitted event by event.
    """

    def __init__(
        self,
        core: Any,
        routine: Iterable[Mapping[str, Any]] | Routine,
        calibration: Calibration | None = None,
        *,
        hands: CoreController | None = None,
        depth: int = DEPTH,
        capacity: int = CAPACITY,
        patience_s: float = PATIENCE_S,
        linger_s: float = 0.0,
        tell: Tell = to_log,
    ) -> None:
        own = hands or CoreController(core, calibration)
        rounds = routine if isinstance(routine, Routine) else of_dicts(routine)
        super().__init__(own, rounds, capacity=capacity, patience_s=patience_s, linger_s=linger_s, tell=tell)
        self._depth = depth
        self._acquisition: Any = None
        self._thread: threading.Thread | None = None
        self._under_way: dict[Key, Series] = {}
        self._changed = threading.Condition()
        self._moved_ns = 0
        """When something was submitted or came last."""
        self._finished = self._heard = self._aborted = False
        self._error = ""

    def notified(self, notification: Any) -> None:
        """For `Acquisition(notification_callback_fn=...)`: called by its dispatcher; returns at once."""
        with self._changed:
            self._heard = True
            if notification.milestone == SAVED:
                series = self._under_way.pop(key_of(notification.payload), None)
                if series is not None:
                    self._moved_ns = now_ns()
                    self._account.came(series.number)
            elif notification.milestone == FINISHED:
                self._finished = True
            self._changed.notify_all()

    def run(self, acquisition: Any) -> None:
        """Feed a running acquisition until the routine is over or stopped.

        Ctrl-C, and whatever else is raised here, ends it in order and leaves the microscope safe. Raises ControlError
        when the engine ended it, or when frames do not come.
        """
        try:
            self.start(acquisition)
            self.wait()
        except KeyboardInterrupt:  # between the two, say
            self._break_off()
            raise

    def start(self, acquisition: Any) -> None:
        """Begin to feed an acquisition, in a thread of its own; `wait` before the acquisition's `with` block ends."""
        if self._thread is not None:
            raise SourceError("found a controller that has run already, expected a new one for each acquisition")
        self._acquisition, self._running = acquisition, True
        self._thread = threading.Thread(target=self._feed, name="onscope-acquisition", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when the routine is over, all frames have come, and nothing is submitted any more.

        Raises ControlError when the acquisition ended with an error; it is aborted then, and the microscope safe.
        """
        thread = self._thread
        if thread is None:
            raise SourceError("found no acquisition to wait for, expected one: call start(acquisition) first")
        try:
            while thread.is_alive():
                thread.join(POLL_S)
        except BaseException:
            self._break_off()
            raise
        if self._error:
            raise ControlError(self._error)

    def _break_off(self) -> None:
        self.safe()
        if self._thread is not None and self._thread.ident is not None:
            self._thread.join()

    def _feed(self) -> None:
        error = ""
        try:
            while self._await(self._depth - 1):
                todo = self._plan.next(POLL_S)
                if todo == ENDED:
                    break
                if isinstance(todo, Call):
                    if self._await(0):
                        self._carry_out(todo)
                        forget_last_event()
                    else:
                        todo.done.cancel()
                elif isinstance(todo, Series):
                    self._take(todo)
            self._await(0)
        except Exception as raised:
            # Broad on purpose: whatever it was, the microscope must not be left as it is.
            error = str(raised) if isinstance(raised, ControlError) else f"the acquisition could not be fed: {raised!r}"
            self._plan.end()
            self._cut(at_once=True)
        if self._finished and not self._aborted and not error:
            error = (
                "found that pycro-manager ended the acquisition, expected it to do all events: see what it raises when "
                "its `with` block ends"
            )
        self._error = error
        self._ended(error)

    def _take(self, series: Series) -> None:
        self._current = series = self._lit(series)
        events = events_of(series)
        # The engine forgets the properties of events that it merges: they would shine as the preset says.
        if series.together and not series.shots[0].properties:
            self._submit(series, events)
        else:
            begin_ns = now_ns()
            for frame, event in enumerate(events):
                if not self._plan.wait_until(begin_ns + int(frame * series.interval_ms * 1e6)):
                    break
                if not self._await(self._depth - 1):
                    break
                self._submit(series, [event])
        self._stood = series.shots[-1]
        if series.number:
            self._await(0)
            if isinstance(series.action, Autofocus):
                self._score(series, events)
            self._after(series)
            forget_last_event()

    def _submit(self, series: Series, events: list[dict[str, Any]]) -> None:
        with self._changed:
            if self._finished or self._aborted or self._plan.ended:
                return
            self._moved_ns = now_ns()
            self._under_way |= {key_of(event["axes"]): series for event in events}
            self._acquisition.acquire(events)

    def _await(self, most: int) -> bool:
        """Wait until no more than so many frames are under way; False when the acquisition has come to its end."""
        with self._changed:
            while len(self._under_way) > max(most, 0) and not self._finished:
                exposures = sum((one.shots[0].exposure_ms or 0.0) for one in self._under_way.values())
                left_ns = self._moved_ns + int(self._patience_s * 1e9 + exposures * 1e6) - now_ns()
                if left_ns <= 0 and not self._aborted:
                    self._give_up()
                self._changed.wait(POLL_S)
            return not self._finished

    def _give_up(self) -> None:
        if not self._heard:
            raise ControlError(
                "found no word of the acquisition, expected its notifications: pass "
                "notification_callback_fn=controller.notified to Acquisition"
            )
        # The Python backend asks for an image that the camera never gives for ever: nothing comes after it any more.
        raise ControlError(
            f"found {len(self._under_way)} frames that did not come within {self._patience_s:g} s, expected the camera "
            "to give them: look after it, or give the controller more patience_s"
        )

    def _score(self, series: Series, events: list[dict[str, Any]]) -> None:
        stored = self._acquisition.get_dataset()
        for shot, event in zip(series.shots, events, strict=True):
            if shot.z_um is not None and stored.has_image(**event["axes"]):
                self._scores.append((shot.z_um, sharpness(stored.read_image(**event["axes"]))))

    def _cut(self, at_once: bool) -> None:
        try:
            with self._changed:
                long = any(one.together and len(one.shots) > 1 for one in self._under_way.values())
                if self._under_way and (long or at_once) and not self._finished and not self._aborted:
                    self._aborted = True
                    self._acquisition.abort()
        except Exception as error:
            # Broad on purpose: the safe state is on its way, and comes in any case.
            self._say(f"the acquisition could not be aborted: {error}")
