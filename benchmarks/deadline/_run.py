"""One run under the scripted load, and what came of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tests.models import plus_one

from onscope.runtime import Budget, Event, Pipeline, Runtime, Stage, keep_newest, now_ns, open_source, specs_of

PIECES = (
    (0, 1), (15, 1), (15.1, 5), (45, 5), (45.1, 1), (60, 1), (85, 12), (100, 12), (100.1, 1), (115, 1), (115.1, 6),
    (116, 6), (116.1, 1), (125, 1), (125.1, 40), (140, 40), (140.1, 1), (180, 1),
)  # fmt: skip
"""Light, heavy for half a minute, drifting up and held, a burst of a second, hopeless, light again."""


@dataclass
class Came:
    """(seconds, latency in ms, level) of each result, the changes, and the account."""

    results: list[tuple[float, float, int]] = field(default_factory=list)
    events: list[tuple[float, str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    adds_up: bool = False


def run(
    source: str,
    options: dict[str, Any],
    budget: Budget,
    folder: Path,
    *,
    ms: float,
    seconds: float,
    tell: Callable[[str], object],
) -> Came:
    """Take frames for so many seconds, by the script's load."""
    came, script = Came(), folder / "script.json"
    start_ns = 0

    def heard(event: Event) -> None:
        if event.kind in ("degraded", "restored"):
            came.events.append(((event.at_ns - start_ns) / 1e9, event.kind, event.message))
            tell(f"{(event.at_ns - start_ns) / 1e9:6.1f} s  {event.kind}: {event.message}")

    with open_source(source, **options) as camera:
        (spec,) = specs_of(camera)
        pixels = spec.shape[0] * spec.shape[1]
        script.write_text(json.dumps({"ms": ms, "pixels": pixels, "pieces": PIECES}))
        pipeline = Pipeline([Stage("denoise", plus_one(folder / "package", spec.dtype))])
        provider = f"load:{script}"
        with Runtime(pipeline, admission=keep_newest(2), provider=provider, budget=budget, on_event=heard) as runtime:
            runtime.prepare(spec)
            start_ns = now_ns()
            script.with_suffix(".start").write_text(str(start_ns))
            with closing(cast("Any", runtime.stream(camera))) as results:
                for result in results:
                    at_s = (result.stamps.delivered - start_ns) / 1e9
                    came.results.append((at_s, result.latency_ms, result.level))
                    if at_s > seconds or (at_s > seconds - 1 and time.monotonic_ns() - start_ns > seconds * 1e9):
                        break
            runtime.drain(10)
        came.counts, came.adds_up = runtime.ledger.reasons, runtime.ledger.adds_up()
    script.with_suffix(".start").unlink()
    shutil.rmtree(folder / "package")
    return came


def percentile(results: Sequence[tuple[float, float, int]], size: int) -> list[tuple[float, float]]:
    """(seconds, ms): the 95th of the last `size` results."""
    found = []
    for end in range(size, len(results) + 1):
        last = sorted(latency for _, latency, _ in results[end - size : end])
        found.append((results[end - 1][0], last[-1 - size // 20]))
    return found
