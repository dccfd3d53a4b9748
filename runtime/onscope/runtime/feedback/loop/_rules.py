"""Rules beside the loop: in a process of their own, or in a thread. They are asked, and answer when they can."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol

from ..._clock import now_ns
from ..._errors import RuleError, WorkerError
from ...worker import LIMIT, Message, ProcessLink
from .._proposal import Proposal, Seen
from ..rules import Needs, RuleBook
from ._source import RulesSource, needing
from ._wire import MOST_PROPOSALS, proposal_from, seen_message

MOST_BYTES = LIMIT * 3 // 4
MODULE = "onscope.runtime.feedback.loop.rules_process"
START_S = 60.0
"""How long rules may take to be there: a file of Python may import anything."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What rules say to result `number`; `failures` are sentences."""

    number: int
    proposals: Sequence[Proposal] = ()
    failures: Sequence[str] = field(default=())


class RulesEnd(Protocol):
    """The loop's end of the rules. `answered` and `ended` are called from a thread of this end."""

    needs: Needs
    pid: int

    def ask(self, seen: Seen, refused: Sequence[Proposal] = ()) -> None:
        """Returns at once; one result at a time, with what was refused since. Raises OSError when they have ended."""
        ...

    def tune(self, rule: str, name: str, value: float) -> None:
        """Change a threshold, which was looked at before; returns at once. Raises OSError when they have ended."""
        ...

    def close(self) -> None:
        """End them, whatever they do; a thread that hangs is left behind."""
        ...


Answered = Callable[[Answer], object]
Ended = Callable[[str], object]


class ProcessRules:
    """Rules in a process of their own. Raises RuleError when they cannot be loaded."""

    def __init__(self, source: RulesSource, answered: Answered, ended: Ended) -> None:
        self._answered, self._ended = answered, ended
        self._asked: Seen | None = None
        self._closing = False
        self._ready = threading.Event()
        self._refused = ""
        self._sending = threading.Lock()
        self.needs = source.needs
        try:
            self._link = ProcessLink(MODULE)
            self.pid = self._link.pid
            self._link.send(source.message)
        except (OSError, WorkerError) as error:
            raise RuleError(f"the rules' process cannot be started: {error}") from error
        self._thread = threading.Thread(target=self._listen, name="onscope-rules", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S):
            self._refused = f"{source.path} was not loaded within {START_S:.0f} s: see what it imports"
        if self._refused:
            self.close()
            raise RuleError(self._refused)

    def ask(self, seen: Seen, refused: Sequence[Proposal] = ()) -> None:
        message = seen_message(seen)
        message["refused"] = [[each.rule, list(each.frame), track_of(each)] for each in refused]
        size = sum(len(table["data"]) for table in message["tables"].values())
        if size > MOST_BYTES:
            found = f"found {size >> 20} MB of tables for the rules, expected at most {MOST_BYTES >> 20}: measure less"
            self._answered(Answer(seen.number, failures=[found]))
            return
        self._asked = seen
        self._send(message)

    def tune(self, rule: str, name: str, value: float) -> None:
        self._send({"kind": "tune", "rule": rule, "name": name, "value": value})

    def _send(self, message: Message) -> None:
        with self._sending:
            self._link.send(message)

    def close(self) -> None:
        self._closing = True
        self._link.kill()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _listen(self) -> None:
        how = ""
        try:
            while (message := self._link.receive()) is not None:
                self._handle(message)
        except Exception as error:  # what it sends is not to be trusted
            how = f"found an answer of the rules that makes no sense ({error!r})"
            self._link.kill()
        finally:
            ready = self._ready.is_set()
            how = how or self._link.epitaph()
            if not ready:
                self._refused = self._refused or f"the rules' process ended before it was ready ({how})"
                self._ready.set()
            elif not self._closing:
                self._ended(how)

    def _handle(self, message: Message) -> None:
        kind = message["kind"]
        if kind == "ready":
            self.needs = needing(self.needs, message["numbers"])
            self._ready.set()
        elif kind == "refused":
            self._refused = str(message["message"])
            self._ready.set()
        elif kind == "proposals" and (asked := self._asked) is not None and message["number"] == asked.number:
            self._asked = None
            answered_ns = now_ns()
            proposals, failures = [], [str(each) for each in message["failures"][:50]]
            for told in message["told"][:MOST_PROPOSALS]:
                try:
                    proposals.append(proposal_from(told, asked, answered_ns))
                except RuleError as error:
                    failures.append(str(error))
            self._answered(Answer(asked.number, proposals, failures))


class ThreadRules:
    """Rules in a thread of the acquisition process, for tests and notebooks: one that hangs cannot be ended."""

    pid = 0

    def __init__(self, rules: RuleBook, answered: Answered, ended: Ended) -> None:
        self._rules, self._answered, self._ended = rules, answered, ended
        self.needs = rules.needs
        self._queue: SimpleQueue[tuple[Seen, Sequence[Proposal]] | tuple[str, str, float] | None] = SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="onscope-rules", daemon=True)
        self._thread.start()

    def ask(self, seen: Seen, refused: Sequence[Proposal] = ()) -> None:
        if not self._thread.is_alive():
            raise OSError("the rules' thread has ended")
        self._queue.put((seen, refused))

    def tune(self, rule: str, name: str, value: float) -> None:
        self._queue.put((rule, name, value))

    def close(self) -> None:
        self._closing = True
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(0.2)

    def _run(self) -> None:
        try:
            while (asked := self._queue.get()) is not None:
                if len(asked) == 3:
                    self._rules.tune(*asked)
                    continue
                seen, refused = asked
                for each in refused:
                    self._rules.refused(each.rule, each.frame, track_of(each))
                proposals = self._rules.propose(seen)
                failures = list(self._rules.failures)
                if self._closing:
                    return
                if len(proposals) > MOST_PROPOSALS:
                    failures.append(
                        f"found {len(proposals)} proposals, expected at most {MOST_PROPOSALS} of one result"
                    )
                self._answered(Answer(seen.number, proposals[:MOST_PROPOSALS], failures))
        except BaseException as error:  # also SystemExit: a thread's end is told, as a process's is
            if not self._closing:
                self._ended(repr(error))


def track_of(proposal: Proposal) -> int:
    """The track that a proposal is about; 0: none."""
    return 0 if proposal.target is None else proposal.target.track
