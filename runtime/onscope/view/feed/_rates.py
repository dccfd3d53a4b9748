"""Numbers of a run for the view's status, in bounded memory."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from onscope.runtime import OnscopeError, Result, Runtime, now_ns
from onscope.runtime.record import percentiles

from .._plain import plain
from ._extras import Extras

log = logging.getLogger("onscope")
RECENT = 500
"""Results that percentiles are taken over."""
SPAN = 9
"""Looks that rates are taken over: some two seconds."""
MOST_REASONS = 64
SHOWN = ("p50", "p95")


class Rates:
    """Takes results and looks at the account. Of one thread alone."""

    def __init__(self, runtime: Runtime, extras: Extras) -> None:
        self._runtime, self._extras = runtime, extras
        self._steps: dict[str, deque[float]] = {}
        self._looks: deque[tuple[int, int, int]] = deque(maxlen=SPAN)
        self._trust: dict[str, dict[str, float]] = {}
        self._suspect: dict[str, list[str]] = {}
        self._objects: dict[str, int] = {}
        self._failed = False

    def add(self, result: Result) -> None:
        """Take note of a result: some ten microseconds, whatever its size."""
        for step, ms in {**result.stamps.steps_ms(), "whole way": result.latency_ms}.items():
            self._steps.setdefault(step, deque(maxlen=RECENT)).append(ms)
        for stage, values in result.trust.items():
            self._trust[stage] = dict(values)
            self._suspect[stage] = list(result.suspect.get(stage, ()))
        for stage, answer in result.answers.items():
            if answer.dtype.names is not None:
                self._objects[stage] = len(answer)

    def look(self, results: int) -> None:
        """Take note of how far the run is; `results`: how many there were."""
        self._looks.append((now_ns(), self._runtime.ledger.submitted, results))

    def status(self) -> dict[str, Any]:
        """Without what only the server knows, as plain values."""
        ledger = self._runtime.ledger
        frames, results = self._per_second()
        reasons = sorted(ledger.reasons.items(), key=lambda each: -each[1])[:MOST_REASONS]
        waiting, in_work = self._runtime.queue
        depth = self._extras.queue_depth
        status = {
            "frames_per_s": frames,
            "results_per_s": results,
            "steps_ms": {step: self._summary(times) for step, times in self._steps.items()},
            "queue": {"waiting": min(waiting, depth or waiting), "depth": depth, "in_work": in_work},
            "ledger": ledger.counts,
            "reasons": _inside(dict(reasons)),
            "trust": self._trust,
            "suspect": self._suspect,
            "providers": self._runtime.providers,
            "objects": self._objects,
            "feedback": self._feedback(),
            "recording": None,
            "paused": False,
        }
        return dict(plain({**status, **self._further()}))

    def _further(self) -> Mapping[str, Any]:
        """What the view's user gives; that it cannot be had costs only itself."""
        try:
            return self._extras.status()
        except Exception:
            if not self._failed:
                self._failed = True
                log.exception("the further parts of the live view's status failed; this is told once")
            return {}

    def _per_second(self) -> tuple[float, float]:
        if len(self._looks) < 2 or self._looks[-1][0] == self._looks[0][0]:
            return 0.0, 0.0
        (began, *before), (ended, *after) = self._looks[0], self._looks[-1]
        frames, results = ((b - a) * 1e9 / (ended - began) for a, b in zip(before, after, strict=True))
        return frames, results

    def _summary(self, times: deque[float]) -> dict[str, float]:
        found = percentiles(np.array(times))
        return {name: found[name] for name in SHOWN}

    def _feedback(self) -> dict[str, Any] | None:
        """What a feedback tells of itself; what stands in its journal is the server's to read."""
        feedback = self._extras.feedback
        if feedback is None:
            return None
        told: dict[str, Any] = {"armed": feedback.armed, "held": "", "counts": {}, "paused": False}
        with suppress(OnscopeError):  # it has not begun, or has ended
            told |= {"held": feedback.held, "counts": feedback.counts}
        dose = feedback_limit(feedback)
        return told | {"dose_most": dose, "journal": str(feedback.journal)}


def feedback_limit(feedback: Any) -> float | None:
    """Light in J/cm2 that a place may be given at most; None: it is not known."""
    try:
        return float(feedback.limits.field_j_cm2)
    except OnscopeError:
        return None


def _inside(reasons: dict[str, int]) -> dict[str, int]:
    """By reason alone: "skipped(queue)" as "queue"; what has no reason is left out."""
    found: dict[str, int] = {}
    for name, count in reasons.items():
        _, bracket, reason = name.partition("(")
        if bracket:
            found[reason.removesuffix(")")] = found.get(reason.removesuffix(")"), 0) + count
    return found
