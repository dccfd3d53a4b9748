"""The action `tune`: numbers of decoders and thresholds of rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeGuard

from onscope.runtime import OnscopeError, PipelineError

from .._values import Setting
from ._can import Tunes, TunesRules
from ._swapping import word_of

RULE = "rule "


def settings_of(runtime: object, feedback: object = None) -> tuple[Setting, ...]:
    """Numbers that may be tuned now; of rules only while the feedback runs."""
    found = []
    if isinstance(runtime, Tunes):
        found += [(each.stage, each) for each in runtime.tunable]
    if isinstance(feedback, TunesRules):
        with suppress(OnscopeError):  # it has not begun, or has ended
            found += [(f"{RULE}{each.rule}", each) for each in getattr(feedback, "tunable", ())]
    return tuple(
        Setting(of, each.name, float(each.value), _finite(each.least), _finite(each.most), each.meaning)
        for of, each in found
    )


class Tuning:
    """Called with the fields of a viewer's message; `done` is told all settings as they are then."""

    def __init__(self, runtime: object, feedback: object, done: Callable[[tuple[Setting, ...]], object]) -> None:
        self._runtime, self._feedback, self._done = runtime, feedback, done

    def __call__(self, fields: dict[str, Any]) -> Mapping[str, Any]:
        """Raises PipelineError or RuleError for what cannot be tuned, or not to this value."""
        of, name, value = word_of(fields, "of"), word_of(fields, "name"), fields.get("value")
        known = [each for each in settings_of(self._runtime, self._feedback) if (each.of, each.name) == (of, name)]
        if not known:
            raise PipelineError(f"found the setting {name!r} of {of!r} to tune, expected one that the view shows")
        if not _number(value):
            raise PipelineError(f"found {value!r:.40} for {name} of {of}, expected a number")
        words = f"{of}: {name} {known[0].value:.6g} to {value:.6g}"
        told: dict[str, Any] = {}
        if of.startswith(RULE) and isinstance(self._feedback, TunesRules):
            self._feedback.tune(of.removeprefix(RULE), name, value)
        elif isinstance(self._runtime, Tunes):
            first = getattr(self._runtime.tune(of, **{name: value}), "first", None)
            if first is not None:
                words += f", from frame {first.seq} of segment {first.segment} on"
                told["frame"] = first._asdict()
        self._done(settings_of(self._runtime, self._feedback))
        return {"words": words, **told}


def _finite(value: float) -> float | None:
    """The end of a range; None: it has none, for JSON knows no infinite numbers."""
    return float(value) if math.isfinite(value) else None


def _number(value: Any) -> TypeGuard[float]:
    """Whether a word of JSON is a number of use."""
    try:
        return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
