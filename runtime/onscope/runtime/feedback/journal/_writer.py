"""The journal's writer: what happens is queued by whoever it happens to, and written by one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..._clock import ClockPair, now_ns
from ..._events import log
from .._controller import Command, Done
from .._limits import Limits
from .._proposal import Proposal, Verdict
from . import _lines as lines
from ._appender import Appender
from ._head import head_line


class Journal:
    """The file `path`, made new: one JSON object per line, the first of which says what this is.

    Every method may be called from any thread, and returns once its line stands in the queue; a line is on the disk
    itself within 50 ms, and no error of the disk reaches the caller: ask `failure`. `tell` is called once for each
    failure, from the writer's thread.

    `rules` is the text of the rule file, `rules_name` its name, `limits` those that hold (as tightened), `armed`
    whether what the gate lets pass is carried out, `packages` the names of the packages behind the stages, `notes`
    whatever else is worth keeping. Raises RecordError when the file is there already, or cannot be made.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        rules_name: str = "",
        rules: str = "",
        limits: Limits | None = None,
        armed: bool = False,
        packages: Mapping[str, str] | None = None,
        notes: Mapping[str, Any] | None = None,
        tell: Callable[[str], object] = log.warning,
    ) -> None:
        self.path = Path(path)
        self.armed = armed
        self.clock = ClockPair.take()
        self._numbers = 0
        self._numbering = threading.Lock()
        first = head_line(self.clock, rules_name, rules, limits, armed, packages or {}, notes or {})
        self._lines = Appender(self.path, first, tell)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.close("" if error is None else f"{type(error).__name__}: {error}")

    @property
    def failure(self) -> str | None:
        """The sentence that says what is wrong while lines cannot be written; None: all is well."""
        return self._lines.failure

    @property
    def lost(self) -> int:
        """How many lines are missing from the file; it says so itself, where they are missing."""
        return self._lines.lost

    def proposal(self, proposal: Proposal) -> int:
        """What a rule asks for; returns the event's number, from 1, by which verdict and outcome are told."""
        return self._event(lambda number: lines.proposal_line(number, proposal), _weight(proposal.asked))

    def verdict(self, number: int, verdict: Verdict, *, armed: bool | None = None) -> None:
        """What the gate said of event `number`; `armed`: whether what passes is carried out (None: as at the start)."""
        carried = self.armed if armed is None else armed
        self._lines.put(lambda: lines.verdict_line(number, verdict, carried), _weight(verdict.action))

    def done(self, number: int, done: Done) -> None:
        """What the controller did for event `number`."""
        self._lines.put(lambda: lines.done_line(number, done))

    def failed(self, number: int, words: str, commands: Iterable[Command] = ()) -> None:
        """The hardware refused event `number`, with these `words`, after it was sent `commands`."""
        at_ns, sent = now_ns(), tuple(commands)
        self._lines.put(lambda: lines.failed_line(number, words, at_ns, sent))

    def event(
        self,
        kind: str,
        words: str,
        *,
        values: Mapping[str, float] | None = None,
        commands: Iterable[Command] = (),
        at_ns: int | None = None,
    ) -> int:
        """What no rule asked for, in words, of a kind like "armed", "rule failed", "safe state"; returns its number."""
        at, sent = now_ns() if at_ns is None else at_ns, tuple(commands)
        return self._event(lambda number: lines.event_line(number, kind, words, at, values or {}, sent))

    def values(self, values: Mapping[str, float], *, at_ns: int | None = None) -> None:
        """How the microscope stands, by name with its unit ("dose_j_cm2", "interval_s"): a point of each curve."""
        at = now_ns() if at_ns is None else at_ns
        self._lines.put(lambda: lines.values_line(values, at))

    def sync(self, timeout_s: float = 2.0) -> bool:
        """Wait until all that was told so far is on the disk itself, before a command is sent, say; whether it is."""
        return self._lines.sync(timeout_s)

    def close(self, error: str = "", timeout_s: float = 10.0) -> None:
        """Write what is left and the last line; `error` says what ended the run, when it was not in order."""
        self._lines.close(lambda: lines.end_line(now_ns(), error), timeout_s)

    def _event(self, make: Callable[[int], lines.Line], weight: int = 0) -> int:
        with self._numbering:  # numbers stand in the file in their order
            self._numbers += 1
            number = self._numbers
            self._lines.put(lambda: make(number), weight)
        return number


def _weight(asked: object) -> int:
    return int(getattr(getattr(asked, "mask", None), "nbytes", 0))
