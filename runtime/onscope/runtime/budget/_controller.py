"""Which level holds: a function of what was seen of windows, with no clock of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ._seen import Seen, Sliding

MARGIN = 0.8
"""Of the budget: what the prediction for a less degraded level may reach."""
BUSY = 0.85
"""The part of the time for which a less degraded level may occupy the worker."""
SETTLED_S = 60.0
"""A level that held for so long was no mistake."""
TRIAL_S = 60.0
"""How long a level must have been comfortable for the one above to be tried against the prediction."""
DARK_S = 10.0
"""How long nothing is computed before the level above is tried."""
MOST_FAILURES = 9
"""Waits are not doubled more often than this."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`every` has one number per level: of how many windows one is computed; 0: of none. Level 0 is the first."""

    budget_ms: float
    every: Sequence[int]
    window: int = 40
    dwell_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a less degraded level would be like: the 95th percentile (ms) and the busy part of the worker's time.

    Both are NaN where nothing is known of it.
    """

    latency_ms: float
    busy: float

    def fits(self, budget_ms: float) -> bool:
        return self.latency_ms <= MARGIN * budget_ms and self.busy <= BUSY


@dataclass(frozen=True, slots=True)
class Change:
    """From one level to the next, and why: the numbers of `results` results before, in ms. `at_ns` is when."""

    at_ns: int
    before: int
    after: int
    results: int
    latency_ms: float
    cost_ms: float
    predicted: Prediction | None = None
    trial: bool = False
    """Whether it goes back although the prediction does not say that it fits, or there is none."""


class Controller:
    """`see` is given every window's end in order, `tick` the time where there are none; both may answer a Change.

    Which then holds. It keeps the smallest median of the worker's time that was seen at each level, and how often a
    level had to be left soon after it was restored.
    """

    def __init__(self, terms: Terms) -> None:
        self.level = 0
        self._terms = terms
        self._seen = Sliding(terms.window)
        self._usual = [math.inf] * len(terms.every)
        self._expected = [1.0] * len(terms.every)
        self._failures = [0] * len(terms.every)
        self._changed_ns: int | None = None
        self._restored = False
        self._comfortable_ns: int | None = None

    def see(self, seen: Seen) -> Change | None:
        """A window's end: of another level, or from before the last change, it says nothing."""
        if self._changed_ns is None:
            self._changed_ns = seen.at_ns - round(self._terms.dwell_s * 1e9)
        received_ns = seen.at_ns if math.isinf(seen.latency_ms) else seen.at_ns - seen.latency_ms * 1e6
        if seen.level != self.level or received_ns < self._changed_ns:
            return None
        self._seen.add(seen)
        if self._seen.full:
            self._remember()
        return self._decide(seen.at_ns)

    def expect(self, costs_ms: Sequence[float]) -> None:
        """What a window takes at each level where nothing else goes on, as measured beforehand: only ratios count."""
        self._expected = [max(cost, 1e-6) for cost in costs_ms]

    def tick(self, at_ns: int) -> Change | None:
        """Time went by while windows came and none was computed."""
        if self._changed_ns is None or self._terms.every[self.level]:
            return None
        dark_s = max(self._terms.dwell_s, DARK_S * 2 ** self._failures[self.level - 1])
        if self._lasted_s(at_ns, self._changed_ns) < dark_s:
            return None
        return self._change(at_ns, self.level - 1, None, trial=True)

    def predict(self) -> Prediction:
        """What the level above would be like now."""
        above, here, seen = self.level - 1, self.level, self._seen
        # What was seen of a level since it was taken may all have been under load, which makes the other look cheap.
        measured = self._usual[above] / self._usual[here]
        if not math.isfinite(measured):
            return Prediction(math.nan, math.nan)
        ratio = max(1.0, measured, self._expected[above] / self._expected[here])
        cost_ms = seen.cost_ms
        period_ms = seen.period_ms * self._terms.every[above]
        return Prediction(max(0.0, seen.latency_ms - cost_ms) + cost_ms * ratio, seen.mean_ms * ratio / period_ms)

    def _decide(self, at_ns: int) -> Change | None:
        budget_ms, here, seen = self._terms.budget_ms, self.level, self._seen
        latency_ms = seen.latency_ms
        if latency_ms > MARGIN * budget_ms:
            self._comfortable_ns = None
        elif self._comfortable_ns is None:
            self._comfortable_ns = at_ns
        lasted_s, dwell_s = self._lasted_s(at_ns, self._changed_ns), self._terms.dwell_s
        if lasted_s < dwell_s:
            return None
        if latency_ms > budget_ms:
            return None if here + 1 == len(self._terms.every) else self._change(at_ns, here + 1, None)
        if not here or not seen.full:
            return None
        failures = self._failures[here - 1]
        if failures and lasted_s < dwell_s * 2**failures:
            return None
        predicted = self.predict()
        if predicted.fits(budget_ms):
            return self._change(at_ns, here - 1, predicted)
        if self._lasted_s(at_ns, self._comfortable_ns) >= TRIAL_S * 2**failures:
            return self._change(at_ns, here - 1, predicted, trial=True)
        return None

    def _remember(self) -> None:
        usual_ms = self._seen.usual_ms
        if not math.isnan(usual_ms):
            self._usual[self.level] = min(self._usual[self.level], usual_ms)

    def _change(self, at_ns: int, after: int, predicted: Prediction | None, *, trial: bool = False) -> Change:
        here, seen = self.level, self._seen
        self._remember()
        if self._lasted_s(at_ns, self._changed_ns) >= SETTLED_S:
            self._failures[here] = 0
        elif after > here and self._restored:
            self._failures[here] = min(self._failures[here] + 1, MOST_FAILURES)
        change = Change(at_ns, here, after, len(seen), seen.latency_ms, seen.cost_ms, predicted, trial)
        self.level, self._changed_ns, self._comfortable_ns, self._restored = after, at_ns, None, after < here
        seen.clear()
        return change

    @staticmethod
    def _lasted_s(at_ns: int, since_ns: int | None) -> float:
        return 0.0 if since_ns is None else (at_ns - since_ns) / 1e9
