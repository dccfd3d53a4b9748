"""A journal as it is read: what happened, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, overload

from ..._clock import ClockPair
from ..._frame import FrameId
from .._controller import Command, Done

Plain = Mapping[str, Any]

Outcome = Literal["done", "failed", "refused", "shadow", "passed", "proposed", "event"]
"""What became of an event: `shadow`: the gate let it pass, and it was not armed; `passed`, `proposed`: no more is known
(the run ended, or it is under way); `event`: no rule asked for it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line. `rules` is the rule file's text, `rules_sha256` that of all of it; `limits` as tightened."""

    onscope: str
    clock: ClockPair
    armed: bool
    rules_name: str
    rules_sha256: str
    rules: str
    limits: Plain
    packages: Mapping[str, str]
    machine: Plain
    notes: Plain


@dataclass(frozen=True, slots=True)
class Judged:
    """The gate's verdict; `action` as plain values by field, with its `kind` (None: it never became one)."""

    passed: bool
    reason: str
    action: Plain | None
    judged_ns: int
    armed: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: a proposal with what came of it, or what no rule asked for (`frame` is None, `rule` "").

    `kind` is the word of what was asked (an action's, a wish's), or the event's own; `asked` it as plain values;
    `because` says why, in words. Times are monotonic ns; `at_ns` is when it was proposed, or happened.
    """

    number: int
    at_ns: int
    kind: str
    because: str
    rule: str = ""
    frame: FrameId | None = None
    received_ns: int | None = None
    priority: int = 0
    asked: Plain = field(default_factory=lambda: MappingProxyType({}))
    target: Plain | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    models: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    verdict: Judged | None = None
    done: Done | None = None
    failure: str | None = None
    failed_ns: int | None = None
    sent: tuple[Command, ...] = ()
    """Commands of an event, or of an action that failed."""

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if self.frame is None:
            return "event"
        if self.failure is not None:
            return "failed"
        if self.done is not None:
            return "done"
        if self.verdict is None:
            return "proposed"
        if not self.verdict.passed:
            return "refused"
        return "passed" if self.verdict.armed else "shadow"

    @property
    def commands(self) -> tuple[Command, ...]:
        """What was sent to the hardware, in order."""
        return self.sent if self.done is None else self.done.commands

    @property
    def action(self) -> Plain | None:
        """What the gate judged, as plain values."""
        return None if self.verdict is None else self.verdict.action


@dataclass(frozen=True, slots=True)
class Curve:
    """How one number went: monotonic ns and values, one each."""

    at_ns: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Story(Sequence[Entry]):
    """A whole journal: its entries in the order of their numbers, and what else it tells.

    `torn` says what was cut off at its end (None: nothing), `ended_ns` when it was closed in order (None: it was not),
    `error` what ended the run, `lost` how many lines could not be written.
    """

    path: Path
    head: Head
    entries: tuple[Entry, ...]
    curves: Mapping[str, Curve] = field(default_factory=lambda: MappingProxyType({}))
    torn: str | None = None
    ended_ns: int | None = None
    error: str = ""
    lost: int = 0

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self.entries[index]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    @property
    def last_ns(self) -> int:
        """The last moment that the journal knows of."""
        times = [self.head.clock.monotonic_ns, self.ended_ns or 0]
        for each in self.entries[-64:]:
            times += [each.at_ns, each.done.done_ns if each.done else 0, each.verdict.judged_ns if each.verdict else 0]
        return max(times)
