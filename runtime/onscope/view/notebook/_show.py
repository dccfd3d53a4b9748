"""`runtime.show()`."""

from __future__ import annotations

from typing import Any

from onscope.runtime import Result, Runtime

from ._live import RATE, LiveShow, live, wait_for
from ._picture import WIDTH, Shown, shown


def show(
    runtime: Runtime,
    result: Result | None = None,
    *,
    live_: bool = False,
    rate: float = RATE,
    width: int = WIDTH,
    timeout_s: float = 2.0,
) -> Shown | LiveShow:
    """A result (None: the next one) side by side with its raw frame, or, with `live_`, all of them as they come."""
    if live_:
        return live(runtime, rate, width)
    found: Any = result if result is not None else wait_for(runtime, timeout_s)
    if found is None:
        words = f"no result came within {timeout_s:g} s: show it while the run goes on, or give it a result"
        return Shown(note=words)
    return shown(found, width)
