"""Has a controller watch a live path, and the live path follow what it decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from .._changes import Change as Told
from .._clock import now_ns
from .._dispatch import Dispatcher
from .._events import Event, Kind, Tell
from .._frame import FrameSpec
from .._lane import BUDGET, Window
from .._moments import Moments
from .._pipeline import Pipeline
from .._result import Result
from .._route import Route
from .._stage import Stage
from ._budget import Budget
from ._controller import Change, Controller, Terms
from ._levels import Level, levels_of
from ._pace import Pace
from ._seen import Seen
from ._words import words_of

Note = Callable[[str, Any], object]
MOST_TOLD = 1000
"""Changes that a recording knows one by one."""


class Governor:
    """Called with the account's lock held, `bind` before all else. `note` enters facts into a recording's manifest."""

    def __init__(self, budget: Budget, levels: tuple[Level, ...], tell: Tell, note: Note | None) -> None:
        self.levels, self.pace = levels, Pace()
        self.pace.came = self._came
        self._budget, self._tell, self._note = budget, tell, note
        self._controller = Controller(
            Terms(budget.ms, [level.every for level in levels], budget.window, budget.dwell_s)
        )
        self._ways: list[int] = []
        for level in levels:
            same = [at for at in range(level.number) if levels[at].networks == level.networks]
            self._ways.append(self._ways[same[0]] if same else max(self._ways, default=-1) + 1)
        self._changes: list[dict[str, Any]] = []
        self._expired = 0
        if note is not None:
            told = [level.described() | {"way": way} for level, way in zip(levels, self._ways, strict=True)]
            note("budget", budget.described() | {"levels": told})

    @classmethod
    def of(
        cls, budget: Budget | None, pipeline: Pipeline, provider: str, tell: Tell, note: Note | None
    ) -> Governor | None:
        """That of a budget, if there is one. Raises PipelineError and PackageError."""
        return None if budget is None else cls(budget, levels_of(pipeline, budget, provider), tell, note)

    def bind(self, dispatcher: Dispatcher) -> None:
        """The live path that it governs, before its first frame."""
        self._dispatcher, dispatcher.governor = dispatcher, self

    def _routes(self) -> list[Route]:
        return list(self._dispatcher.routes.values())

    @property
    def level(self) -> int:
        """That which holds for windows that are sent now."""
        return self._controller.level

    @property
    def ways(self) -> int:
        """How many ways of running there are beside the pipeline's own."""
        return max(self._ways)

    def ways_for(self, spec: FrameSpec) -> list[dict[str, Any]]:
        """What the worker opens for such frames beside the pipeline itself."""
        first = [self._ways.index(way) for way in range(1, self.ways + 1)]
        return [self.levels[number].way(spec) for number in first]

    def warmed(self, ways_ns: Sequence[int]) -> None:
        """How long a window took at the warm-up, by way."""
        self._controller.expect([ways_ns[way] / 1e6 for way in self._ways])

    def replace(self, stage: Stage) -> None:
        """A stage has other settings: at all levels that run it with the same weights."""
        levels = []
        for level in self.levels:
            own = next((each for each in level.pipeline.networks if each.name == stage.name), None)
            levels.append(level if own is None or not _alike(own, stage) else level.replaced(stage))
        self.levels = tuple(levels)
        for route in self._routes():
            route.ways = self.ways_for(route.lane.spec)

    def assign(self, route: Route, window: Window) -> bool:
        """Have a window that is to be sent run at the level that holds; False: nothing of it is left."""
        window.level, window.way = self.level, self._ways[self.level]
        if window.way:
            names = {stage["name"] for stage in route.ways[window.way - 1]["stages"]}
            numbers = range(len(route.stages)) if window.wanted is None else window.wanted
            window.chosen = tuple(number for number in numbers if route.stages[number].name in names)
        else:
            window.chosen = window.wanted
        return self.levels[self.level].every > 0 and window.chosen != ()

    def seen(self, result: Result) -> None:
        """A result was delivered."""
        stamps = result.stamps
        cost_ms = (stamps.finished - stamps.started) / 1e6
        self._look_for_expired()
        offered = self.pace.offered
        self._follow(self._controller.see(Seen(stamps.delivered, result.latency_ms, cost_ms, offered, result.level)))

    def _came(self) -> None:
        self._look_for_expired()
        if not self.levels[self.level].every:
            self._follow(self._controller.tick(now_ns()))

    def _look_for_expired(self) -> None:
        expired = self._dispatcher.ledger.count("skipped", "expired")
        news, self._expired = min(expired - self._expired, self._budget.window), expired
        for _ in range(news):
            seen = Seen(now_ns(), float("inf"), None, self.pace.offered, self.level)
            self._follow(self._controller.see(seen))

    def _follow(self, change: Change | None) -> None:
        if change is None:
            return
        before, after = self.levels[change.before], self.levels[change.after]
        self.pace.every = after.every
        if (before.networks, before.every) != (after.networks, after.every):
            for route in self._routes():
                self._begin_anew(route, after)
        words = words_of(change, self.levels, self._budget)
        self._remember(change, words)
        kind: Kind = "degraded" if change.after > change.before else "restored"
        if after.every:
            self._dispatcher.changes.pending.append(Told(kind, "", words, self._tell))
        else:
            self._tell(Event(kind, words))

    def _begin_anew(self, route: Route, level: Level) -> None:
        route.lane.forget_states()
        if route.moments is not None:
            route.moments = Moments(level.pipeline.gather, self._dispatcher.admission.every_n * max(1, level.every))
        if not level.every:
            while route.lane.waiting:
                route.lane.end(route.lane.waiting.popleft(), "skipped", BUDGET)

    def _remember(self, change: Change, words: str) -> None:
        if self._note is not None and len(self._changes) < MOST_TOLD:
            told = asdict(change)
            numbers: dict[str, Any] = {name: value for name, value in told.items() if isinstance(value, int | bool)}
            numbers |= {"latency_ms": _plain(change.latency_ms), "cost_ms": _plain(change.cost_ms)}
            if change.predicted is not None:
                numbers |= {"predicted_ms": _plain(change.predicted.latency_ms), "busy": _plain(change.predicted.busy)}
            self._changes.append({**numbers, "words": words})
            self._note("budget_changes", list(self._changes))


def _plain(value: float) -> float | None:
    """JSON has no infinity: None for what is not known."""
    return round(value, 3) if abs(value) < float("inf") else None


def _alike(one: Stage, other: Stage) -> bool:
    return (one.package.package_sha256, one.precision) == (other.package.package_sha256, other.precision)
