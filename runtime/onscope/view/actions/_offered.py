"""The actions of a run, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from onscope.runtime import Event, OnscopeError, Runtime

from .._values import Setting
from ._can import Arms, Swaps, TunesRules
from ._pausing import Pausing
from ._swapping import Swapping
from ._tuning import Tuning, settings_of

Do = Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """What a run is made of, as far as viewers may act on it.

    `feedback`: that of the run. `pausing`: what can hold its frames back. `stop` ends it in order; `snap` makes
    snapshots; `packages` that may be swapped in: stage and package by the names that the user gave; `tuned` is called
    with the settings as they are after a change.
    """

    runtime: Runtime
    feedback: object = None
    pausing: Pausing | None = None
    stop: Callable[[], object] | None = None
    snap: Do | None = None
    packages: Mapping[str, tuple[str, str | Path]] = field(default_factory=lambda: MappingProxyType({}))
    tuned: Callable[[tuple[Setting, ...]], object] = lambda settings: None


def offered(run: Run) -> dict[str, Do]:
    """What viewers may ask for. Each is told as an event of the runtime when it was done, or refused."""
    able: dict[str, Do] = {}
    if isinstance(run.feedback, Arms):
        able |= {"arm": _said(run.feedback.arm, "armed"), "shadow": _said(run.feedback.shadow, "in shadow mode")}
    if run.pausing is not None and run.pausing.able:
        able |= {"pause": run.pausing.pause, "resume": run.pausing.resume}
    if run.stop is not None:
        able["stop"] = _said(lambda: _stop(run), "the run ends in order")
    if run.snap is not None:
        able["snapshot"] = run.snap
    if settings_of(run.runtime) or isinstance(run.feedback, TunesRules):
        able["tune"] = Tuning(run.runtime, run.feedback, run.tuned)
    if isinstance(run.runtime, Swaps) and run.packages:
        able["swap"] = Swapping(run.runtime, run.packages, lambda: run.tuned(settings_of(run.runtime, run.feedback)))
    return {name: _told(run.runtime, name, do) for name, do in able.items()}


def _stop(run: Run) -> None:
    if run.stop is not None:
        run.stop()
    if run.pausing is not None:
        run.pausing.let_end()


def _said(do: Callable[[], object], words: str) -> Do:
    def done(fields: dict[str, Any]) -> Mapping[str, Any]:
        do()
        return {"words": words}

    return done


def _told(runtime: Runtime, name: str, do: Do) -> Do:
    """The same, with an event of the runtime for each time."""

    def done(fields: dict[str, Any]) -> Mapping[str, Any]:
        try:
            given = do(fields)
        except OnscopeError as error:
            runtime.tell(Event("view", f"a viewer asked for {name}, which was refused: {error}"))
            raise
        words = str(given.get("words", ""))
        runtime.tell(Event("view", f"a viewer asked for {name}" + (f": {words}" if words else "")))
        return given

    return done
