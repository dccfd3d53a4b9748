"""The actions of a run, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from onscope.runtime import Event, OnscopeError, PipelineError, Runtime

from .._values import Setting
from ._can import Arms, Pauses, Swaps, Tunes
from ._swapping import Swapping, word_of

Do = Callable[[dict[str, Any]], Mapping[str, Any]]
MOST = 1e12
"""What is told as the end of a range that has none: JSON knows no infinite numbers."""


@dataclass(frozen=True)
class Run:
    """What a run is made of, as far as viewers may act on it.

    `feedback`, `source`: those of the run. `stop` ends it in order; `snap` makes snapshots; `packages` that may be
    swapped in, by the names that the user gave; `tuned` is called with the settings as they are after a change.
    """

    runtime: Runtime
    feedback: object = None
    source: object = None
    stop: Callable[[], object] | None = None
    snap: Do | None = None
    before_pause: Callable[[], object] | None = None
    packages: Mapping[str, tuple[str, str | Path]] = field(default_factory=lambda: MappingProxyType({}))
    """Stage and package by name."""
    tuned: Callable[[tuple[Setting, ...]], object] = lambda settings: None


def offered(run: Run) -> dict[str, Do]:
    """What viewers may ask for. Each is told as an event of the runtime when it was done, or refused."""
    able: dict[str, Do] = {}
    if isinstance(run.feedback, Arms):
        able |= {"arm": _said(run.feedback.arm, "armed"), "shadow": _said(run.feedback.shadow, "in shadow mode")}
    if isinstance(run.source, Pauses):
        able |= {"pause": lambda fields: _pause(run), "resume": _said(run.source.resume, "goes on")}
    if run.stop is not None:
        able["stop"] = lambda fields: _stop(run)
    if run.snap is not None:
        able["snapshot"] = run.snap
    if isinstance(run.runtime, Tunes) and settings_of(run.runtime):
        able["tune"] = lambda fields: _tune(run, fields)
    if isinstance(run.runtime, Swaps) and run.packages:
        able["swap"] = Swapping(run.runtime, run.packages, lambda: run.tuned(settings_of(run.runtime)))
    return {name: _told(run.runtime, name, do) for name, do in able.items()}


def settings_of(runtime: object) -> tuple[Setting, ...]:
    """Numbers that may be tuned now; none of a runtime that cannot."""
    if not isinstance(runtime, Tunes):
        return ()
    return tuple(
        Setting(each.stage, each.name, float(each.value), _finite(each.least), _finite(each.most), each.meaning)
        for each in runtime.tunable
    )


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else math.copysign(MOST, value)


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


def _pause(run: Run) -> Mapping[str, Any]:
    assert isinstance(run.source, Pauses)
    if run.before_pause is not None and not run.source.paused:
        run.before_pause()
    run.source.pause()
    return {"words": "paused"}


def _stop(run: Run) -> Mapping[str, Any]:
    assert run.stop is not None
    run.stop()
    if isinstance(run.source, Pauses):
        run.source.resume()  # one that waits cannot end
    return {"words": "the run ends in order"}


def _tune(run: Run, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    of, name, value = word_of(fields, "of"), word_of(fields, "name"), fields.get("value")
    known = [each for each in settings_of(run.runtime) if (each.of, each.name) == (of, name)]
    if not known:
        raise PipelineError(f"found the setting {name!r} of {of!r} to tune, expected one that the view shows")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PipelineError(f"found {value!r:.40} for {name} of {of}, expected a number")
    assert isinstance(run.runtime, Tunes)
    done = run.runtime.tune(of, **{name: value})
    run.tuned(settings_of(run.runtime))
    return {"words": f"{of}: {name} {known[0].value:.6g} to {value:.6g}{_from(done)}"} | _first(done)


def _first(done: Any) -> dict[str, Any]:
    """The first frame that a change holds for, where it is known already."""
    first = getattr(done, "first", None)
    return {} if first is None else {"frame": dict(first._asdict())}


def _from(done: Any) -> str:
    first = getattr(done, "first", None)
    return "" if first is None else f", from frame {first.seq} of segment {first.segment} on"
