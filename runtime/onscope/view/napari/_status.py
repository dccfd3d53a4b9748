"""The run's numbers in a line or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def status_words(status: Mapping[str, Any], shown_per_s: float, age_ms: float | None) -> str:
    """Rates, latency and whether the feedback is armed, in lines; what was not told is left out."""
    parts = []
    if "frames_per_s" in status:
        parts.append(f"{_number(status['frames_per_s']):.1f} frames/s")
    parts.append(f"{shown_per_s:.1f} shown/s")
    told = [", ".join(parts)]
    steps = status.get("steps_ms")
    whole = steps.get("whole way") if isinstance(steps, Mapping) else None
    if isinstance(whole, Mapping):
        told.append(f"latency {_number(whole.get('p50')):.1f} ms (95 %: {_number(whole.get('p95')):.1f})")
    if age_ms is not None:
        age = f"{age_ms:.0f} ms" if age_ms < 10_000 else f"{age_ms / 1000:.0f} s"
        told.append(f"shown {age} after receipt")
    lines = "\n".join(told)
    feedback = status.get("feedback")
    if isinstance(feedback, Mapping):
        held = f", held: {feedback['held']}" if feedback.get("held") else ""
        lines += f"\n{'ARMED' if feedback.get('armed') else 'not armed'}{held}"
    if status.get("paused"):
        lines += "\npaused"
    suspect = status.get("suspect")
    if isinstance(suspect, Mapping) and any(suspect.values()):
        lines += "\nnot as usual: " + ", ".join(str(stage) for stage, names in suspect.items() if names)
    return lines


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
