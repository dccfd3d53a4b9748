"""What is told of a result beside its arrays."""

from __future__ import annotations

from typing import Any

from onscope.runtime import ClockPair, Result

from .._plain import plain


def head_of(result: Result, clock: ClockPair) -> dict[str, Any]:
    """As docs/view-inside.md has it, without what belongs to one update; `received_ns` is monotonic."""
    frame = result.frame
    told = {
        "frame": {
            **frame.id._asdict(),
            "index": dict(frame.index),
            "labels": dict(frame.labels),
            "stage_um": frame.stage_um,
            "exposure_ms": frame.exposure_ms,
            "received_unix_ns": clock.wall_of(frame.received_ns),
            "state": result.state,
        },
        "trust": {stage: dict(values) for stage, values in result.trust.items()},
        "suspect": {stage: list(names) for stage, names in result.suspect.items() if names},
        "latency_ms": result.latency_ms,
        "received_ns": frame.received_ns,
        "scales": dict(result.scales),
    }
    return dict(plain(told))
