"""One run of the feedback: its threads, its watchdog, and what is told."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psutil

from ..._admission import keep_newest
from ..._crops_stage import Crops
from ..._errors import ControlError
from ..._events import Event, Kind
from ..._result import Result
from ..._stage import Stage
from .._controller import Command, Controller
from .._limits import LimitsChange
from ..journal import Journal
from ._arm import Arming
from ._ask import Asker, Shown
from ._decide import Asking
from ._hold import Heartbeat
from ._objects import tell_objects
from ._parts import Parts
from ._pausing import pause
from ._rules import Answer, ProcessRules, RulesEnd, ThreadRules
from ._source import RulesSource
from ._terms import Terms
from ._tuning import Tuning
from ._watch import Watch
from ._watchdog import Watchdog, WorkerLife, results_come, rules_answer

if TYPE_CHECKING:
    from ..._runtime import Runtime

LOOK_S = 0.05
"""How often light is booked while no result comes."""
CLOSING_S = 5.0


class Loop:
    """Runs from when it is made until `close`. Raises what `Feedback` says."""

    def __init__(
        self,
        runtime: Runtime,
        rules: RulesSource,
        in_process: bool,
        controller: Controller,
        tightened: LimitsChange | None,
        terms: Terms,
        heartbeat: Heartbeat | None,
    ) -> None:
        self._runtime, self._source, self._in_process, self._terms = runtime, rules, in_process, terms
        self._numbers = self._taken = 0
        self._failures: set[str] = set()
        self._watches: list[Watch] = []
        self._closing = False
        self._hanging: RulesEnd | None = None
        self._journal: Journal | None = None
        changes = [each for each in (tightened, rules.limits) if each is not None]
        self._asker = Asker(self._got)
        self._asker.rules = self._start_rules()
        try:
            packages = {one.name: one.package.name for one in runtime.pipeline.stages if isinstance(one, Stage | Crops)}
            self.parts = Parts(
                controller, changes, terms, rules, packages, self._asker.refused, self._tell, self._told_safe
            )
        except BaseException:
            self._asker.rules.close()
            raise
        self._journal = self.parts.journal
        self._worker = WorkerLife(terms.patience_s)
        self._rules_answer = rules_answer(lambda: self._asker.asked_ns, terms.patience_s)
        self._results = runtime.subscribe(keep_newest(1))
        self._unfollow = runtime.follow(self.parts.light.taken, self._heard)
        self._thread = threading.Thread(target=self._run, name="onscope-feedback", daemon=True)
        self._thread.start()
        checks = [
            results_come(self.parts.light, terms.patience_s),
            self._worker.check,
            self._rules_hang,
            self._watched,
            self.parts.acting_hangs,
            self.parts.unwritten,
        ]
        self._watchdog = Watchdog(self.parts.hold, checks, heartbeat)
        self._arming = Arming(self.parts, rules.name, terms.patience_s, self._event)
        self._arming.say()
        self.tuning = Tuning(rules, lambda: self._asker.rules, self._told_tuned)

    @property
    def rules_pid(self) -> int:
        rules = self._asker.rules
        return 0 if rules is None else rules.pid

    def watch(self, name: str, within_s: float | None, pid: int | None) -> Watch:
        try:
            made = Watch(name, within_s, pid)
        except psutil.Error as error:
            raise ControlError(f"found no process {pid} for {name}, expected one that lives: {error}") from error
        self._watches = [each for each in (*self._watches, made) if not each.closed]
        return made

    def arm(self) -> None:
        self._arming.arm()

    def shadow(self) -> None:
        self._arming.shadow()

    def pause(self, paused: bool) -> None:
        pause(self.parts, paused, self._terms.patience_s)

    def resume(self) -> None:
        rules = self._asker.rules
        if rules is None:
            started = self._start_rules()
            self.tuning.again(started)
            self._asker.rules = started
        self._asker.forget()
        self._watches = [each for each in self._watches if not each.closed and not each.trouble()]
        self._worker.seen()
        self.parts.light.seen()
        self._event("feedback", f"goes on after the safe state ({self.parts.hold.reason})")
        self.parts.hold.release()

    def settle(self, timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        while not self._idle():
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def _idle(self) -> bool:
        results = self._results
        if self._taken < results.offered - results.skipped or not self.parts.light.idle:
            return False
        return self._asker.idle and self.parts.acting.idle

    def close(self, error: str) -> None:
        """End all; called once, whatever came before."""
        self._closing = True
        hold = self.parts.hold
        if self._terms.safe_on_exit and hold.armed_ns:
            hold.take(f"the feedback ended{f' by {error}' if error else ''}")
        self._watchdog.close()
        hold.make_safe()
        self._unfollow()
        self._results.close()
        if (rules := self._asker.rules) is not None:
            rules.close()
        self._thread.join(CLOSING_S)
        self.parts.close(error, CLOSING_S)

    def _run(self) -> None:
        try:
            while True:
                result = self._results.take(LOOK_S)
                if result is not None:
                    self._offer(result)
                    del result  # its slots need not wait for the next one
                    self._taken += 1
                elif self._results.closed:
                    break
                self.parts.light.book()
            self.parts.light.book()
        except Exception as error:
            self.parts.hold.take(f"the feedback's thread failed: {error!r}")
            raise

    def _offer(self, result: Result) -> None:
        self.parts.light.seen()
        self._worker.seen()
        self._numbers += 1
        setting = self.parts.settings.of(result.frame)
        self._asker.offer(Shown(self._numbers, result, setting))
        tell_objects(self.parts.doses, result, setting, self._source.aim)

    def _got(self, shown: Shown, answer: Answer) -> None:
        for words in answer.failures:
            if words not in self._failures:  # what is wrong with one result is wrong with the next thousand too
                self._failures.add(words)
                self._event("feedback", f"a rule failed: {words}")
        result = shown.result
        for proposal in answer.proposals:
            number = self.parts.journal.proposal(proposal)
            self.parts.acting.put(Asking(number, proposal, result.frame, result, shown.setting))

    def _start_rules(self) -> RulesEnd:
        if self._in_process:
            return ProcessRules(self._source, self._asker.answered, self._rules_ended)
        return ThreadRules(self._source.book(), self._asker.answered, self._rules_ended)

    def _rules_ended(self, how: str) -> None:
        self._asker.rules = None
        self._asker.forget()
        if not self._closing:
            self.parts.hold.take(f"the rules ended ({how})")

    def _rules_hang(self) -> str:
        words = self._rules_answer()
        if words:  # they are ended once the microscope is safe
            self._hanging, self._asker.rules = self._asker.rules, None
            self._asker.forget()
        return words

    def _watched(self) -> str:
        return next((words for each in self._watches if (words := each.trouble())), "")

    def _heard(self, event: Event) -> None:
        self._worker.heard(event.kind, event.message)

    def _told_safe(self, words: str, commands: tuple[Command, ...]) -> None:
        did = "the microscope is in its safe state" if self.parts.hold.acts else "it would have been made safe"
        self.parts.journal.event("safe state", words, commands=commands)
        self._runtime.tell(Event("safe state", f"{words}: {did}, and everything is refused until resume()"))
        if (hanging := self._hanging) is not None:
            self._hanging = None
            hanging.close()

    def _tell(self, words: str) -> None:
        self._event("feedback", words)

    def _told_tuned(self, words: str) -> None:
        self._event("tuned", words)

    def _event(self, kind: Kind, words: str) -> None:
        if self._journal is not None:
            self._journal.event(kind, words)
        self._runtime.tell(Event(kind, words))
