"""Thresholds of the rules at work, changed while they are asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from ..._errors import RuleError
from ..rules import TunableRule
from ._rules import RulesEnd
from ._source import RulesSource


class Tuning:
    """Holds a change against rules of its own first; any thread may call its methods."""

    def __init__(
        self, source: RulesSource, rules: Callable[[], RulesEnd | None], tell: Callable[[str], object]
    ) -> None:
        self._book = source.mirror()
        self._rules, self._tell = rules, tell
        self._lock = threading.Lock()
        self._tuned: dict[tuple[str, str], float] = {}

    @property
    def tunable(self) -> tuple[TunableRule, ...]:
        return () if self._book is None else self._book.tunable

    def tune(self, rule: str, name: str, value: float) -> None:
        """See `Feedback.tune`."""
        if self._book is None:
            raise RuleError(
                f"found {name!r} of the rule {rule!r} to tune, expected rules of a YAML file: those of Python, and a "
                "book that was given, have no thresholds that can be changed from here"
            )
        with self._lock:
            before = self._book.tune(rule, name, value)
            self._tell(f"rule {rule}: {name} {before:.12g} to {float(value):.12g}, from the next result on")
            self._tuned[rule, name] = float(value)
            rules = self._rules()
            if rules is not None:
                with contextlib.suppress(OSError):  # they have ended; when they begin again they are told
                    rules.tune(rule, name, float(value))

    def again(self, rules: RulesEnd) -> None:
        """Tell rules that have begun again what was changed."""
        with self._lock:
            for (rule, name), value in self._tuned.items():
                rules.tune(rule, name, value)
