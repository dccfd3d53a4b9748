"""The controller's thread: one proposal after the other is aimed, judged and, when the gate lets it pass, applied."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable

from ..._clock import now_ns
from ..._errors import ControlError
from .._actions import Action, Mark, Notify, Stop
from .._controller import Controller, Done
from .._limits import Limits
from .._proposal import Proposal, Verdict
from ..journal import Journal
from ._decide import Asking, Decider, refused
from ._hold import Hold
from ._seconds import seconds
from ._settings import Settings

MOST_WAITING = 64
"""Proposals that wait for their turn; of more the ones of the lowest priority are refused."""
LOOK_S = 0.05


class Acting:
    """Decides and acts, by priority, in one thread. What is judged is applied at once, before anything else is judged:
    the gate reckons with the microscope as it really stands.

    In shadow mode (see Hold) the same, and nothing is applied. `refused` is told each proposal that did not pass,
    `failed` in words what the hardware refused; `hold` is taken for what must not happen.
    """

    def __init__(
        self,
        controller: Controller,
        decider: Decider,
        limits: Limits,
        hold: Hold,
        journal: Journal,
        settings: Settings,
        notify: Callable[[Notify], object],
        refused: Callable[[Proposal], object],
        failed: Callable[[str], object],
    ) -> None:
        self.counts: Counter[str] = Counter()
        """How many proposals were "done", "shadow", "refused", "failed"."""
        self.stopped = threading.Event()
        self.doing: Action | None = None
        self.expected_s = 0.0
        """How long what is done now may take."""
        self._controller, self._decider, self._limits, self._hold = controller, decider, limits, hold
        self._journal, self._settings, self._notify = journal, settings, notify
        self._refused, self._failed = refused, failed
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int, Asking]] = []
        self._working = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="onscope-controller", daemon=True)
        self._thread.start()

    def put(self, asking: Asking) -> None:
        """It waits for its turn from now on; returns at once."""
        pushed: Asking | None = None
        with self._changed:
            entry = (-asking.proposal.priority, asking.number, asking)
            if len(self._waiting) >= MOST_WAITING:
                last = max(self._waiting, key=lambda each: each[:2])
                if last[:2] > entry[:2]:
                    self._waiting.remove(last)
                    heapq.heapify(self._waiting)
                    heapq.heappush(self._waiting, entry)
                    pushed = last[2]
                else:
                    pushed = asking
            else:
                heapq.heappush(self._waiting, entry)
            self._changed.notify_all()
        if pushed is not None:
            self._refuse(pushed, refused(f"{MOST_WAITING} proposals wait already: give the rules cooldowns"))

    @property
    def idle(self) -> bool:
        """Whether none waits and none is under way."""
        with self._changed:
            return not self._waiting and not self._working

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, timeout_s: float) -> None:
        """What waits is refused; the action under way is waited for."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._working = False
                while not self._changed.wait_for(lambda: self._waiting or self._closing, LOOK_S):
                    self._settings.note(self._controller.setting())  # others may have moved something
                if not self._waiting:
                    return
                asking = heapq.heappop(self._waiting)[2]
                self._working = True
            try:
                self._turn(asking)
            except Exception as error:
                # Broad on purpose: nobody knows what state the hardware is in by now.
                self.counts["failed"] += 1
                self._journal.failed(asking.number, repr(error))
                self._hold.take(f"the controller failed: {error!r}")

    def _turn(self, asking: Asking) -> None:
        setting = self._settings.note(self._controller.setting())
        armed_ns = self._hold.armed_ns
        held = self._hold.reason if not self._closing else "the feedback has ended"
        if asking.proposal.received_ns < armed_ns:  # of shadow mode nothing is left over
            verdict = refused("its frame was received before the feedback was armed")
        else:
            verdict = self._decider.decide(asking, setting, held)
        if verdict.passed and verdict.action is None:
            verdict = refused("it passed without an action")
        self._journal.verdict(asking.number, verdict, armed=bool(armed_ns))
        if not verdict.passed or verdict.action is None:
            self.counts["refused"] += 1
            self._refused(asking.proposal)
        elif not armed_ns:
            self.counts["shadow"] += 1
        else:
            self._apply(asking, verdict, verdict.action, armed_ns)

    def _apply(self, asking: Asking, verdict: Verdict, action: Action, armed_ns: int) -> None:
        try:
            self._hold.begin(armed_ns)
        except ControlError as error:  # between the verdict and now
            self._fail(asking, str(error), tell=False)
            return
        try:
            late = self._late(asking, verdict)
            if late:
                self._fail(asking, late, tell=False)
                return
            before = self._controller.setting()
            self.expected_s, self.doing = seconds(action, before), action
            try:
                done = self._carry_out(action)
            except ControlError as error:
                self._decider.done(action, before)  # some of its light may have shone
                self._fail(asking, str(error))
                return
            self._journal.done(asking.number, done)
            self._decider.done(action, before)
            self.counts["done"] += 1
        finally:
            self.doing = None
            self._settings.note(self._controller.setting())
            self._hold.end()

    def _carry_out(self, action: Action) -> Done:
        began_ns = now_ns()
        if isinstance(action, Mark):
            return Done(began_ns, began_ns)
        if isinstance(action, Notify):
            self._notify(action)
            return Done(began_ns, now_ns())
        done = self._controller.apply(action)
        if isinstance(action, Stop):
            self.stopped.set()
        return done

    def _late(self, asking: Asking, verdict: Verdict) -> str:
        age_ms = (now_ns() - asking.proposal.received_ns) / 1e6
        if age_ms > self._limits.stale_ms:
            return f"its frame was {age_ms:.0f} ms old by then, expected at most {self._limits.stale_ms:g} ms"
        if not self._decider.fresh(verdict):
            return f"more than {self._limits.apply_ms:g} ms passed after the verdict"
        return ""

    def _fail(self, asking: Asking, words: str, *, tell: bool = True) -> None:
        self.counts["failed"] += 1
        self._journal.failed(asking.number, words)
        if tell:
            self._failed(f"{asking.proposal.rule}: {words}")

    def _refuse(self, asking: Asking, verdict: Verdict) -> None:
        self.counts["refused"] += 1
        self._refused(asking.proposal)
        self._journal.verdict(asking.number, verdict, armed=bool(self._hold.armed_ns))
